"""Exact duplicates: the same bytes under two names, which must not be trained and tested on."""

from __future__ import annotations

import pandas as pd

from benchmark.config.datasets import OnDuplicate
from benchmark.data.manifest.manifest import Duplicate
from benchmark.errors import BenchmarkError, raise_all

__all__ = ["OnDuplicate", "resolve_duplicates"]


def resolve_duplicates(
    rows: pd.DataFrame, num_folds: int, on_duplicate: OnDuplicate
) -> tuple[pd.DataFrame, tuple[Duplicate, ...]]:
    """Keep one of the readable videos with the same bytes, and mark the others.

    On one side of the split the first id is kept. 'keep_train' and 'keep_val' say which side
    keeps what stands on both; 'keep_first' keeps the first id, whatever its side or fold.

    Args:
        rows: of a manifest, in the order of video_id.
        num_folds: 1 where `split` tells the sides apart, else `fold` does.
        on_duplicate: what to do with duplicates on both sides.

    Returns:
        The rows, those not kept with status 'duplicate', and what was found.

    Raises:
        BenchmarkError: naming each pair on both sides, if `on_duplicate` is 'error'.
    """
    if num_folds > 1 and on_duplicate in ("keep_train", "keep_val"):
        raise BenchmarkError(
            f"'{on_duplicate}' means nothing with {num_folds} folds: each side trains and tests",
            where="on_duplicate",
            fix="use keep_first",
        )
    side = "split" if num_folds == 1 else "fold"
    readable = rows[rows["status"] == "ok"]
    copies = readable[readable["sha256"].duplicated(keep=False)]
    faults: list[BenchmarkError] = []
    found: list[Duplicate] = []
    kept_of: dict[object, str] = {}
    for _, same in copies.groupby("sha256", sort=False):
        both_sides = same[side].nunique() > 1
        if both_sides and on_duplicate == "error":
            names = ", ".join(same["video_id"] + " (" + side + " " + same[side].map(str) + ")")
            faults.append(BenchmarkError(f"the same video on both sides: {names}"))
            continue
        preferred = same[same[side] == on_duplicate.removeprefix("keep_")]
        kept = (preferred if both_sides and len(preferred) else same).index[0]
        kept_id = str(rows["video_id"][kept])
        dropped = same.drop(index=kept)
        kept_of.update(dict.fromkeys(dropped.index, kept_id))
        found.append(
            Duplicate(
                kept=kept_id,
                dropped=tuple(dropped["video_id"]),
                both_sides=both_sides,
                labels_differ=same["labels"].nunique() > 1,
            )
        )
    if faults:
        fix = "say in on_duplicate which one is kept: keep_first, keep_train or keep_val"
        faults.append(BenchmarkError("no side was named that keeps them", fix=fix))
    raise_all(faults, "duplicate videos")
    rows = rows.copy()
    rows.loc[list(kept_of), "status"] = "duplicate"
    rows.loc[list(kept_of), "reason"] = [f"same bytes as {kept}" for kept in kept_of.values()]
    return rows, tuple(found)
