"""The manifest: one row a video, what is known of it, and on which side of each split it stands.

Everything after it trusts the manifest, so it is checked as a whole when it is read, and a video
that cannot be used stays in it with its reason: nothing is dropped in silence. Two files:
`manifest.csv` holds the rows, `manifest.json` beside it what concerns all of them.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import BaseModel, ConfigDict

from benchmark.data.manifest.checks import COLUMNS, STATUSES, check_rows, read_table
from benchmark.data.manifest.labels import Labels, encode_labels
from benchmark.errors import BenchmarkError, DamagedFileError
from benchmark.files.sealed import again, file_sha256, read_sealed_model, write_sealed
from benchmark.files.writing import digest_of, replace_when_complete

__all__ = ["Duplicate", "Manifest", "ManifestHeader", "Task", "read_manifest", "write_manifest"]

Task = Literal["single_label", "multi_label"]

_ROWS_AT_ONCE = 1 << 15


class Duplicate(BaseModel):
    """Videos with the same bytes: the one that is kept, and the others."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kept: str
    dropped: tuple[str, ...]
    both_sides: bool
    labels_differ: bool


class ManifestHeader(BaseModel):
    """What `manifest.json` says; `root` is relative to its folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[3] = 3
    dataset: str
    task: Task
    classes: tuple[str, ...]
    root: str
    num_folds: int
    max_unreadable_fraction: float
    counts: dict[str, int]
    duplicates: tuple[Duplicate, ...]
    left_out: dict[str, int] = {}
    lists: tuple[str, ...] = ()
    digest: str


@dataclass(frozen=True, eq=False)
class Manifest:
    """The videos of one dataset under one labelling.

    Attributes:
        classes: names of the classes, in the order of targets and scores.
        num_folds: 1 where the column `split` says which videos are trained on.
        root: the folder that `path` is relative to.
        rows: a row a video in the order of `video_id`; the columns are `manifest_checks.COLUMNS`.
        duplicates: videos of the same bytes.
        max_unreadable_fraction: share of missing and unreadable videos that a run may do without.
        left_out: what stood in the lists, or on disk, and is no row: how many of what.
        lists: SHA-256 of the files that it was built from, where a profile names them.
        further_files: by the path of a video, other files of its name, which are not used; known
            only to who has built the manifest.
    """

    dataset: str
    task: Task
    classes: tuple[str, ...]
    num_folds: int
    root: Path
    rows: pd.DataFrame
    duplicates: tuple[Duplicate, ...] = ()
    max_unreadable_fraction: float = 0.0
    left_out: Mapping[str, int] = field(default_factory=dict)
    lists: tuple[str, ...] = ()
    further_files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """Return what changes with any row, class or fold, and not with the folder."""
        whole = hashlib.sha256()
        for part in _csv_of(self.rows):
            whole.update(part)
        return self.digest_with(whole.hexdigest())

    def digest_with(self, sha256: str) -> str:
        """Return the digest if the rows as CSV have this SHA-256."""
        return digest_of([self.dataset, self.task, self.classes, self.num_folds, sha256])

    @property
    def categories(self) -> tuple[str, ...]:
        """The category of each class, where all classes are called 'category/tag'; else none."""
        parts = [name.split("/", 1) for name in self.classes]
        return tuple(part[0] for part in parts) if all(len(p) == 2 for p in parts) else ()

    def usable(self, *columns: str) -> pd.DataFrame:
        """Return the rows of the videos that can be read and are not copies of others.

        Args:
            columns: those that are needed, all by default; of many videos a copy is large.
        """
        return self.rows.loc[self.rows["status"] == "ok", list(columns or COLUMNS)]

    def fold(self, index: int) -> tuple[list[str], list[str]]:
        """Return the ids of the usable videos to train on, and of those to test on.

        Raises:
            BenchmarkError: if there is no such fold.
        """
        if not 0 <= index < self.num_folds:
            raise BenchmarkError(
                f"no fold {index}: '{self.dataset}' has {self.num_folds}, counted from 0",
                where="fold",
            )
        usable = self.usable("video_id", "split", "fold")
        tested = usable["split"] == "val" if self.num_folds == 1 else usable["fold"] == index
        return usable["video_id"][~tested].tolist(), usable["video_id"][tested].tolist()

    def labels(self, ids: list[str]) -> Labels:
        """Return the labels of some videos, from which targets are made a batch at a time.

        Raises:
            BenchmarkError: if an id is not in the manifest.
        """
        at = pd.Index(self.rows["video_id"]).get_indexer(pd.Index(ids))
        if (at < 0).any():
            unknown = ids[int(np.argmax(at < 0))]
            raise BenchmarkError(f"no video '{unknown}' in the manifest of '{self.dataset}'")
        several = self.task == "multi_label"
        return encode_labels(self.rows["labels"].iloc[at], self.classes, multi_label=several)

    def targets(self, ids: list[str]) -> npt.NDArray[np.int64] | npt.NDArray[np.float32]:
        """Return `[N]` int64 class indices, or `[N, C]` float32 of 0 and 1 for multi_label.

        Raises:
            BenchmarkError: if an id is not in the manifest.
        """
        return self.labels(ids).targets(np.arange(len(ids)))

    def counts(self) -> dict[str, int]:
        """Return the number of videos in all and by status."""
        found = self.rows["status"].value_counts()
        by_status = {status: int(found.get(status, 0)) for status in STATUSES}
        return {"videos": len(self.rows), **by_status}


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write `manifest.csv` at `path` and the header beside it, each whole or not at all."""
    whole = hashlib.sha256()
    with replace_when_complete(path) as partial, partial.open("wb") as file:
        for part in _csv_of(manifest.rows):
            file.write(part)
            whole.update(part)
    header = ManifestHeader(
        dataset=manifest.dataset,
        task=manifest.task,
        classes=manifest.classes,
        root=Path(os.path.relpath(manifest.root, path.parent)).as_posix(),
        num_folds=manifest.num_folds,
        max_unreadable_fraction=manifest.max_unreadable_fraction,
        counts=manifest.counts(),
        duplicates=manifest.duplicates,
        left_out=dict(manifest.left_out),
        lists=manifest.lists,
        digest=manifest.digest_with(whole.hexdigest()),
    )
    write_sealed(path.with_suffix(".json"), header)


