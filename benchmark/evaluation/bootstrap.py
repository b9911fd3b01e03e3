"""Uncertainty from the choice of videos: every run of a dataset is resampled in the same way.

Resamples are kept as multiplicities, so that the difference of two runs is paired resample by
resample, and so that a metric in a thousand resamples costs little more than in one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from benchmark.evaluation.metrics import Scores, Targets, correct_at_1, label_matrix
from benchmark.seeds import derive_seed

__all__ = ["dataset_resamples", "replicate_metric", "resamples"]

# Bounds the transposed weights of a block, and the sums of one class.
_BLOCK_BYTES = 1 << 26


def resamples(num_videos: int, num_replicates: int, seed: int) -> npt.NDArray[np.int32]:
    """Draw videos with replacement, and return how often each was drawn: `[B, N]`.

    A function of its arguments only, and the first replicates do not depend on how many follow.
    """
    generator = np.random.default_rng(derive_seed("bootstrap", num_videos, seed))
    multiplicities = np.empty((num_replicates, num_videos), dtype=np.int32)
    for row in multiplicities:
        row[:] = np.bincount(generator.integers(num_videos, size=num_videos), minlength=num_videos)
    return multiplicities


@lru_cache(maxsize=1)  # Runs follow each other by dataset, and those of large ones fill memory.
def dataset_resamples(
    dataset: str, video_ids: tuple[str, ...], num_replicates: int
) -> npt.NDArray[np.int32]:
    """Return the resamples that all runs of a dataset share: `[B, N]`, read-only.

    They depend on the names of the dataset and of the videos alone, so that nothing else that a
    manifest says about its videos can move an interval.

    Args:
        dataset: its name.
        video_ids: `[N]`, in the order of the rows.
        num_replicates: B; fewer are the first of more.
    """
    seed = derive_seed("bootstrap", dataset, *video_ids)
    multiplicities = resamples(len(video_ids), num_replicates, seed)
    multiplicities.flags.writeable = False
    return multiplicities


def replicate_metric(
    metric_name: Literal["map", "top1"],
    scores: Scores,
    targets: Targets,
    weights: npt.NDArray[np.int32],
) -> npt.NDArray[np.float64]:
    """Return the metric in each resample, as if the videos were repeated: `[B]`.

    A class that no video of a resample shows is left out of that resample's mean, the rule of
    `mean_average_precision`.

    Args:
        metric_name: the metric, by the rules of `benchmark.evaluation.metrics`.
        scores: `[N, C]`, finite.
        targets: `[N]` class indices, or `[N, C]` with 1 for each label of a video.
        weights: `[B, N]` multiplicities, from `resamples`.

    Raises:
        BenchmarkError: if there are no videos, or a score is not finite.
    """
    if metric_name == "top1":
        hits = weights @ correct_at_1(scores, targets).astype(np.int32)
        shares: npt.NDArray[np.float64] = hits / weights.sum(axis=1)
        return shares
    return _mean_average_precisions(scores, label_matrix(scores, targets), weights)


def _mean_average_precisions(
    scores: Scores, positives: npt.NDArray[np.bool_], weights: npt.NDArray[np.int32]
) -> npt.NDArray[np.float64]:
    num_replicates, num_videos = weights.shape
    kind = _smallest_exact(num_videos)
    # One row a video, so that a resample-wide sum of videos reads whole rows of memory.
    blocks = [
        np.ascontiguousarray(weights[part].T, dtype=kind)
        for part in _parts(num_replicates, kind.itemsize * num_videos)
    ]
    total = np.zeros(num_replicates)
    num_shown = np.zeros(num_replicates, dtype=np.int64)
    for c in np.flatnonzero(positives.any(axis=0)):
        average, shown = _average_precisions(scores[:, c], positives[:, c], blocks)
        total += average
        num_shown += shown
    result: npt.NDArray[np.float64] = total / np.maximum(num_shown, 1)
    return result


def _parts(num_replicates: int, bytes_each: int) -> list[slice]:
    """Cut resamples into parts that fit a block; none has one alone, which NumPy adds otherwise."""
    num_parts = -(-num_replicates // max(4, _BLOCK_BYTES // bytes_each))
    ends = np.linspace(0, num_replicates, num_parts + 1).astype(int).tolist()
    return [slice(start, end) for start, end in pairwise(ends)]


def _smallest_exact(num_videos: int) -> np.dtype[Any]:
    """Return the type whose sums of a resample's weights are exact, fastest first."""
    # A resample's weights add up to the number of videos.
    if num_videos < 1 << 16:
        return np.dtype(np.uint16)
    return np.dtype(np.float32 if num_videos < 1 << 24 else np.float64)


def _average_precisions(
    scores: Scores, positives: npt.NDArray[np.bool_], blocks: Sequence[npt.NDArray[Any]]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Return one class's average precision in each resample, and whether it is shown: `[B]`.

    The scores of the positives are the thresholds, highest first. Each video falls to the first
    threshold that its score reaches; sums of weights by threshold, accumulated, are the numbers
    retrieved, and the same of the positives alone the true positives.

    Args:
        scores: `[N]`.
        positives: `[N]`.
        blocks: the weights of some resamples each: `[N, b]`.
    """
    thresholds = np.unique(scores[positives])
    level = len(thresholds) - np.searchsorted(thresholds, scores, side="right")
    all_above = _membership(level, level < len(thresholds), len(thresholds), blocks[0].dtype)
    shown_above = _membership(level, positives, len(thresholds), blocks[0].dtype)
    average, num_positives = [], []
    for by_video in blocks:
        retrieved, gained = all_above @ by_video, shown_above @ by_video
        for part in _parts(by_video.shape[1], 8 * len(thresholds)):
            sums = np.asarray(retrieved[:, part]), np.asarray(gained[:, part])
            precise = _precision_gained(*sums)
            average.append(precise[0])
            num_positives.append(precise[1])
    return np.concatenate(average), np.concatenate(num_positives) > 0


def _precision_gained(
    retrieved: npt.NDArray[Any], gained: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return average precision and number of positives, `[B]`, from sums by level `[K, B]`."""
    retrieved = np.cumsum(retrieved, axis=0, dtype=np.float64)
    gained = np.ascontiguousarray(gained, dtype=np.float64)
    true_positives = np.cumsum(gained, axis=0)
    num_positives = true_positives[-1]
    # Nothing retrieved means nothing gained, and a class that is not shown adds 0.
    precision = np.divide(true_positives, np.maximum(retrieved, 1.0), out=retrieved)
    average = np.einsum("kb,kb->b", gained, precision) / np.maximum(num_positives, 1.0)
    return average, num_positives


def _membership(
    level: npt.NDArray[np.int64],
    chosen: npt.NDArray[np.bool_],
    num_levels: int,
    kind: np.dtype[Any],
) -> csr_array:
    """Return which of the chosen videos stands at which level: `[K, N]`."""
    videos = np.flatnonzero(chosen)
    shape = (num_levels, len(level))
    return csr_array((np.ones(len(videos), kind), (level[videos], videos)), shape=shape)
