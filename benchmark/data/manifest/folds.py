"""Group k-fold: a camera or a recorded sequence is never on both sides of a split.

Largest group first, into the fold with the fewest videos: the rule of scikit-learn's GroupKFold,
with ties broken by name instead of by an unstable sort, so that every machine deals the same
folds. Stratified folds were not taken: they depend on the labels, so two labellings of the same
videos would be tested on different folds.
"""

from __future__ import annotations

import heapq

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmark.errors import BenchmarkError

__all__ = ["assign_folds"]


def assign_folds(groups: pd.Series[str], num_folds: int) -> npt.NDArray[np.int64]:
    """Return the fold in 0..num_folds - 1 in which each video is tested: `[N]`.

    Args:
        groups: `[N]`, the group of each video.
        num_folds: at least 2.

    Raises:
        BenchmarkError: if there are fewer groups than folds.
    """
    sizes = groups.value_counts()
    if len(sizes) < num_folds:
        raise BenchmarkError(
            f"{len(sizes)} groups cannot be dealt into {num_folds} folds",
            where="num_folds",
            fix=f"ask for at most {len(sizes)} folds, or name another group column",
        )
    lightest = [(0, fold) for fold in range(num_folds)]
    fold_of: dict[str, int] = {}
    for group, size in sorted(sizes.items(), key=lambda item: (-item[1], str(item[0]))):
        load, fold = heapq.heappop(lightest)
        fold_of[str(group)] = fold
        heapq.heappush(lightest, (load + int(size), fold))
    return np.asarray(groups.map(fold_of), dtype=np.int64)
