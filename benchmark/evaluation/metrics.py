"""Accuracy as the papers report it, with every convention written down.

Two harnesses differ by points of mAP through tied scores, absent classes or interpolation alone.
Here average precision is not interpolated, tied scores form one threshold, and a class that no
video shows is left out of every mean over classes. Equal to scikit-learn, and tested against it.

Where classes have categories, as HVU's tags, 'mAP' has two meanings. The HVU paper's overall number
is the mean of six category mAPs; FrameExit does not say which it means. The headline here is the
mean over all classes: it is what the one average-precision class of FrameExit's released code
computes (utils/metrics.py, nanmean over classes), and what mAP means on the other datasets. The
mean over categories, in which a tag of a small category weighs more, is reported beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.errors import BenchmarkError

__all__ = [
    "average_precision",
    "average_precisions",
    "correct_at_1",
    "evaluate",
    "label_matrix",
    "macro_f1",
    "mean_average_precision",
    "top1",
]

Scores = npt.NDArray[np.floating[Any]]
Targets = npt.NDArray[np.integer[Any] | np.floating[Any] | np.bool_]

_MULTI_LABEL_THRESHOLD = 0.5


def evaluate(scores: Scores, targets: Targets, categories: Sequence[str] = ()) -> dict[str, float]:
    """Return 'map', 'top1' and 'macro_f1', with categories 'category_map' too, each in 0..1.

    Args:
        scores: `[N, C]`, finite, higher is more likely.
        targets: `[N]` class indices, or `[N, C]` with 1 for each label of a video.
        categories: `[C]`, of each class, or none.

    Raises:
        BenchmarkError: if there are no videos, or a score is not finite.
    """
    precisions = average_precisions(scores, targets)
    metrics = {
        "map": _mean_of_shown(precisions),
        "top1": top1(scores, targets),
        "macro_f1": macro_f1(scores, targets),
    }
    if categories:
        metrics["category_map"] = _mean_over_categories(precisions, categories)
    return metrics


def top1(scores: Scores, targets: Targets) -> float:
    """Return the share of videos whose highest score is the label, or one of the labels.

    For several labels a video this is hit@1, as in the released FrameExit code. Of tied scores
    the first class counts; a video without labels is never right.
    """
    return float(correct_at_1(scores, targets).mean())


def correct_at_1(scores: Scores, targets: Targets) -> npt.NDArray[np.bool_]:
    """Return for each video whether its highest score is right, by the rule of `top1`: `[N]`."""
    positives = label_matrix(scores, targets)
    correct: npt.NDArray[np.bool_] = positives[np.arange(len(scores)), scores.argmax(axis=1)]
    return correct


def average_precision(scores: Scores, positives: npt.NDArray[np.bool_]) -> float:
    """Return the non-interpolated average precision of one class, 0 without positives.

    The sum over thresholds of (recall gained) x (precision), as `average_precision_score` of
    scikit-learn. Recall grows at the scores of positives only, so those are the thresholds.

    Args:
        scores: `[N]`.
        positives: `[N]`, the videos that show the class.
    """
    if not positives.any():
        return 0.0
    thresholds, gained = np.unique(scores[positives], return_counts=True)
    retrieved = len(scores) - np.searchsorted(np.sort(scores), thresholds, side="left")
    true_positives = gained[::-1].cumsum()[::-1]
    return float((gained * (true_positives / retrieved)).sum() / gained.sum())


def average_precisions(scores: Scores, targets: Targets) -> npt.NDArray[np.float64]:
    """Return `average_precision` of each class, NaN of one that no video shows: `[C]`."""
    positives = label_matrix(scores, targets)
    values = np.full(positives.shape[1], np.nan)
    for c in np.flatnonzero(positives.any(axis=0)):
        values[c] = average_precision(scores[:, c], positives[:, c])
    return values


def mean_average_precision(scores: Scores, targets: Targets) -> float:
    """Return the mean of `average_precision` over the classes that at least one video shows.

    Without any label at all it is 0.
    """
    return _mean_of_shown(average_precisions(scores, targets))


def _mean_of_shown(precisions: npt.NDArray[np.float64]) -> float:
    shown = precisions[~np.isnan(precisions)]
    return float(np.mean(shown)) if len(shown) else 0.0


def _mean_over_categories(precisions: npt.NDArray[np.float64], categories: Sequence[str]) -> float:
    """Return the mean over categories of the mean over their classes, of those that are shown."""
    of_class = np.array(categories)
    assert len(of_class) == len(precisions), "each class has a category"
    shown = np.unique(of_class[~np.isnan(precisions)])
    means = [_mean_of_shown(precisions[of_class == category]) for category in shown]
    return float(np.mean(means)) if means else 0.0


def macro_f1(scores: Scores, targets: Targets) -> float:
    """Return the mean F1 over the classes that at least one video shows, 0 without any.

    The answer is the class with the highest score (the first of tied ones) if a video has one
    label, and every class with a score of at least 0.5 if it may have several.
    """
    positives = label_matrix(scores, targets)
    if targets.ndim == 1:
        answers = np.zeros_like(positives)
        answers[np.arange(len(scores)), scores.argmax(axis=1)] = True
    else:
        answers = scores >= _MULTI_LABEL_THRESHOLD
    shown = positives.any(axis=0)
    hits = (positives & answers).sum(axis=0)[shown]
    f1 = 2 * hits / (positives.sum(axis=0) + answers.sum(axis=0))[shown]
    return float(f1.mean()) if shown.any() else 0.0


def label_matrix(scores: Scores, targets: Targets) -> npt.NDArray[np.bool_]:
    """Return targets of either form as `[N, C]`, after checking what the metrics rely on.

    Raises:
        BenchmarkError: if there are no videos, or a score is not finite.
    """
    num_videos, num_classes = scores.shape
    assert len(targets) == num_videos, f"{len(targets)} targets for {num_videos} videos"
    if num_videos == 0:
        raise BenchmarkError("there is no video to evaluate", fix="check the validation split")
    broken = ~np.isfinite(scores).all(axis=1)
    if broken.any():
        raise BenchmarkError(
            f"{broken.sum()} of {num_videos} videos have scores that are not finite",
            fix="training diverged; lower the learning rate",
        )
    if targets.ndim == 2:
        return targets.astype(bool)
    matrix: npt.NDArray[np.bool_] = targets[:, None] == np.arange(num_classes)
    return matrix
