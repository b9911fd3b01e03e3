"""Fixed budget (FrameExit, Table 6): the same number of frames for every video."""

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
        num_frames: steps after which every video stops; more than there are means all.
    """

    num_frames: int = 10


class Method(ExitControl):
    """FrameExit's own classifiers, without its gates."""

    Params = Params

    def exit_steps(
        self, test: StepRecords, train: StepRecords | None, targets: npt.NDArray[Any], seed: int
    ) -> npt.NDArray[np.int64]:
        """Return the same step for every video."""
        return np.full(test.num_videos, min(self.params.num_frames, test.num_steps))
