"""What a stage sees, and when: videos in batches, batches in parts, in an order of the seed alone.

The order does not depend on how many processes train or in how many parts a batch is computed, so
all of them follow the same path up to rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from benchmark.data.manifest.labels import Labels
from benchmark.errors import BenchmarkError
from benchmark.seeds import derive_seed, video_keys
from benchmark.videos import FeatureSource, Videos

__all__ = ["Cut", "Part", "TrainingSet", "batches_of_epochs"]


@dataclass(frozen=True)
class TrainingSet:
    """Videos with their labels, and where their features come from.

    Attributes:
        sources: give features by the videos' place in `video_ids`, by role of the network.
        video_ids: N ids.
        lengths: `[N]` int64, stored frames.
        targets: `[N]` class indices or `[N, C]` 0/1, or what makes some of them when asked.
        augmented: the sources of one epoch, given its seed; None where all epochs see the same.
    """

    sources: Mapping[str, FeatureSource]
    video_ids: Sequence[str]
    lengths: np.ndarray[tuple[int], np.dtype[np.int64]]
    targets: Tensor | Labels
    augmented: Callable[[int], Mapping[str, FeatureSource]] | None = None


@dataclass(frozen=True)
class Cut:
    """Which parts of a batch are this process's.

    Attributes:
        num_processes: W, that train together.
        rank: of this one.
        accumulate: A, parts that each of them computes in turn; a batch has A * W.
        device: where they are computed.
    """

    num_processes: int
    rank: int
    accumulate: int
    device: torch.device


@dataclass(frozen=True)
class Part:
    """A part of a batch.

    Attributes:
        videos: of the part.
        weight: of its mean loss, so that the mean over processes of the summed gradients is the
            gradient of the whole batch's mean loss: 1 for a batch of one part.
    """

    videos: Videos
    weight: float


def batches_of_epochs(
    videos: TrainingSet, seed: int, epochs: int, batch_size: int, cut: Cut
) -> Iterator[list[list[Part]]]:
    """Yield each epoch's batches, as the parts of this process.

    Raises:
        BenchmarkError: if a batch has fewer videos than parts.
    """
    keys, num = video_keys(videos.video_ids), len(videos.video_ids)
    num_batches = max(1, math.ceil(num / batch_size))
    num_parts = cut.num_processes * cut.accumulate
    if num // num_batches < num_parts:
        raise BenchmarkError(
            f"a batch of {num // num_batches} videos cannot be cut into {num_parts} parts",
            where="training.accumulate, compute",
            fix="enlarge training.batch_size, or lower accumulate, devices or num_nodes",
        )
    draw = np.random.default_rng(derive_seed(seed, "data order"))
    for epoch in range(1, epochs + 1):
        epoch_seed = derive_seed(seed, "epoch", epoch)
        sources = videos.augmented(epoch_seed) if videos.augmented else videos.sources
        batches = []
        for number, chosen in enumerate(np.array_split(draw.permutation(num), num_batches)):
            parts = []
            for rows in np.array_split(chosen, num_parts)[cut.rank :: cut.num_processes]:
                indices = torch.from_numpy(rows)
                part = Videos(
                    sources,
                    indices,
                    keys[rows],
                    videos.lengths[rows],
                    epoch_seed,
                    targets=videos.targets[indices],
                    progress=(epoch - 1 + number / num_batches) / epochs,
                    device=cut.device,
                )
                parts.append(Part(part, len(rows) * cut.num_processes / len(chosen)))
            batches.append(parts)
        yield batches
