"""Progress of long work: lines with the time left, and a log that ends in the cause."""

from __future__ import annotations

import re
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
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
    """

    def __init__(self, title: str, path: Path | None) -> None:
        self.title = title
        self._file: TextIO | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("w", encoding="utf-8", buffering=1)
        self._start = self._last_line = time.monotonic()

    def write(self, text: str) -> None:
        """Write a line to the log file."""
        if self._file is not None:
            self._file.write(f"{text}\n")

    def progress(self, done: int, total: int) -> None:
        """Say how far the work is, at most every few seconds."""
        now = time.monotonic()
        if now - self._last_line < _SECONDS_BETWEEN_LINES and done < total:
            return
        self._last_line = now
        spent = now - self._start
        left = f", {spent * (total - done) / done:.0f} s left" if 0 < done < total else ""
        line = f"{self.title}: {done} of {total}{left}"
        self.write(line)
        if left:
            print(line, file=sys.stderr, flush=True)

    @contextmanager
    def explaining(self) -> Iterator[None]:
        """End the log, and the terminal's output, with the cause if the work fails.

        Raises:
            JobFailedError: in place of whatever was raised.
        """
        try:
            yield
        except Exception as fault:
            if not isinstance(fault, BenchmarkError):
                self.write(traceback.format_exc())
            self._fail(explained(fault))
        else:
            self.write(f"{self.title}: done in {time.monotonic() - self._start:.1f} s")

    def _fail(self, cause: str) -> None:
        line = f"error: {self.title}: {cause}"
        self.write(line)
        print(line, file=sys.stderr, flush=True)
        raise JobFailedError(line) from None


def seconds_of_job(log: Path) -> float | None:
    """Return how long a job took that ended well, by the last line of its log; else none."""
    if not log.is_file():
        return None
    last = log.read_text(encoding="utf-8", errors="replace").rstrip().rpartition("\n")[2]
    found = re.fullmatch(r".*: done in (\d+\.\d) s", last)
    return float(found[1]) if found else None
