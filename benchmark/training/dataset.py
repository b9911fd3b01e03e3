"""A dataset opened for training and prediction: ids, labels, and where features come from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmark.backbones.feature_index import read_feature_index
from benchmark.backbones.feature_store import StoredFeatures
from benchmark.backbones.features import ComputedFeatures, count_macs_per_input
from benchmark.backbones.registry import Backbone, build_backbone
from benchmark.backbones.views import CENTRE, View
from benchmark.config.profile import Config
from benchmark.contract import NetworkInfo, Task
from benchmark.data.frames.store import FrameStore
from benchmark.data.manifest.manifest import Manifest
from benchmark.data.manifest.of_dataset import manifest_of
from benchmark.data.sound.store import SoundStore
from benchmark.experiment.layout import Layout
from benchmark.seeds import derive_seed
from benchmark.training.batches import TrainingSet
from benchmark.videos import FeatureSource

__all__ = ["Networks", "OpenDataset", "make_network", "open_dataset", "weights_digest"]

Networks = Mapping[str, Backbone]
"""Networks by role."""


def make_network(config: Config, role: str = "backbone") -> Backbone:
    """Build the profile's network of a role with its weights."""
    settings = config.network(role)
    parts = ("backbone", settings.network) if role == "backbone" else (role, settings.network)
    return build_backbone(settings, Layout.of(config).weights(role), derive_seed(*parts))


def weights_digest(backbone: Backbone) -> str:
    """Return the digest of a backbone's weights, by name and value."""
    whole = hashlib.sha256()
    for name, tensor in sorted(backbone.body.state_dict().items()):
        whole.update(name.encode() + tensor.contiguous().cpu().numpy().tobytes())
    return whole.hexdigest()[:16]


@dataclass(frozen=True)
class OpenDataset:
    """A dataset with its frames or features at hand.

    Attributes:
        name: of the dataset.
        manifest: its videos and labels.
        store: its frames.
        sound: its sound, where a network listens.
        task: classes and networks, for a method.
        digest: of everything that its features and labels depend on.
    """

    name: str
    manifest: Manifest
    store: FrameStore
    sound: SoundStore | None
    task: Task
    digest: str
    features_folders: Mapping[str, Path]

    def computed(
        self, video_ids: Sequence[str], networks: Networks, view: View = CENTRE
    ) -> dict[str, FeatureSource]:
        """Return features of these videos by role, that networks compute when they are asked."""
        return {
            role: ComputedFeatures(network, self.store, video_ids, view, self.sound)
            for role, network in networks.items()
        }

    def stored(
        self, video_ids: Sequence[str], weights: Mapping[str, str]
    ) -> dict[str, FeatureSource]:
        """Return features of these videos by role, of the profile's networks as they come.

        Args:
            video_ids: in the order of their numbers.
            weights: the digest of each network's weights, by role.

        Raises:
            DamagedFileError: if the features are not those of these frames and weights.
        """
        return {
            role: StoredFeatures(folder, video_ids, *self.digests, weights_digest=weights[role])
            for role, folder in self.features_folders.items()
        }

    @property
    def digests(self) -> tuple[str, str | None]:
        """The digests of its frames and, where a network listens, of its sound."""
        return self.store.digest, self.sound.digest if self.sound else None

    @property
    def is_silent(self) -> bool:
        """Whether sound was asked for and none of the videos has any."""
        return self.sound is not None and self.sound.is_silent

    def lengths(self, video_ids: Sequence[str]) -> npt.NDArray[np.int64]:
        """Return the number of stored frames of each video: `[N]`."""
        return np.array([self.store.num_positions(video) for video in video_ids], dtype=np.int64)

    def fold(self, index: int) -> tuple[list[str], list[str]]:
        """Return the ids of the readable videos of a fold: to train on, to test on."""
        train, test = self.manifest.fold(index)
        failed = self.store.failures
        return [v for v in train if v not in failed], [v for v in test if v not in failed]

    def training_set(
        self,
        fold: int,
        sources: Mapping[str, FeatureSource],
        augmented: Callable[[int], Mapping[str, FeatureSource]] | None = None,
    ) -> TrainingSet:
        """Return a fold's training videos, with sources of their features."""
        ids = self.fold(fold)[0]
        labels = self.manifest.labels(ids)
        return TrainingSet(sources, ids, self.lengths(ids), labels, augmented)


def open_dataset(config: Config, name: str, roles: Sequence[str] = ("backbone",)) -> OpenDataset:
    """Open a dataset of a profile whose frames, and features if it has them, are there.

    Args:
        config: the profile.
        name: the dataset's.
        roles: of the networks that a method asks for.
    """
    layout, owner = Layout.of(config), config.frames_name(name)
    manifest = manifest_of(config, name)
    store = FrameStore.open(layout.frames(owner))
    listening = any(config.network(role).is_audio for role in roles)
    sound = SoundStore.open(layout.sound(owner)) if listening else None
    frozen = not config.backbone.finetune
    folders = {role: layout.features(owner, role) for role in roles} if frozen else {}
    parts = [manifest.digest, store.digest, str(config.datasets[name].loss)]
    parts += [sound.digest] if sound else []
    networks = {}
    for role in roles:
        settings = config.network(role)
        parts += [role, settings.model_dump_json(exclude={"trained_on"})]
        if frozen:
            index = read_feature_index(folders[role])
            parts.append(index.weights_digest)
            macs = index.macs_per_input
        else:
            built = make_network(config, role)
            parts.append(weights_digest(built))
            macs = count_macs_per_input(built)
        network = settings.entry
        networks[role] = NetworkInfo(network.num_features, network.num_frames, network.size, macs)
    task = Task(
        classes=tuple(manifest.classes),
        multi_label=manifest.task == "multi_label",
        num_features=networks["backbone"].num_features if "backbone" in networks else 0,
        head_units=config.training.head_units,
        networks=networks,
        stated_loss=config.datasets[name].loss,
    )
    digest = hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]
    return OpenDataset(name, manifest, store, sound, task, digest, folders)
