"""Videos whose features are held in memory, so that tests of methods need no files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from benchmark.cost.meter import Meter
from benchmark.seeds import video_keys
from benchmark.videos import Videos

MACS_PER_FRAME = 1_000_003


class MemoryFeatures:
    """Features held in memory; the backbone's cost is a number that nothing else divides by."""

    def __init__(self, features: Tensor) -> None:
        self.table, self.size, self.num_frames = features, 8, 1

    def features(
        self, videos: Tensor, starts: Tensor, meter: Meter | None, rows: Tensor, component: str
    ) -> Tensor:
        if meter is not None:
            meter.add(component, rows, MACS_PER_FRAME * starts.shape[1])
        return self.table[videos[:, None], starts]


@dataclass(frozen=True)
class MemoryVideos:
    """N videos of L frames each.

    Attributes:
        features: `[N, L, D]`.
        targets: `[N]` or `[N, C]`.
        lengths: `[N]`, for videos that end before the last of the L frames.
    """

    features: Tensor
    targets: Tensor | None = None
    seed: int = 11
    lengths: Sequence[int] | None = None

    @property
    def ids(self) -> list[str]:
        return [f"video{number}" for number in range(len(self.features))]

    def batch(self, rows: Sequence[int] | None = None, meter: Meter | None = None) -> Videos:
        """Return some of the videos as a method sees them."""
        chosen = np.arange(len(self.features)) if rows is None else np.asarray(rows)
        indices = torch.from_numpy(chosen)
        return Videos(
            {"backbone": MemoryFeatures(self.features)},
            indices,
            video_keys(self.ids)[chosen],
            np.array(self.lengths or [self.features.shape[1]] * len(self.features))[chosen],
            self.seed,
            targets=None if self.targets is None else self.targets[indices],
            meter=meter,
        )
