"""Oracle exit: the earliest correct step, known from the labels. A bound, not a method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.contract import ExitControl
from benchmark.evaluation.exits import earliest_correct_step
from benchmark.step_records import StepRecords


@dataclass(frozen=True)
class Params:
    """No parameters."""


class Method(ExitControl):
    """Stops at the first step that ranks every true label above every other label."""

    Params = Params

    def exit_steps(
        self, test: StepRecords, train: StepRecords | None, targets: npt.NDArray[Any], seed: int
    ) -> npt.NDArray[np.int64]:
        """Return the earliest correct step; the last where none is correct."""
        return earliest_correct_step(test.scores, targets)
