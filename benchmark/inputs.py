"""A dataset opened for training and prediction: ids, labels, and where features come from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from benchmark.backbones.features import ComputedFeatures, StoredFeatures
from benchmark.backbones.registry import Backbone, build_backbone, network_named
from benchmark.config import Config
from benchmark.contract import Task
from benchmark.data.frame_store import FrameStore
from benchmark.data.manifest import Manifest, read_manifest
from benchmark.layout import Layout
from benchmark.seeds import derive_seed
from benchmark.training.fit import TrainingSet
from benchmark.videos import FeatureSource

__all__ = ["OpenDataset", "make_backbone", "open_dataset", "weights_digest"]


def make_backbone(config: Config) -> Backbone:
    """Build the profile's backbone with its weights."""
    weights = Layout.of(config).backbone_weights
    return build_backbone(
        config.backbone, weights, derive_seed("backbone", config.backbone.network)
    )


def weights_digest(backbone: Backbone) -> str:
    """Return the digest of a backbone's weights, by name and value."""
    whole = hashlib.sha256()
    for name, tensor in sorted(backbone.body.state_dict().items()):
        whole.update(name.encode() + tensor.contiguous().numpy().tobytes())
    return whole.hexdigest()[:16]


@dataclass(frozen=True)
class OpenDataset:
    """A dataset with its frames or features at hand.

    Attributes:
        name: of the dataset.
        manifest: its videos and labels.
        store: its frames.
        task: classes and feature sizes, for a method.
        digest: of everything that its features and labels depend on.
    """

    name: str
    manifest: Manifest
    store: FrameStore
    task: Task
    digest: str
    features_folder: Path | None

    def source(self, video_ids: Sequence[str], backbone: Backbone | None) -> FeatureSource:
        """Return features of these videos: of the given backbone, or from the store."""
        if backbone is not None:
            return ComputedFeatures(backbone, self.store, video_ids)
        assert self.features_folder is not None, "a frozen backbone has a feature store"
        return StoredFeatures(self.features_folder, video_ids, self.store.digest)

    def lengths(self, video_ids: Sequence[str]) -> npt.NDArray[np.int64]:
        """Return the number of stored frames of each video: `[N]`."""
        return np.array([self.store.num_positions(video) for video in video_ids], dtype=np.int64)

    def fold(self, index: int) -> tuple[list[str], list[str]]:
        """Return the ids of the readable videos of a fold: to train on, to test on."""
        train, test = self.manifest.fold(index)
        failed = self.store.failures
        return [v for v in train if v not in failed], [v for v in test if v not in failed]

    def training_set(self, fold: int, backbone: Backbone | None) -> TrainingSet:
        """Return a fold's training videos."""
        ids = self.fold(fold)[0]
        return TrainingSet(
            self.source(ids, backbone),
            ids,
            self.lengths(ids),
            torch.from_numpy(self.manifest.targets(ids)),
        )


def open_dataset(config: Config, name: str) -> OpenDataset:
    """Open a dataset of a profile whose frames, and features if it has them, are there."""
    layout, owner = Layout.of(config), config.frames_name(name)
    manifest = read_manifest(layout.manifest(name))
    store = FrameStore.open(layout.frames(owner))
    folder = None if config.backbone.finetune else layout.features(owner)
    parts = [manifest.digest, store.digest, config.backbone.model_dump_json()]
    if folder is not None:
        parts.append(json.loads((folder / "index.json").read_text())["weights_digest"])
    task = Task(
        classes=tuple(manifest.classes),
        multi_label=manifest.task == "multi_label",
        num_features=network_named(config.backbone.network).num_features,
        head_units=config.training.head_units,
    )
    digest = hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]
    return OpenDataset(name, manifest, store, task, digest, folder)