def read_manifest(path: Path) -> Manifest:
    """Read and check a manifest.

    Args:
        path: of `manifest.csv`; the header `manifest.json` stands beside it.

    Raises:
        BenchmarkError: naming all faults of the file, each with its line.
    """
    fix = f"{again(path)}, or build it with `python -m benchmark manifest`"
    header = read_sealed_model(path.with_suffix(".json"), ManifestHeader, "manifest", fix)
    if not path.is_file():
        raise DamagedFileError("no such manifest", where=path, fix=fix)
    raw = read_table(path)
    rows = check_rows(
        raw, path, header.classes, header.num_folds, single=header.task == "single_label"
    )
    manifest = Manifest(
        dataset=header.dataset,
        task=header.task,
        classes=header.classes,
        num_folds=header.num_folds,
        root=Path(os.path.normpath(path.absolute().parent / header.root)),
        rows=rows,
        duplicates=header.duplicates,
        max_unreadable_fraction=header.max_unreadable_fraction,
        left_out=header.left_out,
        lists=header.lists,
    )
    if manifest.digest_with(file_sha256(path)) == header.digest:
        vars(manifest)["digest"] = header.digest  # need not be worked out from the rows
    elif manifest.digest != header.digest:
        raise DamagedFileError(
            f"the rows have digest {manifest.digest}, the header says {header.digest}: "
            "one of the two files was changed",
            where=path,
            fix=fix,
        )
    return manifest


def _csv_of(rows: pd.DataFrame) -> Iterator[bytes]:
    """Yield the CSV in parts of some megabytes."""
    for start in range(0, max(len(rows), 1), _ROWS_AT_ONCE):
        part = rows.iloc[start : start + _ROWS_AT_ONCE]
        text = part.to_csv(
            index=False, header=start == 0, columns=list(COLUMNS), lineterminator="\n"
        )
        yield text.encode()
