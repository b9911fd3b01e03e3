"""Hashes of files, each file read once, and what may differ between a file and its record."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmark.files.sealed import file_sha256

__all__ = ["Hashes"]


class Hashes:
    """The SHA-256 of files below one folder.

    Attributes:
        root: the profile's folder.
        num_read: files read so far.
        num_bytes: of them.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.num_read = self.num_bytes = 0
        self._known: dict[Path, str] = {}

    def of(self, path: Path) -> str:
        """Return a file's SHA-256, an empty string if there is none."""
        if path not in self._known:
            there = path.is_file()
            self._known[path] = file_sha256(path) if there else ""
            self.num_read += there
            self.num_bytes += path.stat().st_size if there else 0
        return self._known[path]

    def faults(self, folder: Path, recorded: Mapping[str, str], record: Path) -> list[str]:
        """Return a sentence for each file that is not the recorded one.

        Args:
            folder: that the names of the record are relative to.
            recorded: SHA-256 by name.
            record: the file that holds them.
        """
        said = []
        for name, sha256 in recorded.items():
            found = self.of(folder / name)
            if found != sha256:
                fault = "is not the file that" if found else "is missing, which"
                said.append(f"{folder / name} {fault} {record} names")
        return said
