"""Confidence exit: stop once the highest score passes a threshold; no gate is learned.

The exit rule of MSDNet and AdaFocusV2 (LeapLabTHU/AdaFocusV2) in its simplest form: one threshold
for all steps, fitted on the training videos' scores to a budget.
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
        target_frames: mean frames a training video may take; 0 means as many as the source's
            gates take on its test videos.
    """

    target_frames: float = 0.0


class Method(ExitControl):
    """One threshold on the highest score; the classifier runs at every step."""

    Params = Params

    @property
    def charged(self) -> tuple[str, ...]:
        """The classifier must answer at each step for its confidence to be known."""
        return ("classifier",)

    def exit_steps(
        self, test: StepRecords, train: StepRecords | None, targets: npt.NDArray[Any], seed: int
    ) -> npt.NDArray[np.int64]:
        """Return the first step whose confidence passes the fitted threshold."""
        assert train is not None, "method.yaml asks for the source's training steps"
        budget = self.params.target_frames or float(test.exit_step.mean())
        threshold = threshold_for_budget(train.scores.max(axis=2), budget)
        return first_above(test.scores.max(axis=2), threshold)
