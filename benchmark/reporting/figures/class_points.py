"""Frames and average precision of each class: Figure 5 draws them, a claim is tested on them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.evaluation.bootstrap import replicate_metric
from benchmark.evaluation.metrics import label_matrix
from benchmark.step_records import StepRecords

__all__ = ["class_points"]


def class_points(
    steps: StepRecords, targets: npt.NDArray[Any], weights: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the mean frames of each class's videos, and its average precision: `[B, C]` each.

    Both are NaN for a class that no video shows.

    Args:
        steps: of N videos.
        targets: `[N]` class indices, or `[N, C]` 0/1.
        weights: `[B, N]`, how often each video counts.
    """
    scores = steps.exit_scores()
    positives = label_matrix(scores, targets.astype(np.int64))
    num_positives = (weights @ positives.astype(np.int32)).astype(np.float64)
    num_positives[num_positives == 0] = np.nan
    frames = (weights * steps.frames_at_exit()) @ positives.astype(np.int64) / num_positives
    precisions = [
        replicate_metric("map", scores[:, [c]], positives[:, [c]], weights)
        for c in range(positives.shape[1])
    ]
    shown = np.isfinite(num_positives)
    return frames, np.where(shown, np.stack(precisions, axis=1), np.nan)
