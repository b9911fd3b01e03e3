"""Kills jobs, the job server, Snakemake or all of a run, or fills the disk under it."""

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
    *("train-multi-frameexit-0", "control-multi-random_exit-0", "evaluate-multi-random_exit"),
)
# Those that do not wait for each other: when one is killed, the others are made all the same.
LAST_JOBS = (*("table2", "figure6", "tables", "known_answers", "claims", "track", "outcome"),)
# These end so soon after they begin that a signal may come too late for them.
SHORT_JOBS = {"tables", "outcome"}
_SECONDS_TO_FIND = 2.0


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
        tried: how many blows were struck at, in time or too late.
        hits: (what was hit, at which job), for each blow that ended a run or a job.
    """

    run: Workflow
    tried: int = 0
    hits: list[tuple[str, str]] = field(default_factory=list)

    def strike_at(self, job: str, blow: Blow) -> bool:
        """Start, strike when a job begins, wait for Snakemake's end; say whether it was in time.

        What outlives Snakemake holds the pipe that it prints to, so the wait is for that as well.
        """
        log = self.run.results / "logs" / f"{job}.log"
        with started_until(self.run, job) as process:
            hit, latest = False, time.monotonic() + _SECONDS_TO_FIND
            while not hit and process.poll() is None and time.monotonic() < latest:
                hit = _strike(process, blow, log)
            if not hit and process.poll() is None:  # too late for this job: on with the next
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=600)
        return self._count(hit, blow, job)

    def strike_after(self, seconds: float, blow: Blow) -> bool:
        """Start, and strike after some time unless it has ended; say whether it had not."""
        with self.run.start() as process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=seconds)
            hit = process.poll() is None and _strike(process, blow, None)
            process.communicate(timeout=600)
        return self._count(hit, blow, f"after {seconds:.2f} s")

    def _count(self, hit: bool, blow: Blow, when: str) -> bool:
        self.tried += 1
        if hit:
            self.hits.append((str(blow), when))
        return hit


@contextlib.contextmanager
def started_until(run: Workflow, job: str) -> Iterator[subprocess.Popen[str]]:
    """Start a run and give its process when a job begins, or when the run has ended without it."""
    log = run.results / "logs" / f"{job}.log"
    before = _time_of(log)
    with run.start() as process:
        while process.poll() is None and _time_of(log) in {0, before}:
            time.sleep(0.002)
        yield process


@dataclass(frozen=True)
class Disk:
    """A file system in memory, of a size that can change.

    Attributes:
        folder: where it is mounted.
    """

    folder: Path

    def fill_but(self, room_kib: int) -> None:
        """Leave so much room on it."""
        while True:  # what is written meanwhile can make the new size too small
            used = os.statvfs(self.folder)
            blocks = used.f_blocks - used.f_bfree + room_kib * 1024 // used.f_frsize
            with contextlib.suppress(subprocess.CalledProcessError):
                return self.resize(f"{max(1, blocks) * used.f_frsize}")

    def resize(self, size: str) -> None:
        """Give it another size, in the words of `mount`."""
        command = ["mount", "-o", f"remount,size={size}", str(self.folder)]
        subprocess.run(command, check=True, capture_output=True)


def _strike(process: subprocess.Popen[str], blow: Blow, log: Path | None) -> bool:
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
