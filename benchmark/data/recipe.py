"""Which frames of a video are kept: the grid that every method shares.

All methods choose among the same stored frames, so no method sees a moment that another could
not have seen, and each video is decoded once. The grid depends on the manifest's facts about a
video and on the recipe alone, never on the decoder.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmark.data.sampling import equally_spaced
from benchmark.errors import BenchmarkError

__all__ = ["SamplingRecipe"]


@dataclass(frozen=True)
class SamplingRecipe:
    """What is sampled from every video of a dataset; exactly one of `positions` and `fps` is set.

    Attributes:
        positions: frames a video, equally spaced, first and last included (FrameExit's released
            loader, `dataset/dataset.py: sample_frames_uniform`).
        fps: stored frames a second (FrameExit: 1 for ActivityNet, 5 for Mini-Kinetics).
        short_side: frames whose short side is longer are stored resized to it; None keeps all.
        skip_start_s: seconds at the start that are never sampled, for encoders whose first
            frames are not yet right. Of the 496 tank_wagon clips 341 begin with one letterboxed
            or black frame and none with two: 0.04 s, one frame at 25 fps, is the cure there.
            No clip of ut_interaction needs it.
    """

    positions: int | None
    fps: float | None
    short_side: int | None = None
    skip_start_s: float = 0.0

    def __post_init__(self) -> None:
        faults = []
        if (self.positions is None) == (self.fps is None):
            faults.append("give exactly one of 'positions' and 'fps'")
        if self.positions is not None and self.positions < 1:
            faults.append(f"'positions' is {self.positions}, expected 1 or more")
        if self.fps is not None and not 0 < self.fps < math.inf:
            faults.append(f"'fps' is {self.fps}, expected more than 0")
        if self.short_side is not None and self.short_side < 1:
            faults.append(f"'short_side' is {self.short_side}, expected 1 or more")
        if not 0 <= self.skip_start_s < math.inf:
            faults.append(f"'skip_start_s' is {self.skip_start_s}, expected 0 or more")
        if faults:
            raise BenchmarkError("; ".join(faults), where="sampling recipe")

    def source_frames(self, num_frames: int, fps: float) -> npt.NDArray[np.int64]:
        """Return the frame index in the video of each grid position, ascending: `[P]`.

        A video shorter than `skip_start_s` gives its last frame; one with fewer frames than
        `positions` repeats some.

        Args:
            num_frames: frames of the video, at least 1.
            fps: its frame rate.
        """
        start = min(math.ceil(self.skip_start_s * fps - 1e-6), num_frames - 1)
        length = num_frames - start
        if self.positions is not None:
            grid = equally_spaced(np.array([length]), self.positions)[0]
            return np.asarray(start + grid, dtype=np.int64)
        step = fps / self.fps if self.fps is not None else 1.0
        count = max(1, math.ceil(length / step - 1e-9))
        grid = np.floor(np.arange(count) * step + 1e-9).astype(np.int64)
        return np.asarray(start + np.minimum(grid, length - 1), dtype=np.int64)
