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


def interval(value: float, replicates: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Return the 95 % percentile interval of a mean over seeds.

    A resample repeats videos, which raises average precision where a class has few of them: on 24
    videos the plain percentiles can all lie above the measured value. So the replicates give the
    spread, and the measured value is its centre.

    Args:
        value: what was measured, a metric or the difference of two runs.
        replicates: `[S, B]`, the same in each resample; with one seed, the videos alone vary.
    """
    num_seeds, num_replicates = replicates.shape
    draws = seed_draws(num_seeds, num_replicates)
    means = replicates[draws, np.arange(num_replicates)[:, None]].mean(axis=1)
    low, high = value + np.quantile(means - means.mean(), _LEVELS)
    return float(low), float(high)
