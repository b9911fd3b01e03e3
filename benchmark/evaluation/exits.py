"""Exit rules on stored steps: thresholds, budgets, and the earliest correct step."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["correct_by_step", "earliest_correct_step", "first_above", "threshold_for_budget"]


def first_above(values: npt.NDArray[Any], threshold: float) -> npt.NDArray[np.int64]:
    """Return the 1-based step of each row whose value first passes the threshold, else the last.

    Args:
        values: `[N, S]`; NaN never passes. The last step always answers.
        threshold: a value must be greater.
    """
    passes = values > threshold
    passes[:, -1] = True
    result: npt.NDArray[np.int64] = passes.argmax(axis=1) + 1
    return result


def threshold_for_budget(values: npt.NDArray[Any], mean_steps: float) -> float:
    """Return the lowest threshold that keeps the mean exit step within a budget, or nearly so.

    Exit steps change only where the threshold crosses a stored value, and rise with it; of the two
    thresholds around the budget, that with the nearer mean is returned.

    Args:
        values: `[N, S]` exit values.
        mean_steps: the budget.
    """
    levels = np.unique(values[:, :-1][~np.isnan(values[:, :-1])]).astype(np.float64)
    levels = np.concatenate([[-np.inf], levels])

    def mean_at(index: int) -> float:
        return float(first_above(values, levels[index]).mean())

    low, high = 0, len(levels) - 1  # bisection on a non-decreasing function
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if mean_at(middle) <= mean_steps else (low, middle - 1)
    above = min(low + 1, len(levels) - 1)
    nearer = abs(mean_at(above) - mean_steps) < abs(mean_at(low) - mean_steps)
    return float(levels[above if nearer else low])


def correct_by_step(
    scores: npt.NDArray[np.float32], targets: npt.NDArray[Any]
) -> npt.NDArray[np.bool_]:
    """Return which steps rank every true label above every other: `[N, S]`.

    With one label this says whether the answer is right. A video without labels counts as correct.

    Args:
        scores: `[N, S, C]`.
        targets: `[N]` class indices or `[N, C]` 0/1.
    """
    if targets.ndim == 1:
        targets = np.eye(scores.shape[2], dtype=bool)[targets]
    positive = targets.astype(bool)
    negative = ~positive
    correct = np.empty(scores.shape[:2], dtype=bool)
    for step in range(scores.shape[1]):
        worst_true = scores[:, step].min(axis=1, where=positive, initial=np.inf)
        best_other = scores[:, step].max(axis=1, where=negative, initial=-np.inf)
        correct[:, step] = worst_true > best_other
    return correct


def earliest_correct_step(
    scores: npt.NDArray[np.float32], targets: npt.NDArray[Any]
) -> npt.NDArray[np.int64]:
    """Return the first step that `correct_by_step` calls correct, else the last: `[N]`.

    Args:
        scores: `[N, S, C]`.
        targets: `[N]` class indices or `[N, C]` 0/1.
    """
    return first_above(correct_by_step(scores, targets), 0.5)
