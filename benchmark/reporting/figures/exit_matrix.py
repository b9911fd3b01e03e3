"""Where videos exit, and how the classifier of every step would have answered them.

Figures 3 and 4 draw these counts; the claims about early and late exits are tested on them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.evaluation.exits import correct_by_step
from benchmark.step_records import StepRecords

__all__ = ["exit_matrix"]


def exit_matrix(
    steps: StepRecords, targets: npt.NDArray[Any], weights: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Count videos by exit step, and those of them that each classifier answers correctly.

    Args:
        steps: of N videos.
        targets: `[N]` class indices, or `[N, C]` 0/1.
        weights: `[B, N]`, how often each video counts.

    Returns:
        videos that exit at each step, `[B, T]`, and those of them (exit step, classifier) that
        are answered correctly, `[B, T, T]`.
    """
    correct = correct_by_step(steps.scores, targets)
    exits = steps.exit_step[:, None] == np.arange(1, steps.num_steps + 1)
    both = (exits[:, :, None] & correct[:, None, :]).reshape(steps.num_videos, -1)
    counted = weights.astype(np.float64)
    num_correct = counted @ both.astype(np.float64)
    size = (len(weights), steps.num_steps, steps.num_steps)
    return counted @ exits.astype(np.float64), num_correct.reshape(size)
