"""Which videos of a dataset are on disk: one walk over a folder, however many are asked for.

Annotation files name videos, not files. A stat for each of half a million names takes minutes on
a shared file system; the names in its folders are read in seconds.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmark.data.manifest.manifest import Manifest

__all__ = ["VIDEO_SUFFIXES", "VideoFiles", "located"]

VIDEO_SUFFIXES = (".mp4", ".mkv", ".webm", ".avi", ".mov", ".m4v", ".flv", ".3gp", ".mpg", ".mpeg")
"""Suffixes of the files that are taken for videos, in small or capital letters."""

_TIMES = re.compile(r"(.+)_\d{6}_\d{6}_?")


@dataclass(frozen=True, eq=False)
class VideoFiles:
    """Files of videos below a folder.

    Attributes:
        paths: relative to the folder, by the file's name without suffix. Of several files with a
            name this is the first in alphabetical order.
        further: the other files that have the name of a path, where there are any.
    """

    paths: Mapping[str, str]
    further: Mapping[str, tuple[str, ...]]

    @classmethod
    def below(cls, root: Path) -> VideoFiles:
        """Walk a folder, whatever its folders are called; links are followed, hidden names not."""
        paths, seen = list[str](), set[tuple[int, int]]()
        for folder, below, files in os.walk(root, followlinks=True):
            status = os.stat(folder)
            if (status.st_dev, status.st_ino) in seen:  # a link back to a folder above
                below.clear()
                continue
            seen.add((status.st_dev, status.st_ino))
            below[:] = [name for name in below if not name.startswith(".")]
            inside = os.path.relpath(folder, root)
            prefix = "" if inside == "." else Path(inside).as_posix() + "/"
            paths += [
                prefix + file
                for file in files
                if file.lower().endswith(VIDEO_SUFFIXES) and not file.startswith(".")
            ]
        return cls._named((_name(path), path) for path in sorted(paths))

    @classmethod
    def of(cls, manifest: Manifest, root: Path) -> VideoFiles:
        """Return the files that a manifest found, as they lie below a folder."""
        there = manifest.rows["path"][manifest.rows["status"] != "missing"].unique()
        inside = Path(os.path.relpath(manifest.root, root)).as_posix()
        prefix = "" if inside == "." else f"{inside}/"
        return cls._named((_name(path), path) for path in sorted(prefix + path for path in there))

    @classmethod
    def _named(cls, named: Iterable[tuple[str, str]]) -> VideoFiles:
        paths: dict[str, str] = {}
        further: dict[str, tuple[str, ...]] = {}
        for name, path in named:
            first = paths.setdefault(name, path)
            if first != path:
                further[first] = (*further.get(first, ()), path)
        return cls(paths, further)

    def without_times(self) -> VideoFiles:
        """Return the same files by their names up to `_000010_000020`, of those that have times."""
        found = ((_TIMES.fullmatch(name), path) for name, path in self.paths.items())
        return self._named((match[1], path) for match, path in found if match)

    def find(self, names: pd.Series[str]) -> pd.Series[str]:
        """Return the path of each name, empty where there is no such file: `[N]`."""
        paths = [self.paths.get(name, "") for name in names.tolist()]
        return pd.Series(paths, index=names.index, dtype="str")

    def further_of(self, found: pd.Series[str]) -> dict[str, tuple[str, ...]]:
        """Return the other files of the same name, by the path of each found one that has any."""
        paths = found.unique().tolist()
        return {path: self.further[path] for path in paths if path in self.further}


def _name(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[0]


def located(rows: pd.DataFrame, found: Sequence[pd.Series[str]]) -> pd.DataFrame:
    """Add the columns 'path' and 'is_there' of a listing.

    Args:
        rows: with a column video_id.
        found: paths under the first, second, … name that a file may have: `[N]` each, empty where
            there is none. The first that is there counts. A file that two rows find under
            different names, such as in seconds and in tenths, belongs to the first name's row.

    Returns:
        The rows; where no file is there, 'path' is the one that the id stands for.
    """
    path = pd.Series("", index=rows.index, dtype="str")
    rank = pd.Series(len(found), index=rows.index)
    for number, other in enumerate(found):
        new = (path == "") & (other != "")
        path, rank = path.where(~new, other), rank.where(~new, number)
    path = path.where(rank == rank.groupby(path).transform("min"), "")
    is_there = path != ""
    return rows.assign(path=path.where(is_there, rows["video_id"] + ".mp4"), is_there=is_there)
