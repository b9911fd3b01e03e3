"""Videos as a method sees them: the only way to their frames and features.

Because every frame passes through here, what a method looked at is known, and the backbone is
charged whether its features come from the feature store or are computed on the spot.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from benchmark.cost.meter import Meter
from benchmark.seeds import derive_seed, uniform_per_video

__all__ = ["FeatureSource", "Videos"]


class FeatureSource(Protocol):
    """Where features come from: the feature store, or a backbone that runs on stored frames."""

    num_features: int

    def features(
        self, videos: Tensor, positions: Tensor, meter: Meter | None, rows: Tensor
    ) -> Tensor:
        """Return `[N, K, D]` float32 of N videos (dataset indices) at K positions each.

        Charges the backbone for these frames to `rows` of the meter, if there is one.
        """
        ...


class Videos:
    """A batch of N videos.

    Attributes:
        keys: `[N]` uint64, for random choices that belong to a video.
        lengths: `[N]` int64, stored frames of each video.
        targets: `[N]` class indices or `[N, C]` 0/1 in training; None in prediction.
        seed: of the run and stage (and epoch, in training).
    """

    def __init__(
        self,
        source: FeatureSource,
        indices: Tensor,
        keys: npt.NDArray[np.uint64],
        lengths: npt.NDArray[np.int64],
        seed: int,
        *,
        targets: Tensor | None = None,
        meter: Meter | None = None,
    ) -> None:
        self._source, self._indices, self._meter = source, indices, meter
        self._rows = torch.arange(len(indices))
        self._opened: list[tuple[Tensor, Tensor]] = []
        self.keys, self.lengths, self.seed, self.targets = keys, lengths, seed, targets

    def __len__(self) -> int:
        return len(self._rows)

    def select(self, rows: Tensor) -> Videos:
        """Return a view of some of these videos, in the order of `rows`, repetitions allowed."""
        view = object.__new__(Videos)
        view._source, view._meter, view._opened = self._source, self._meter, self._opened
        view._indices, view._rows = self._indices[rows], self._rows[rows]
        chosen = rows.numpy()
        view.keys, view.lengths, view.seed = self.keys[chosen], self.lengths[chosen], self.seed
        view.targets = None if self.targets is None else self.targets[rows]
        return view

    def features(self, positions: Tensor) -> Tensor:
        """Open frames and return their backbone features.

        Args:
            positions: `[N, K]` int64, stored positions of each video.

        Returns:
            `[N, K, D]` float32.
        """
        self._opened.append((self._rows, positions))
        return self._source.features(self._indices, positions, self._meter, self._rows)

    def random(self, purpose: str, count: int) -> npt.NDArray[np.float64]:
        """Draw `count` numbers in [0, 1) for each video: `[N, count]`, in any batch the same."""
        return uniform_per_video(self.keys, derive_seed(self.seed, purpose), count)

    @contextmanager
    def component(self, name: str) -> Iterator[None]:
        """Charge what runs inside to the component `name` of these videos, equally."""
        with self._meter.charge(name, self._rows) if self._meter else nullcontext():
            yield

    def frames_opened(self) -> npt.NDArray[np.int64]:
        """Return how many different stored frames each video of the whole batch opened: `[N]`."""
        counts = np.zeros(int(self._rows.max()) + 1 if len(self) else 0, dtype=np.int64)
        if self._opened:
            pairs = [
                torch.stack([rows[:, None].expand_as(positions), positions], -1).view(-1, 2)
                for rows, positions in self._opened
            ]
            different = np.unique(torch.cat(pairs).numpy(), axis=0)
            np.add.at(counts, different[:, 0], 1)
        return counts
