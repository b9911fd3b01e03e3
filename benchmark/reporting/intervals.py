"""Intervals from stored resamples: the rule that turns a difference into a claim, in one place.

Every run keeps its metric in the same B resamples of its dataset's videos. Seeds are resampled on
top, with draws that are fixed and shared by all rows, so that two rows stay paired in both.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmark.seeds import derive_seed

__all__ = ["interval", "seed_draws"]

_LEVELS = (0.025, 0.975)


def seed_draws(num_seeds: int, num_replicates: int) -> npt.NDArray[np.int64]:
    """Return which seeds each replicate averages over, drawn with replacement: `[B, S]`."""
    generator = np.random.default_rng(derive_seed("resampled seeds", num_seeds))
    return generator.integers(num_seeds, size=(num_replicates, num_seeds))


def interval(replicates: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Return the 95 % percentile interval of the mean over seeds.

    Args:
        replicates: `[S, B]`, of a metric or of the difference of two runs; with one seed, the
            videos alone vary.
    """
    num_seeds, num_replicates = replicates.shape
    draws = seed_draws(num_seeds, num_replicates)
    means = replicates[draws, np.arange(num_replicates)[:, None]].mean(axis=1)
    low, high = np.quantile(means, _LEVELS)
    return float(low), float(high)
