"""Facts about files that a manifest job has read, so that the next one need not.

Hashing half a million videos takes hours. Each file's facts are appended as soon as they are known,
with its size and time of change; a file of another size or time is read again. So a job that was
killed reads on, and one that is repeated for other labels or other code reads nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

from benchmark.data.probe import FileFacts, Progress, probe_files
from benchmark.files import digest_of_files

__all__ = ["KeptFacts"]


class KeptFacts:
    """Reads files, and keeps what is known of them beside the manifest.

    Args:
        manifest: the path of the manifest to be.
    """

    def __init__(self, manifest: Path) -> None:
        self.path = manifest.with_suffix(".facts.jsonl")
        # Facts that other code has read may be other facts.
        self._first = digest_of_files([Path(__file__).with_name("probe.py")])
        self._known: dict[str, tuple[int, int, FileFacts]] = {}

    def probe_files(
        self, paths: Sequence[Path], *, workers: int, progress: Progress | None
    ) -> list[FileFacts]:
        """Return the facts about each file, reading those that are not known."""
        self._load()
        found: dict[Path, FileFacts] = {}
        stamps = {path: _stamp(path) for path in paths}
        for path, stamp in stamps.items():
            known = self._known.get(str(path))
            if known is not None and known[:2] == stamp:
                found[path] = known[2]
        unread = [path for path in stamps if path not in found]
        if progress is not None and found:
            progress(len(found), len(stamps))
        with self._opened() as record:

            def keep(path: Path, facts: FileFacts) -> None:
                found[path] = facts
                stamp = stamps[path]
                if stamp is not None and facts.status != "missing":
                    record.write(json.dumps([str(path), *stamp, asdict(facts)]) + "\n")
                if progress is not None:
                    progress(len(found), len(stamps))

            probe_files(unread, workers=workers, keep=keep)
        return [found[path] for path in paths]

    def _load(self) -> None:
        """Read what an earlier job left; its last line may be cut short."""
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except OSError:
            return
        for line in lines[1:] if lines[:1] == [self._first] else []:
            try:
                path, size, changed_ns, facts = json.loads(line)
                self._known[path] = (size, changed_ns, FileFacts(**facts))
            except (ValueError, TypeError):
                continue

    def _opened(self) -> TextIO:
        """Open the record to go on, or anew where nothing in it is of use."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        record = self.path.open("a" if self._known else "w", encoding="utf-8", buffering=1)
        record.write("\n" if self._known else f"{self._first}\n")  # ends a line that was cut short
        return record


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
