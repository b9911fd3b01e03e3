"""Features of networks that a stage leaves alone: computed once, for all variants that share them.

After FrameExit's first stage its backbone is frozen, so the gates of every beta, and the
predictions with all of them, need each candidate frame's features once. They are kept while the
job runs, and found again by one that was killed.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from benchmark.backbones.feature_store import (
    FeaturesOnDemand,
    Inputs,
    StoredFeatures,
    extract_features,
)
from benchmark.backbones.registry import Backbone
from benchmark.contract import Method
from benchmark.files.writing import digest_of
from benchmark.seeds import video_keys
from benchmark.training.dataset import Networks, OpenDataset, weights_digest
from benchmark.videos import FeatureSource, Videos

__all__ = ["FrozenFeatures"]


class FrozenFeatures:
    """The feature stores of one method's fine-tuned networks.

    Args:
        data: the dataset.
        folder: receives a folder for each network and set of inputs.
        progress: called with (videos done, videos in all).
    """

    def __init__(
        self, data: OpenDataset, folder: Path, progress: Callable[[int, int], None] | None = None
    ) -> None:
        self._data, self._folder, self._progress = data, folder, progress

    def sources(
        self, method: Method, networks: Networks, video_ids: Sequence[str], seed: int
    ) -> dict[str, FeatureSource]:
        """Return features of some videos by role; those of networks that nobody asks cost nothing.

        There are none where the method does not say which positions it may open. Published weights
        are those of all seeds, whose jobs may run side by side, and each has stores of its own.
        """
        computed = self._data.computed(video_ids, networks)
        places, lengths = torch.arange(len(video_ids)), self._data.lengths(video_ids)
        videos = Videos(computed, places, video_keys(video_ids), lengths, seed=0)
        candidates = method.candidates(videos)
        if candidates is None:
            return {}
        inputs = Inputs(tuple(video_ids), np.sort(candidates.numpy(), axis=1))
        return {role: self._of(network, inputs, seed) for role, network in networks.items()}

    def forget(self, seeds: Sequence[int]) -> None:
        """Delete the stores of some seeds, those of killed jobs too: they can be made again."""
        for seed in seeds:
            for folder in self._folder.glob(f"seed{seed}-*"):
                shutil.rmtree(folder, ignore_errors=True)

    def _of(self, network: Backbone, inputs: Inputs, seed: int) -> FeatureSource:
        def make() -> FeatureSource:
            digest = weights_digest(network)
            size = network.network.size
            made_of = [digest, size, inputs.digest, self._data.digest]
            folder = self._folder / f"seed{seed}-{digest_of(made_of)}"
            extract_features(
                self._data.store,
                network,
                digest,
                folder,
                inputs=inputs,
                sound=self._data.sound,
                workers=torch.get_num_threads(),
                progress=self._progress,
            )
            return StoredFeatures(folder, inputs.videos, *self._data.digests, inputs=inputs)

        return FeaturesOnDemand(network, make)
