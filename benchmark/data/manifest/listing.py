"""What the user says about the videos: a CSV with named columns, or a folder for each class.

Only names are read here, no video. All faults of a listing are raised together, each with its
file and line. The listings of published datasets end in the same checks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from benchmark.config.datasets import OnDuplicate
from benchmark.data.manifest.checks import (
    SPLITS,
    Faults,
    check_alike,
    check_ids,
    check_labels,
    check_sides,
)
from benchmark.data.manifest.csv_files import read_csv_columns
from benchmark.data.manifest.stray_files import named_by_reason, why_no_video
from benchmark.errors import BenchmarkError

__all__ = [
    "Columns",
    "Listing",
    "checked_listing",
    "list_csv",
    "list_folders",
    "on_one_side",
]


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
        further: by the path of a row, other files of the same name, which are tried in turn if
            that one cannot be read.
        is_folder: whether all files of a folder are listed, so that one which proves to be no
            video is left out, while one that a list names is a fault.
    """

    rows: pd.DataFrame
    classes: tuple[str, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)
    further: Mapping[str, Sequence[str]] = field(default_factory=dict)
    is_folder: bool = False


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
    named = [columns.path, *columns.labels, columns.video_id, columns.split, columns.group]
    needed = list(dict.fromkeys(filter(None, named)))
    table = read_csv_columns(csv, needed, faults, fix="name another column")
    if table is None:
        faults.raise_any()
        raise AssertionError("a missing column is a fault")
    raw = table.rows
    rows = pd.DataFrame(
        {
            "video_id": raw[columns.video_id or columns.path],
            "path": raw[columns.path],
            "labels": _joined(raw[list(columns.labels)]),
            "split": raw[columns.split] if columns.split else "",
            "group": raw[columns.group] if columns.group else "",
            "place": table.places,
        },
        dtype="str",
    )
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

    Hidden files are passed over. What has no video's suffix is looked at, and left out by name if
    it cannot be opened as a video: the pictures, texts and subtitles that stand beside videos from
    the web. What has such a suffix is listed, so that a damaged video is named later. Files of a
    folder whose names differ in their suffix alone are one video.

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
    reasons = {path: reason for path in paths if (reason := why_no_video(root / path))}
    paths = [path for path in paths if path not in reasons]
    if not paths:
        raise BenchmarkError("no folder of this folder holds a video", where=root)
    of_name: dict[str, list[Path]] = {}
    for path in paths:
        of_name.setdefault(path.with_suffix("").as_posix(), []).append(path)
    firsts = [same[0] for same in of_name.values()]
    rows = pd.DataFrame(
        {
            "video_id": list(of_name),
            "path": [path.as_posix() for path in firsts],
            "labels": [path.parent.name for path in firsts],
            "split": [path.parts[0] if has_splits else "" for path in firsts],
            "group": "",
            "place": [str(root / path) for path in firsts],
        },
        dtype="str",
    )
    further = {
        same[0].as_posix(): [path.as_posix() for path in same[1:]]
        for same in of_name.values()
        if len(same) > 1
    }
    listing = checked_listing(
        rows, faults, single=single, classes=classes, num_folds=num_folds, further=further
    )
    left_out = named_by_reason({path.as_posix(): reason for path, reason in reasons.items()})
    return replace(listing, left_out={**listing.left_out, **left_out}, is_folder=True)


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
    further: Mapping[str, Sequence[str]] | None = None,
) -> Listing:
    """Check ids, labels and sides, and return the listing in the order of its ids.

    Args:
        rows: as of `Listing`; without 'is_there', each file is looked for when it is read.
        faults: those found so far.
        single: whether a video has exactly one label.
        classes: in the order of scores; all labels in alphabetical order where None.
        num_folds: 1 where the column 'split' decides.
        left_out: how many of what are no rows; those of which there are none are not said.
        further: as of `Listing`.

    Raises:
        BenchmarkError: naming all faults.
    """
    are_listed = classes is not None
    if classes is None:
        classes = sorted(set(rows["labels"].str.split("|").explode().unique()) - {""})
    if "is_there" not in rows.columns:
        rows = rows.assign(is_there=True)
    check_ids(rows["video_id"], rows["place"], faults)
    check_labels(rows["labels"], rows["place"], classes, faults, single=single)
    check_sides(rows["split"], rows["place"], num_folds, faults)
    if len(set(classes)) < len(classes):
        faults.add("a class is listed twice", where="classes", fix="list each once")
    # Whoever lists classes may mean two that differ in capital letters; found labels never do.
    check_alike(set(classes), "labels", faults, any_case=not are_listed)
    check_alike(set(rows["group"]), "groups", faults, any_case=False)
    if rows.empty:
        faults.add("no videos", fix="list at least one for each side of the split")
    faults.raise_any()
    further = further or {}
    num_further = sum(map(len, further.values()))
    left_out = {**(left_out or {}), "further files of the same name": num_further}
    left_out = {what: number for what, number in left_out.items() if number}
    rows = rows.sort_values("video_id", ignore_index=True)
    return Listing(rows, tuple(classes), left_out, further)
