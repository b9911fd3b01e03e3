"""Facts about files that a manifest job has read, so that the next one need not.

Hashing half a million videos takes hours. Each file's facts are appended as soon as they are known,
with its size and time of change; a file of another size or time is read again. So a job that was
killed reads on, and one that is repeated for other labels or other code reads nothing. Each line
ends with a digest of what it says: one that was changed or cut short is not believed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from benchmark.data.video_io.probe import FileFacts, Progress, probe_files
from benchmark.files.writing import digest_of, digest_of_files, write_text

__all__ = ["ProbeCache"]

_READ_BY = ("probe.py", "time_stamps.py", "picture_stream.py")


class ProbeCache:
    """Reads files, and keeps what is known of them beside the manifest.

    Args:
        manifest: the path of the manifest to be.
    """

    def __init__(self, manifest: Path) -> None:
        self.path = manifest.with_suffix(".facts.jsonl")
        # Facts that other code has read may be other facts.
        self._first = digest_of_files([Path(__file__).with_name(name) for name in _READ_BY])
        self._known: dict[str, tuple[int, int, FileFacts]] = {}

    def probe_files(
        self, paths: Sequence[Path], *, workers: int, progress: Progress | None
    ) -> list[FileFacts]:
        """Return the facts about each file, reading those that are not known."""
        damaged = self._load()
        found: dict[Path, FileFacts] = {}
        stamps = {path: _stamp(path) for path in paths}
        for path, stamp in stamps.items():
            known = self._known.get(str(path))
            if known is not None and known[:2] == stamp:
                found[path] = known[2]
        unread = [path for path in stamps if path not in found]
        if progress is not None and found:
            progress(len(found), len(stamps))
        with self._opened(anew=bool(damaged)) as record:

            def keep(path: Path, facts: FileFacts) -> None:
                found[path] = facts
                stamp = stamps[path]
                if stamp is not None and facts.status != "missing":
                    record.write(_line([str(path), *stamp, asdict(facts)]))
                if progress is not None:
                    progress(len(found), len(stamps))

            probe_files(unread, workers=workers, keep=keep)
        return [found[path] for path in paths]

    def damaged_lines(self) -> list[int]:
        """Return the numbers, from 1, of the lines that are not as they were written."""
        return self._load()

    def _load(self) -> list[int]:
        """Read what an earlier job left, and return the numbers of the lines that are of no use."""
        try:
            lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return []
        damaged = []
        for number, line in enumerate(lines[1:] if lines[:1] == [self._first] else [], start=2):
            try:
                *said, digest = json.loads(line)
                if digest != digest_of(said):
                    raise ValueError("what the line says and its digest disagree")
                path, size, changed_ns, facts = said
                self._known[path] = (size, changed_ns, FileFacts(**facts))
            except (ValueError, TypeError):
                damaged.append(number)
        return damaged

    def _opened(self, *, anew: bool) -> TextIO:
        """Open the record to go on; or anew, with what is known, where some lines are damaged."""
        if self._known and not anew:
            return self.path.open("a", encoding="utf-8", buffering=1)
        known = [_line([path, *said[:2], asdict(said[2])]) for path, said in self._known.items()]
        write_text(self.path, "".join([f"{self._first}\n", *known]))
        return self.path.open("a", encoding="utf-8", buffering=1)


def _line(said: list[Any]) -> str:
    return json.dumps([*said, digest_of(said)]) + "\n"


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
