"""The record of what the generator wrote: the digest of every video and of both lists."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmark.errors import DamagedFileError, raise_all
from benchmark.files.sealed import again, check_file, file_sha256, read_sealed, write_sealed

__all__ = ["check_generated", "check_list", "check_lists", "discard_damaged_videos", "write_record"]

_RECORD = "digests.json"
_LISTS = ("labels.csv", "truth.jsonl")


def write_record(folder: Path, videos: Iterable[Path], lists: Mapping[str, str]) -> None:
    """Write the digests of videos that are there, and of lists by the text that they will hold.

    Args:
        folder: of the set.
        videos: paths below the folder.
        lists: text by name.
    """
    texts = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in lists.items()}
    found = {path.as_posix(): file_sha256(folder / path) for path in videos}
    write_sealed(folder / _RECORD, {**texts, "videos": found})


def discard_damaged_videos(folder: Path) -> None:
    """Delete videos that are not as they were written, so that they are written again."""
    if not (folder / _RECORD).is_file():
        return
    try:
        videos = _read(folder)["videos"]
    except DamagedFileError:
        return  # what is there is recorded anew
    for name, sha256 in videos.items():
        path = folder / name
        if path.is_file() and file_sha256(path) != sha256:
            path.unlink()


def check_list(path: Path) -> None:
    """Compare `labels.csv` or `truth.jsonl` with the record beside it.

    Raises:
        DamagedFileError: if the list or the record is missing or was changed.
    """
    sha256 = _read(path.parent).get(path.name)
    check_file(path, sha256, record=path.with_name(_RECORD), fix=_again(path.parent))


def check_lists(folder: Path) -> None:
    """Compare both lists with the record, see `check_list`."""
    for name in _LISTS:
        check_list(folder / name)


def check_generated(folder: Path) -> None:
    """Compare both lists, and all videos that are still there, with the record.

    Raises:
        DamagedFileError or BenchmarkError: naming all that was changed.
    """
    check_lists(folder)
    faults = [
        DamagedFileError(
            "the video was changed after it was written", where=path, fix=_again(folder)
        )
        for name, sha256 in _read(folder)["videos"].items()
        if (path := folder / name).is_file() and file_sha256(path) != sha256
    ]
    raise_all(faults, str(folder))


def _read(folder: Path) -> dict[str, Any]:
    return read_sealed(folder / _RECORD, "set of built-in videos", _again(folder))


def _again(folder: Path) -> str:
    return again(folder / _LISTS[0])
