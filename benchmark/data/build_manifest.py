"""Building a manifest: what the user lists, joined with what the files are.

A second labelling of the same videos takes the facts about the files from the first manifest
(`base`), so no video is read twice.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

import pandas as pd

from benchmark.data.duplicates import OnDuplicate, resolve_duplicates
from benchmark.data.folds import assign_folds
from benchmark.data.listing import Columns, Listing, list_csv, list_folders
from benchmark.data.manifest import Manifest, Task
from benchmark.data.manifest_checks import COLUMNS
from benchmark.data.probe import FileFacts, Progress, probe_files
from benchmark.errors import BenchmarkError, raise_all

__all__ = ["build_from_csv", "build_from_folders"]

_FACTS = [fact.name for fact in fields(FileFacts)]


def build_from_csv(
    csv: Path,
    *,
    root: Path,
    columns: Columns,
    dataset: str,
    task: Task,
    classes: Sequence[str] | None = None,
    num_folds: int = 1,
    on_duplicate: OnDuplicate = "error",
    max_unreadable_fraction: float = 0.0,
    base: Manifest | None = None,
    workers: int = 1,
    progress: Progress | None = None,
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
        on_duplicate: what to do with the same video on both sides.
        max_unreadable_fraction: share of missing and unreadable videos to go on without.
        base: a manifest of the same files, whose facts are taken over unread.
        workers: processes that read files.
        progress: called with (files read, files to read).

    Raises:
        BenchmarkError: naming all faults of the label file, or all unreadable videos over the
            limit, or all duplicates on both sides.
    """
    listing = list_csv(
        csv,
        columns,
        root=root,
        single=task == "single_label",
        classes=classes,
        num_folds=num_folds,
    )
    return _assembled(
        listing,
        _with_facts(listing, root, base, workers, progress),
        root=root,
        dataset=dataset,
        task=task,
        num_folds=num_folds,
        on_duplicate=on_duplicate,
        max_unreadable_fraction=max_unreadable_fraction,
    )


def build_from_folders(
    root: Path,
    *,
    dataset: str,
    classes: Sequence[str] | None = None,
    num_folds: int = 1,
    on_duplicate: OnDuplicate = "error",
    max_unreadable_fraction: float = 0.0,
    workers: int = 1,
    progress: Progress | None = None,
) -> Manifest:
    """Build a single-label manifest from `root/<class>/*` or `root/{train,val}/<class>/*`.

    With folds every video is a group of its own. Arguments and errors are those of
    `build_from_csv`.
    """
    listing = list_folders(root, single=True, classes=classes, num_folds=num_folds)
    return _assembled(
        listing,
        _with_facts(listing, root, None, workers, progress),
        root=root,
        dataset=dataset,
        task="single_label",
        num_folds=num_folds,
        on_duplicate=on_duplicate,
        max_unreadable_fraction=max_unreadable_fraction,
    )


def _with_facts(
    listing: Listing,
    root: Path,
    base: Manifest | None,
    workers: int,
    progress: Progress | None,
) -> pd.DataFrame:
    """Join the listed rows with the facts about their files."""
    paths = [os.path.abspath(root / path) for path in listing.rows["path"]]
    known = pd.DataFrame(columns=_FACTS)
    if base is not None:
        known = base.rows[_FACTS].copy()
        known.index = pd.Index([os.path.abspath(base.root / path) for path in base.rows["path"]])
        was_copy = known["status"] == "duplicate"
        known.loc[was_copy, ["status", "reason"]] = ["ok", ""]
        known = known[~known.index.duplicated()]
    unread = [path for path in dict.fromkeys(paths) if path not in known.index]
    facts = probe_files([Path(path) for path in unread], workers=workers, progress=progress)
    fresh = pd.DataFrame([asdict(one) for one in facts], columns=_FACTS, index=unread)
    all_facts = pd.concat([known, fresh]) if len(known) else fresh
    return listing.rows.join(all_facts.loc[paths].reset_index(drop=True))


def _assembled(
    listing: Listing,
    rows: pd.DataFrame,
    *,
    root: Path,
    dataset: str,
    task: Task,
    num_folds: int,
    on_duplicate: OnDuplicate,
    max_unreadable_fraction: float,
) -> Manifest:
    _check_limit(rows, max_unreadable_fraction)
    # Folds depend on the listing alone, not on which of its files could be read.
    groups = rows["group"].where(rows["group"] != "", rows["video_id"])
    rows["fold"] = assign_folds(groups, num_folds) if num_folds > 1 else 0
    rows = rows[list(COLUMNS)].astype(dict(COLUMNS))
    rows, duplicates = resolve_duplicates(rows, num_folds, on_duplicate)
    return Manifest(
        dataset=dataset,
        task=task,
        classes=listing.classes,
        num_folds=num_folds,
        root=root.absolute(),
        rows=rows,
        duplicates=duplicates,
        max_unreadable_fraction=max_unreadable_fraction,
    )


def _check_limit(rows: pd.DataFrame, limit: float) -> None:
    """Raise an error that names every missing or unreadable video if there are too many."""
    bad = rows[rows["status"] != "ok"]
    if len(bad) <= limit * len(rows) and len(bad) < len(rows):
        return
    faults = [
        BenchmarkError(f"{path}: {reason}", where=place)
        for place, path, reason in zip(bad["place"], bad["path"], bad["reason"], strict=True)
    ]
    faults.append(
        BenchmarkError(
            f"{len(bad)} of {len(rows)} videos are missing or unreadable, the limit is {limit:.2%}",
            fix="mend or remove them, or raise max_unreadable_fraction",
        )
    )
    raise_all(faults, f"videos of {rows['place'].iloc[0].rpartition(':')[0] or 'the listing'}")
