"""Random exit: FrameExit's own exit steps, dealt out to the videos at random.

A gate that has learned anything about its video must beat it at the same cost. Uni-AdaFocus
(LeapLabTHU/Uni-AdaFocus) uses the same control.
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
    """No parameters."""


class Method(ExitControl):
    """A permutation of the source's exit steps: the histogram is the same to the last video."""

    Params = Params

    def exit_steps(
        self, test: StepRecords, train: StepRecords | None, targets: npt.NDArray[Any], seed: int
    ) -> npt.NDArray[np.int64]:
        """Return the source's exit steps in random order."""
        return np.random.default_rng(seed).permutation(test.exit_step)
