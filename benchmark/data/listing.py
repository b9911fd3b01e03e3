"""What the user says about the videos: a CSV with named columns, or a folder for each class.

Only names are read here, no video. All faults of a listing are raised together, each with its
file and line. The listings of published datasets end in the same checks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.config_data import OnDuplicate
from benchmark.data.manifest_checks import (
    SPLITS,
    Faults,
    check_ids,
    check_labels,
    check_sides,
    read_table,
)
from benchmark.errors import BenchmarkError, did_you_mean

__all__ = ["Columns", "Listing", "checked_listing", "list_csv", "list_folders", "on_one_side"]


@dataclass(frozen=True)
class Columns:
    """Names of the columns of a label file.

    Attributes:
        path: of the video, relative to the dataset's root.
        labels: one or several columns; a cell may hold several labels, '|' between them.
        video_id: the path without its suffix where None.
        split: says 'train' or 'val'.
        group: what must not stand on both sides: a camera, a recorded sequence.
    """

    path: str = "path"
    labels: tuple[str, ...] = ("label",)
    video_id: str | None = None
    split: str | None = None
    group: str | None = None


@dataclass(frozen=True, eq=False)
class Listing:
    """Checked names of videos.

    Attributes:
        rows: columns video_id, path, labels, split, group and place (for messages), as text, in
            the order of video_id; and is_there, false where a file was looked for in vain.
        classes: given, or all labels in alphabetical order.
        left_out: what was found in the lists, or on disk, and is no row: how many of what.
    """

    rows: pd.DataFrame
    classes: tuple[str, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)


def list_csv(
    csv: Path,
    columns: Columns,
    *,
    root: Path,
    single: bool,
    classes: Sequence[str] | None,
    num_folds: int,
) -> Listing:
    """Read a label file.

    Raises:
        BenchmarkError: naming every missing column, unknown label, duplicated id and bad split.
    """
    faults = Faults(csv)
    if not root.is_dir():
        faults.add("no such folder", where=root, fix="say where the videos lie")
    raw = read_table(csv)
    named = [columns.path, *columns.labels, columns.video_id, columns.split, columns.group]
    for name in named:
        if name is not None and name not in raw.columns:
            hint = did_you_mean(name, raw.columns)
            faults.add(f"no column '{name}'{hint}", where=f"{csv}:1", fix="name another column")
    if not set(filter(None, named)) <= set(raw.columns):
        faults.raise_any()
    lines = pd.Series(np.arange(len(raw)) + 2, index=raw.index)
    rows = pd.DataFrame(
        {
            "video_id": raw[columns.video_id or columns.path],
            "path": raw[columns.path],
            "labels": _joined(raw[list(columns.labels)]),
            "split": raw[columns.split] if columns.split else "",
            "group": raw[columns.group] if columns.group else "",
            "place": f"{csv}:" + lines.astype("str"),
        }
    )[(raw != "").any(axis=1)]
    if columns.video_id is None:
        rows["video_id"] = rows["path"].str.replace(r"\.[^./]*$", "", regex=True)
    faults.add_rows(rows["path"] == "", "the video has no path", rows["place"], "give it one")
    if columns.group:
        ungrouped = rows["group"] == ""
        faults.add_rows(ungrouped, "the video has no group", rows["place"], "give it one")
    return checked_listing(rows, faults, single=single, classes=classes, num_folds=num_folds)


def list_folders(
    root: Path, *, single: bool, classes: Sequence[str] | None, num_folds: int
) -> Listing:
    """List the files in a folder for each class, within `train/` and `val/` if these exist.

    Every file there is taken for a video, apart from hidden ones, so that a file that is none is
    named later instead of being passed over.

    Raises:
        BenchmarkError: if there is no such folder or no file in it, or a file stands outside
            the classes that were given.
    """
    faults = Faults(root)
    if not root.is_dir():
        raise BenchmarkError("no such folder", where=root, fix="say where the videos lie")
    has_splits = all((root / split).is_dir() for split in SPLITS)
    depth = "*/*/*" if has_splits else "*/*"
    paths = [
        path.relative_to(root)
        for path in sorted(root.glob(depth))
        if path.is_file() and not any(part.startswith(".") for part in path.parts[-3:])
    ]
    if not paths:
        raise BenchmarkError("no folder of this folder holds a file", where=root)
    rows = pd.DataFrame(
        {
            "video_id": [path.with_suffix("").as_posix() for path in paths],
            "path": [path.as_posix() for path in paths],
            "labels": [path.parent.name for path in paths],
            "split": [path.parts[0] if has_splits else "" for path in paths],
            "group": "",
            "place": [str(root / path) for path in paths],
        },
        dtype="str",
    )
    return checked_listing(rows, faults, single=single, classes=classes, num_folds=num_folds)


def _joined(cells: pd.DataFrame) -> pd.Series[str]:
    """Join label columns: distinct labels of each row, '|' between them, spaces cut off."""
    whole = cells.iloc[:, 0].str.cat(cells.iloc[:, 1:], sep="|")
    distinct = pd.Series(whole.unique())
    tidy = distinct.map(
        lambda cell: "|".join(dict.fromkeys(filter(None, map(str.strip, cell.split("|")))))
    )
    return whole.map(tidy.set_axis(distinct))


def on_one_side(rows: pd.DataFrame, on_duplicate: OnDuplicate) -> pd.DataFrame:
    """Keep videos that both sides list on the side that is preferred; with 'error' on both."""
    keep = {"keep_train": "train", "keep_first": "train", "keep_val": "val"}.get(on_duplicate)
    if keep is None:
        return rows
    kept = rows["split"] == keep
    return rows[kept | ~rows["video_id"].isin(rows["video_id"][kept])]


def checked_listing(
    rows: pd.DataFrame,
    faults: Faults,
    *,
    single: bool,
    classes: Sequence[str] | None,
    num_folds: int = 1,
    left_out: Mapping[str, int] | None = None,
) -> Listing:
    """Check ids, labels and sides, and return the listing in the order of its ids.

    Args:
        rows: as of `Listing`; without 'is_there', each file is looked for when it is read.
        faults: those found so far.
        single: whether a video has exactly one label.
        classes: in the order of scores; all labels in alphabetical order where None.
        num_folds: 1 where the column 'split' decides.
        left_out: how many of what are no rows; those of which there are none are not said.

    Raises:
        BenchmarkError: naming all faults.
    """
    if classes is None:
        classes = sorted(set(rows["labels"].str.split("|").explode().unique()) - {""})
    if "is_there" not in rows.columns:
        rows = rows.assign(is_there=True)
    check_ids(rows["video_id"], rows["place"], faults)
    check_labels(rows["labels"], rows["place"], classes, faults, single=single)
    check_sides(rows["split"], rows["place"], num_folds, faults)
    if len(set(classes)) < len(classes):
        faults.add("a class is listed twice", where="classes", fix="list each once")
    if rows.empty:
        faults.add("no videos")
    faults.raise_any()
    left_out = {what: number for what, number in (left_out or {}).items() if number}
    return Listing(rows.sort_values("video_id", ignore_index=True), tuple(classes), left_out)
