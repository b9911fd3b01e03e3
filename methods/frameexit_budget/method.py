"""FrameExit at a budget (Table 6): its gates' threshold set so that it takes K frames on average.

The threshold is one number for all videos and is chosen from the gates' values alone; no label is
read. It stands where the paper trains another beta for each budget.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.contract import ExitControl
from benchmark.evaluation.exits import first_above, threshold_for_budget
from benchmark.step_records import StepRecords


@dataclass(frozen=True)
class Params:
    """Parameters.

    Attributes:
        mean_frames: the budget, in steps a video on average.
    """

    mean_frames: float = 4.0


class Method(ExitControl):
    """The source's gates with another threshold."""

    Params = Params

    @property
    def uncharged(self) -> tuple[str, ...]:
        """The gates run: they are charged."""
        return ()

    def exit_steps(
        self, test: StepRecords, train: StepRecords | None, targets: npt.NDArray[Any], seed: int
    ) -> npt.NDArray[np.int64]:
        """Return the first step whose gate passes the threshold of the budget."""
        threshold = threshold_for_budget(test.exit_values, self.params.mean_frames)
        return first_above(test.exit_values, threshold)
