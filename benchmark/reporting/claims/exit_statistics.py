"""Statistics of the steps at which videos exit, each for one seed in many resamples."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from benchmark.reporting.figures.class_points import class_points
from benchmark.reporting.figures.exit_matrix import exit_matrix
from benchmark.step_records import StepRecords

__all__ = ["accuracy_slope", "class_rank_correlation", "gain_of_later", "loss_of_earlier"]

Floats = npt.NDArray[np.float64]
Weights = npt.NDArray[np.int32]
_LARGEST_CORRELATION = 0.9999  # its artanh is finite


def accuracy_slope(steps: StepRecords, targets: npt.NDArray[Any], weights: Weights) -> Floats:
    """Return the points of accuracy gained with each later exit step: `[B]`.

    Least squares over the videos, each at its own exit; NaN where all exit at one step.
    """
    num_exits, num_correct = exit_matrix(steps, targets, weights)
    right = np.einsum("btt->bt", num_correct)
    step = np.arange(num_exits.shape[1])
    total = num_exits.sum(axis=1, keepdims=True)
    centred = step - num_exits @ step[:, None] / total
    spread = (num_exits * centred**2).sum(axis=1)
    return 100 * _ratio((right * centred).sum(axis=1), spread)


def loss_of_earlier(steps: StepRecords, targets: npt.NDArray[Any], weights: Weights) -> Floats:
    """Return the points lost where the classifier of an earlier step answers: `[B]`.

    For each video the mean over all steps before its exit; videos that exit at the first step have
    none and are left out.
    """
    return -_mean_change(*exit_matrix(steps, targets, weights), later=False)


def gain_of_later(steps: StepRecords, targets: npt.NDArray[Any], weights: Weights) -> Floats:
    """Return the points gained where the classifier of a later step answers: `[B]`.

    For each video the mean over all steps after its exit; videos that exit at the last step have
    none and are left out.
    """
    return _mean_change(*exit_matrix(steps, targets, weights), later=True)


def class_rank_correlation(
    steps: StepRecords, targets: npt.NDArray[Any], weights: Weights
) -> Floats:
    """Return Spearman's correlation over classes of frames and average precision, artanh: `[B]`.

    A class that no video of a resample shows is left out of it.
    """
    frames, precisions = class_points(steps, targets, weights)
    ranks = [rankdata(values, axis=1, nan_policy="omit") for values in (frames, precisions)]
    x, y = (rank - np.nanmean(rank, axis=1, keepdims=True) for rank in ranks)
    spread = np.sqrt(np.nansum(x**2, axis=1) * np.nansum(y**2, axis=1))
    correlation = _ratio(np.nansum(x * y, axis=1), spread)
    return np.arctanh(np.clip(correlation, -_LARGEST_CORRELATION, _LARGEST_CORRELATION))


def _mean_change(num_exits: Floats, num_correct: Floats, *, later: bool) -> Floats:
    size = num_exits.shape[1]
    side = np.triu(np.ones((size, size)), 1) if later else np.tril(np.ones((size, size)), -1)
    others = side.sum(axis=1)  # steps on that side of each exit
    change = num_correct - np.einsum("btt->bt", num_correct)[:, :, None]
    of_each_exit = (change * side).sum(axis=2) / np.maximum(others, 1)
    return 100 * _ratio(of_each_exit.sum(axis=1), num_exits[:, others > 0].sum(axis=1))


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    empty = np.full_like(numerator, np.nan)
    return np.divide(numerator, denominator, out=empty, where=denominator > 1e-12)
