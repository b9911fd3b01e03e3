"""Building a manifest: what the user lists, joined with what the files are.

A second labelling of the same videos takes the facts about the files from the first manifest
(`base`), so no video is read twice.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from pathlib import Path
from typing import TypedDict, Unpack

import pandas as pd

from benchmark.config.datasets import OutsideRoot
from benchmark.config.roots import paths_outside
from benchmark.data.manifest.checks import COLUMNS, Faults
from benchmark.data.manifest.duplicates import OnDuplicate, resolve_duplicates
from benchmark.data.manifest.folds import assign_folds
from benchmark.data.manifest.listing import Columns, Listing, list_csv, list_folders
from benchmark.data.manifest.manifest import Manifest, Task
from benchmark.data.manifest.stray_files import without_strays
from benchmark.data.video_io.probe import FileFacts, Progress, probe_files
from benchmark.data.video_io.probe_cache import ProbeCache

__all__ = [
    "Building",
    "build_from_csv",
    "build_from_folders",
    "build_manifest",
    "check_learnable",
]

_FACTS = [fact.name for fact in fields(FileFacts)]
_MISSING = FileFacts(status="missing", reason="no such file")


class Building(TypedDict, total=False):
    """How files are read, and what may be wrong with them; all may be left out.

    Attributes:
        on_duplicate: what to do with the same video on both sides; 'error' if not given.
        max_unreadable_fraction: share of missing and unreadable videos to go on without; 0.
        base: a manifest of the same files, whose facts are taken over unread.
        workers: processes that read files; 1.
        progress: called with (files read, files to read).
        kept: keeps what has been read, in case that the job is killed.
        inspect: called with the manifest before it may be refused for its missing videos.
        outside_root: which files may lie outside the folder that their paths are relative to; none.
    """

    on_duplicate: OnDuplicate
    max_unreadable_fraction: float
    base: Manifest | None
    workers: int
    progress: Progress | None
    kept: ProbeCache | None
    inspect: Callable[[Manifest], None] | None
    outside_root: OutsideRoot


def build_from_csv(
    csv: Path,
    *,
    root: Path,
    columns: Columns,
    dataset: str,
    task: Task,
    classes: Sequence[str] | None = None,
    num_folds: int = 1,
    **building: Unpack[Building],
) -> Manifest:
    """Build a manifest from a label file.

    Args:
        csv: the label file, with a header.
        root: the folder that the paths are relative to.
        columns: which columns to read.
        dataset: name of the dataset.
        task: whether a video has one label or several.
        classes: in the order of scores; all labels in alphabetical order where None.
        num_folds: 1 to split by the column; more deals whole groups into folds.
        building: how files are read, and what may be wrong with them.

    Raises:
        BenchmarkError: naming all faults of the label file, or all unreadable videos over the
            limit, or all duplicates on both sides.
    """
    single = task == "single_label"
    listing = list_csv(csv, columns, root=root, single=single, classes=classes, num_folds=num_folds)
    return build_manifest(
        listing,
        root=root,
        dataset=dataset,
        task=task,
        num_folds=num_folds,
        **building,
    )


def build_from_folders(
    root: Path,
    *,
    dataset: str,
    classes: Sequence[str] | None = None,
    num_folds: int = 1,
    **building: Unpack[Building],
) -> Manifest:
    """Build a single-label manifest from `root/<class>/*` or `root/{train,val}/<class>/*`.

    With folds every video is a group of its own. Arguments and errors are those of
    `build_from_csv`.
    """
    listing = list_folders(root, single=True, classes=classes, num_folds=num_folds)
    return build_manifest(
        listing,
        root=root,
        dataset=dataset,
        task="single_label",
        num_folds=num_folds,
        **building,
    )


def build_manifest(
    listing: Listing,
    *,
    root: Path,
    dataset: str,
    task: Task,
    num_folds: int = 1,
    **building: Unpack[Building],
) -> Manifest:
    """Build a manifest from checked names of videos; arguments and errors of `build_from_csv`."""
    limit = building.get("max_unreadable_fraction", 0.0)
    listed = _with_facts(listing, root, building)
    further = _try_further_files(listed, listing.further, root, building)
    listed, left_out = without_strays(listed, listing.left_out, is_folder=listing.is_folder)
    # Folds depend on the listing alone, not on which of its files could be read.
    groups = listed["group"].where(listed["group"] != "", listed["video_id"])
    listed["fold"] = assign_folds(groups, num_folds) if num_folds > 1 else 0
    rows = listed[list(COLUMNS)].astype(dict(COLUMNS))
    rows, duplicates = resolve_duplicates(rows, num_folds, building.get("on_duplicate", "error"))
    manifest = Manifest(
        dataset=dataset,
        task=task,
        classes=listing.classes,
        num_folds=num_folds,
        root=root.absolute(),
        rows=rows,
        duplicates=duplicates,
        max_unreadable_fraction=limit,
        left_out=left_out,
        further_files=further,
    )
    inspect = building.get("inspect")
    if inspect is not None:
        inspect(manifest)
    _check_limit(listed, dataset, limit)
    return manifest


def _with_facts(listing: Listing, root: Path, building: Building) -> pd.DataFrame:
    """Join the listed rows with the facts about their files."""
    rows, base = listing.rows, building.get("base")
    inside = os.path.abspath(root)
    paths = rows["path"].map(lambda path: os.path.normpath(os.path.join(inside, path)))
    known = pd.DataFrame(columns=_FACTS)
    if base is not None:
        known = base.rows[_FACTS].copy()
        known.index = pd.Index([os.path.abspath(base.root / path) for path in base.rows["path"]])
        was_copy = known["status"] == "duplicate"
        known.loc[was_copy, ["status", "reason"]] = ["ok", ""]
        known = known[~known.index.duplicated()]
    asked = paths.drop_duplicates()
    asked = asked[~asked.isin(known.index)]
    _check_roots(rows.loc[asked.index], root, building.get("outside_root", "error"))
    there = rows["is_there"][asked.index]
    facts = _read([Path(path) for path in asked[there]], building)
    facts += [_MISSING] * int((~there).sum())
    values = attrgetter(*_FACTS)
    fresh = pd.DataFrame.from_records(
        [values(one) for one in facts],
        columns=_FACTS,
        index=pd.Index([*asked[there], *asked[~there]]),
    )
    all_facts = pd.concat([known, fresh]) if len(known) else fresh
    return rows.join(all_facts.loc[paths].reset_index(drop=True))


def _check_roots(rows: pd.DataFrame, root: Path, allowed: OutsideRoot) -> None:
    """Raise an error that names the files that may not be read, since they lie elsewhere."""
    outside = paths_outside(root, rows["path"], allowed)
    if not outside:
        return
    faults = Faults(root)
    reasons = rows["path"].map(outside).fillna("")
    fix = "move the file, correct the root, or set outside_root to links or to any"
    faults.add_rows(reasons != "", rows["path"] + ": " + reasons, rows["place"], fix)
    faults.raise_any()


def _read(paths: Sequence[Path], building: Building) -> list[FileFacts]:
    kept = building.get("kept")
    read = kept.probe_files if kept is not None else probe_files
    return read(paths, workers=building.get("workers", 1), progress=building.get("progress"))


def _try_further_files(
    rows: pd.DataFrame, further: Mapping[str, Sequence[str]], root: Path, building: Building
) -> dict[str, tuple[str, ...]]:
    """Give each unreadable file's place to the first of the same name that can be read.

    Returns:
        By the path of each file that is taken, the other files of its name.
    """
    beside = {path: tuple(others) for path, others in further.items()}
    unreadable = rows.index[(rows["status"] != "ok") & rows["path"].isin(list(further))]
    for row in unreadable:
        first = str(rows.loc[row, "path"])
        others = further[first]
        outside = paths_outside(root, others, building.get("outside_root", "error"))
        tried = [path for path in others if path not in outside]
        for path, facts in zip(tried, _read([root / p for p in tried], building), strict=True):
            if facts.status == "ok":
                rows.loc[row, ["path", *_FACTS]] = [path, *attrgetter(*_FACTS)(facts)]
                beside.pop(first, None)
                beside[path] = (first, *(other for other in others if other != path))
                break
    return dict(sorted(beside.items()))


def _check_limit(rows: pd.DataFrame, dataset: str, limit: float) -> None:
    """Raise an error that names missing and unreadable videos if there are too many."""
    bad = rows["status"] != "ok"
    num_bad = int(bad.sum())
    if num_bad <= limit * len(rows) and num_bad < len(rows):
        return
    faults = Faults(f"videos of '{dataset}'")
    faults.add_rows(bad, rows["path"] + ": " + rows["reason"], rows["place"], "")
    faults.add(
        f"{num_bad:,} of {len(rows):,} videos are missing or unreadable, the limit is {limit:.2%}",
        fix="mend or remove them, or raise max_unreadable_fraction",
    )
    faults.raise_any()


def check_learnable(manifest: Manifest) -> None:
    """Check that a benchmark can be made of a manifest's videos.

    Raises:
        BenchmarkError: if all classes are one, or a side of a split has no usable video.
    """
    faults = Faults(f"videos of '{manifest.dataset}'")
    if len(manifest.classes) == 1:
        what = f"'{manifest.classes[0]}' is the only class, so there is nothing to tell apart"
        faults.add(what, fix="list videos of at least two classes")
    for index in range(manifest.num_folds):
        for side, ids in zip(("train", "test"), manifest.fold(index), strict=True):
            if not ids:
                of_fold = f" of fold {index}" if manifest.num_folds > 1 else ""
                what = f"no usable video to {side} on{of_fold}"
                faults.add(what, fix="list videos of both sides, train and val, or use folds")
    faults.raise_any()
