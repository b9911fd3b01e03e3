"""Progress of long work: lines with the time left, and a log that ends in the cause."""

from __future__ import annotations

import re
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from benchmark.errors import BenchmarkError, explained

__all__ = ["JobFailedError", "JobLog", "seconds_of_job"]

_SECONDS_BETWEEN_LINES = 5.0


class JobFailedError(Exception):
    """The job's cause of failure has been said; only the exit code is left to set."""


class JobLog:
    """Writes a job's lines to its log file, and the telling ones to the terminal.

    Args:
        title: names the job on the terminal.
        path: of the log file; None for the terminal alone.
        quiet: leave the terminal alone too.

    Raises:
        BenchmarkError: if the log file cannot be written.
    """

    def __init__(self, title: str, path: Path | None, *, quiet: bool = False) -> None:
        self.title, self._quiet = title, quiet
        self._file: TextIO | None = None
        if path is not None:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._file = path.open("w", encoding="utf-8", buffering=1)
            except OSError as fault:
                fix = "free the disk, or let this user write there"
                raise BenchmarkError(
                    f"the log cannot be written ({fault.strerror})", where=path, fix=fix
                ) from fault
        self._start = self._last_line = time.monotonic()

    def write(self, text: str, *, shown: bool = False) -> None:
        """Write lines to the log file, and where told to the terminal."""
        if self._file is not None:
            self._file.write(f"{text}\n")
        if shown:
            print(text, file=sys.stderr, flush=True)

    def progress(self, done: int, total: int) -> None:
        """Say how far the work is, at most every few seconds."""
        self._say(done, total, self._start, "")

    def stage(self, name: str) -> Callable[[int, int, int], None]:
        """Return what says how far a part of the work is, from now on.

        It is called with steps done, steps in all, and videos that were seen so far.
        """
        start = time.monotonic()
        first: list[int] = []

        def watch(done: int, total: int, num_videos: int) -> None:
            first[:] = first or [done - 1]  # what an earlier run has done takes no time now
            rate = num_videos / (time.monotonic() - start)
            note = f" of {name}, {rate:.1f} videos a second"
            self._say(done - first[0], total - first[0], start, note)

        return watch

    def _say(self, done: int, total: int, start: float, note: str) -> None:
        now = time.monotonic()
        if now - self._last_line < _SECONDS_BETWEEN_LINES and done < total:
            return
        self._last_line = now
        spent = now - start
        left = f", {spent * (total - done) / done:.0f} s left" if 0 < done < total else ""
        line = f"{self.title}: {done} of {total}{note}{left}"
        self.write(line)
        if left and not self._quiet:
            print(line, file=sys.stderr, flush=True)

    @contextmanager
    def explaining(self) -> Iterator[None]:
        """End the log, and the terminal's output, with the cause if the work fails.

        Raises:
            JobFailedError: in place of whatever was raised.
        """
        try:
            yield
            self.write(f"{self.title}: done in {time.monotonic() - self._start:.1f} s")
        except Exception as fault:
            if not isinstance(fault, BenchmarkError):
                with suppress(OSError):
                    self.write(traceback.format_exc())
            self._fail(explained(fault))

    def _fail(self, cause: str) -> None:
        line = f"error: {self.title}: {cause}"
        print(line, file=sys.stderr, flush=True)
        with suppress(OSError):  # the disk may be what is full
            self.write(line)
        raise JobFailedError(line) from None


def seconds_of_job(log: Path) -> float | None:
    """Return how long a job took that ended well, by the last line of its log; else none."""
    if not log.is_file():
        return None
    last = log.read_text(encoding="utf-8", errors="replace").rstrip().rpartition("\n")[2]
    found = re.fullmatch(r".*: done in (\d+\.\d) s", last)
    return float(found[1]) if found else None
