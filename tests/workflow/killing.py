"""Kills jobs, the job server, Snakemake or all of a run, and lets the same command go on."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from workflow_runs import Workflow

# Every kind of job of a run of one method and a control, from the first to the last.
JOBS = (
    *("videos-multi", "manifest-multi", "frames-multi", "pretrain-backbone", "features-backbone"),
    *("train-multi-frameexit-0", "control-multi-random_exit-0", "evaluate-multi-frameexit"),
    *("table-table2", "figure-figure6", "document", "known_answers", "claims", "track", "outcome"),
)


@dataclass(frozen=True)
class Blow:
    """What is hit, and with what.

    Attributes:
        victim: 'job', 'server', 'snakemake' or, as Ctrl-C does, 'group': all of the run.
        number: of the signal.
    """

    victim: str
    number: signal.Signals

    def __str__(self) -> str:
        return f"{self.victim}-{self.number.name}"


@dataclass
class Victims:
    """One folder of results, whose runs are killed one after the other.

    Attributes:
        run: the workflow.
        hits: (what was hit, at which job), for each blow that ended a run or a job.
    """

    run: Workflow
    hits: list[tuple[str, str]] = field(default_factory=list)

    def strike_at(self, job: str, blow: Blow) -> bool:
        """Start, strike when a job begins, wait for Snakemake's end; say whether it was in time."""
        log = self.run.results / "logs" / f"{job}.log"
        before = _time_of(log)
        with self.run.start() as process:
            while process.poll() is None and _time_of(log) == before:
                time.sleep(0.002)
            hit = process.poll() is None and self._strike(process, blow, log)
            if not hit and process.poll() is None:  # too late for this job: on with the next
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=600)
        if hit:
            self.hits.append((str(blow), job))
        return hit

    def strike_after(self, seconds: float, blow: Blow) -> bool:
        """Start, and strike after some time unless it has ended; say whether it had not."""
        with self.run.start() as process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=seconds)
            hit = process.poll() is None and self._strike(process, blow, None)
            process.communicate(timeout=600)
        if hit:
            self.hits.append((str(blow), f"after {seconds:.2f} s"))
        return hit

    def _strike(self, process: subprocess.Popen[str], blow: Blow, log: Path | None) -> bool:
        if blow.victim == "group":
            os.killpg(process.pid, blow.number)
            return True
        if blow.victim == "snakemake":
            process.send_signal(blow.number)
            return True
        if blow.victim == "server":
            found = [pid for pid in _children(process.pid) if b"serve" in _command(pid)]
        else:
            found = [pid for pid in _descendants(process.pid) if _writes(pid, log)]
        for pid in found[:1]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, blow.number)
                return True
        return False


def _time_of(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        tasks = Path(f"/proc/{pid}/task").iterdir()
        return [int(c) for task in tasks for c in (task / "children").read_text().split()]
    return []


def _descendants(pid: int) -> Iterator[int]:
    for child in _children(pid):
        yield child
        yield from _descendants(child)


def _command(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _writes(pid: int, log: Path | None) -> bool:
    """Say whether a process has a log open; where none is named, any log."""
    with contextlib.suppress(OSError):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                path = Path(os.readlink(link))
                if path == log or (log is None and path.parent.name == "logs"):
                    return True
    return False
