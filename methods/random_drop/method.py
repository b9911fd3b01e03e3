"""Random drop: a random subset of the frames, at the mean cost of FrameExit.

Recent work finds that many learned selections do not beat dropping at random (Lite, arXiv
2411.13626, for tokens); here it is the same question for frames. The classifiers are FrameExit's,
trained and tested in random order, so that any number of them belongs to a random subset.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.contract import ExitControl
from benchmark.step_records import StepRecords


@dataclass(frozen=True)
class Params:
    """Parameters.

    Attributes:
        num_frames: mean number of frames; 0 means as many as the run that the source names as its
            budget takes.
    """

    num_frames: float = 0.0


class Method(ExitControl):
    """Stops after the number of frames that the budget pays for, whatever was seen."""

    Params = Params

    def exit_steps(
        self, test: StepRecords, train: StepRecords | None, targets: npt.NDArray[Any], seed: int
    ) -> npt.NDArray[np.int64]:
        """Return the budget's whole part, or one more for a random share of the videos."""
        budget = self.params.num_frames or self.budget_steps or float(test.exit_step.mean())
        whole = int(budget)
        more = np.random.default_rng(seed).permutation(test.num_videos)
        steps = whole + (more < round((budget - whole) * test.num_videos))
        result: npt.NDArray[np.int64] = np.clip(steps, 1, test.num_steps).astype(np.int64)
        return result
