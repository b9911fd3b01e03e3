"""Videos as a method sees them: the only way to their frames and features.

Because every frame passes through here, what a method looked at is known, and each network is
charged whether its features come from the feature store or are computed on the spot.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from benchmark.cost.meter import Meter
from benchmark.errors import BenchmarkError, did_you_mean
from benchmark.sampling import clip_positions, equally_spaced
from benchmark.seeds import derive_seed, uniform_per_video

__all__ = ["FeatureSource", "Opened", "Videos"]


class FeatureSource(Protocol):
    """Where a network's features come from: the feature store, or the network on stored frames.

    Attributes:
        size: side of the network's input in pixels; 0 for a network that listens.
        num_frames: L, consecutive stored frames of one input; 0 for a network that listens.
    """

    size: int
    num_frames: int

    def features(
        self, videos: Tensor, starts: Tensor, meter: Meter | None, rows: Tensor, component: str
    ) -> Tensor:
        """Return `[N, K, D]` float32 of N videos (dataset indices), K inputs each.

        Charges the network's work to `component` and `rows` of the meter, if there is one.
        """
        ...


class Opened:
    """What the videos of a batch were opened for so far.

    Sound is heard, not opened: it is charged by its network's MACs alone.

    Attributes:
        frames: `[N, P]` bool, whether each stored position was handed out.
        pixels: `[N]` int64, pixels fed to networks.
    """

    def __init__(self, lengths: npt.NDArray[np.int64]) -> None:
        self.frames = np.zeros((len(lengths), int(lengths.max(initial=0))), dtype=bool)
        self.pixels = np.zeros(len(lengths), dtype=np.int64)

    def num_frames(self) -> npt.NDArray[np.int64]:
        """Return how many different frames of each video were opened: `[N]`."""
        result: npt.NDArray[np.int64] = self.frames.sum(axis=1, dtype=np.int64)
        return result

    def last_position(self) -> npt.NDArray[np.int64]:
        """Return the last stored position opened in each video, -1 where there is none: `[N]`."""
        last = self.frames.shape[1] - 1 - self.frames[:, ::-1].argmax(axis=1)
        result: npt.NDArray[np.int64] = np.where(self.frames.any(axis=1), last, -1)
        return result


class Videos:
    """A batch of N videos.

    Attributes:
        keys: `[N]` uint64, for random choices that belong to a video.
        lengths: `[N]` int64, stored frames of each video.
        targets: `[N]` class indices or `[N, C]` 0/1 in training; None in prediction.
        seed: of the run and stage (and epoch, in training).
        progress: share of the stage's training that is done, 0 to 1, for schedules; 1 in
            prediction.
        opened: what was handed out, of the whole batch that this is a view of.
        device: of features and targets. Positions and rows may be on any.
    """

    def __init__(
        self,
        sources: Mapping[str, FeatureSource],
        indices: Tensor,
        keys: npt.NDArray[np.uint64],
        lengths: npt.NDArray[np.int64],
        seed: int,
        *,
        targets: Tensor | None = None,
        progress: float = 1.0,
        meter: Meter | None = None,
        device: torch.device | None = None,
    ) -> None:
        self.device = device or torch.device("cpu")
        self._sources, self._indices, self._meter = sources, indices, meter
        self._rows = torch.arange(len(indices))
        self.keys, self.lengths, self.seed = keys, lengths, seed
        self.targets = None if targets is None else targets.to(self.device)
        self.progress, self.opened = progress, Opened(lengths)

    def __len__(self) -> int:
        return len(self._rows)

    def select(self, rows: Tensor) -> Videos:
        """Return a view of some of these videos, in the order of `rows`, repetitions allowed."""
        view, rows = object.__new__(Videos), rows.cpu()
        view._sources, view._meter, view.opened = self._sources, self._meter, self.opened
        view.device = self.device
        view._indices, view._rows = self._indices[rows], self._rows[rows]
        chosen = rows.numpy()
        view.keys, view.lengths, view.seed = self.keys[chosen], self.lengths[chosen], self.seed
        view.progress = self.progress
        view.targets = None if self.targets is None else self.targets[rows]
        return view

    def features(self, positions: Tensor, network: str = "backbone") -> Tensor:
        """Open frames, or listen around them, and return a network's features for them.

        Args:
            positions: `[N, K]` int64, stored positions; for a clip network, where clips begin:
                multiples of its number of frames; for one that listens, the frames at whose
                moments it does: they are not opened.
            network: its role in the profile, which is the cost component too.

        Returns:
            `[N, K, D]` float32.

        Raises:
            BenchmarkError: for a network that method.yaml does not name, or a clip that begins
                between two of the video's.
        """
        source = self._source(network)
        if source.num_frames > 1 and (positions % source.num_frames).any():
            raise BenchmarkError(
                f"clips of network '{network}' begin at multiples of {source.num_frames}",
                where="videos.features",
                fix="take positions from videos.candidates, or numbers of inputs to videos.starts",
            )
        positions = positions.cpu()
        self._open(positions.numpy(), source)
        features = source.features(self._indices, positions, self._meter, self._rows, network)
        return features.to(self.device, torch.get_default_dtype())  # float64 where that trains

    def candidates(self, count: int, network: str = "backbone") -> Tensor:
        """Return where `count` equally spaced inputs of a network begin: `[N, count]` int64.

        Inputs are a video's stored frames, or clips that follow each other. The first and the last
        are always among them; one is the middle one; a video with fewer repeats some.
        """
        numbers = torch.from_numpy(equally_spaced(self.num_inputs(network), count))
        return self.starts(numbers, network)

    def num_inputs(self, network: str = "backbone") -> npt.NDArray[np.int64]:
        """Return of how many frames, or clips, of a network each video consists: `[N]`."""
        result: npt.NDArray[np.int64] = -(-self.lengths // self._source(network).num_frames)
        return result

    def starts(self, numbers: Tensor, network: str = "backbone") -> Tensor:
        """Return the stored positions at which inputs of these numbers, from 0, begin."""
        return numbers * self._source(network).num_frames

    def random(self, purpose: str, count: int) -> npt.NDArray[np.float64]:
        """Draw `count` numbers in [0, 1) for each video: `[N, count]`, in any batch the same."""
        return uniform_per_video(self.keys, derive_seed(self.seed, purpose), count)

    @contextmanager
    def component(self, name: str) -> Iterator[None]:
        """Charge what runs inside to the component `name` of these videos, equally."""
        with self._meter.charge(name, self._rows) if self._meter else nullcontext():
            yield

    def _source(self, network: str) -> FeatureSource:
        source = self._sources.get(network)
        if source is None:
            hint = did_you_mean(network, self._sources)
            raise BenchmarkError(
                f"no network '{network}' was asked for{hint}",
                where="method.yaml",
                fix="name it under networks",
            )
        return source

    def _open(self, starts: npt.NDArray[np.int64], source: FeatureSource) -> None:
        rows = self._rows.numpy()
        frames = clip_positions(starts, source.num_frames, self.lengths[:, None, None])
        self.opened.frames[rows[:, None, None], frames] = True
        pixels = starts.shape[1] * source.num_frames * source.size**2
        np.add.at(self.opened.pixels, rows, pixels)
