"""Which frames of a video are kept: the grid that every method shares.

All methods choose among the same stored frames, so no method sees a moment that another could
not have seen, and each video is decoded once. The grid is even in time: it depends on when the
frames of a video are shown and on the recipe alone, never on the decoder. How many positions it has
follows from the manifest's facts about the video.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from benchmark.config.datasets import ReaderName
from benchmark.errors import BenchmarkError

__all__ = ["SamplingRecipe", "Scaling"]

Scaling = Literal["shrink", "fit"]

# Of a frame: clocks of containers are as coarse as this in no video, sums of floats are finer.
_TIED = 1e-6


@dataclass(frozen=True)
class SamplingRecipe:
    """What is sampled from every video of a dataset; exactly one of `positions` and `fps` is set.

    Attributes:
        positions: frames a video, equally spaced, first and last included (FrameExit's released
            loader, `dataset/dataset.py: sample_frames_uniform`).
        fps: stored frames a second (FrameExit: 1 for ActivityNet, 5 for Mini-Kinetics).
        short_side: pixels that the short side of stored frames is scaled to; None keeps all.
        skip_start_s: seconds at the start that are never sampled, for encoders whose first
            frames are not yet right. Of the 496 tank_wagon clips 341 begin with one letterboxed
            or black frame and none with two: 0.04 s, one frame at 25 fps, is the cure there.
            No clip of ut_interaction needs it.
        scaling: which frames are scaled to `short_side`, and how; see `data/frames/resize.py`.
            `shrink`: those whose short side is longer, with plain bilinear interpolation, so that
            they are those that the test transform would make. `fit`: all, upward too, as
            FrameExit's released recipe asks of ffmpeg (`inference.py: show_help`,
            `scale=350:350:force_original_aspect_ratio=increase`, which fills that square).
        jpeg_quality: of stored JPEG; None stores pixels without loss.
        reader: what decodes the videos; see `benchmark.data.video_io.decoding`.
    """

    positions: int | None
    fps: float | None
    short_side: int | None = None
    skip_start_s: float = 0.0
    scaling: Scaling = "shrink"
    jpeg_quality: int | None = None
    reader: ReaderName = "pyav"

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
        if self.scaling == "fit" and self.short_side is None:
            faults.append("'scaling: fit' needs 'short_side'")
        if self.jpeg_quality is not None and not 1 <= self.jpeg_quality <= 100:
            faults.append(f"'jpeg_quality' is {self.jpeg_quality}, expected 1 to 100")
        if faults:
            raise BenchmarkError("; ".join(faults), where="sampling recipe")

    def facts(self) -> dict[str, Any]:
        """Return what stored bytes depend on, for digests.

        What a store of raw frames does not have is left out: its digests are those of old.
        """
        late = {"scaling": "shrink", "jpeg_quality": None, "reader": "pyav"}
        facts = {k: v for k, v in asdict(self).items() if k not in late or v != late[k]}
        rate = None if self.fps is None else float(self.fps)  # 5 and 5.0 are one rate
        return {**facts, "fps": rate, "skip_start_s": float(self.skip_start_s)}

    def num_positions(
        self, num_frames: npt.NDArray[np.int64], fps: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.int64]:
        """Return P, the positions of each video's grid: `[N]`, of `[N]` frames and rates."""
        if self.fps is None:
            return np.full(len(num_frames), self.positions, dtype=np.int64)
        length = num_frames - self._first(num_frames, fps)
        count = np.ceil(length / (fps / self.fps) - 1e-9).astype(np.int64)
        return np.maximum(count, 1)

    def source_frames(
        self, num_frames: int, fps: float, times_s: npt.NDArray[np.float64] | None = None
    ) -> npt.NDArray[np.int64]:
        """Return the frame index in the video of each grid position, ascending: `[P]`.

        A position stands for a moment and takes the frame that is shown then, as ffmpeg's
        `fps=…:round=up` does. A video shorter than `skip_start_s` gives its last frame; one with
        fewer frames than `positions` repeats some.

        Args:
            num_frames: frames of the video, at least 1.
            fps: its mean frame rate.
            times_s: `[num_frames]` seconds from the first frame to each; frame n is shown at
                second n / fps where it is None.
        """
        frames, rate = np.array([num_frames]), np.array([fps])
        if times_s is None:
            start = int(self._first(frames, rate)[0])
            grid = self._moments(frames, rate, num_frames - start)
            grid = np.floor(grid + 1e-9).astype(np.int64)
            return np.asarray(start + np.minimum(grid, num_frames - start - 1), dtype=np.int64)
        # Moments are counted in mean frames, as above, from the first frame that is not skipped.
        places = times_s * fps
        start = min(int(np.searchsorted(places, self.skip_start_s * fps - 1e-6)), num_frames - 1)
        moments = places[start] + self._moments(frames, rate, num_frames - places[start])
        shown = np.searchsorted(places, moments + _TIED, side="right") - 1
        return np.asarray(np.maximum(shown, start), dtype=np.int64)

    def _moments(
        self, frames: npt.NDArray[np.int64], rate: npt.NDArray[np.float64], length: float
    ) -> npt.NDArray[np.float64]:
        """Return where in a video the positions lie, in mean frames after the first: `[P]`."""
        if self.fps is not None:
            count = int(self.num_positions(frames, rate)[0])
            return np.arange(count, dtype=np.float64) * (float(rate[0]) / self.fps)
        if self.positions == 1:
            return np.array([(length - 1) / 2])
        whole: npt.NDArray[np.float64] = np.linspace(0.0, 1.0, self.positions or 1) * length
        return whole

    def _first(
        self, num_frames: npt.NDArray[np.int64], fps: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.int64]:
        skipped = np.ceil(self.skip_start_s * fps - 1e-6).astype(np.int64)
        return np.minimum(skipped, num_frames - 1)
