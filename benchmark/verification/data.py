"""The chain from videos and labels to features: every link is held against the one before it."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path

import numpy as np

from benchmark.backbones.feature_index import FEATURES_FILE, INDEX_FILE, read_feature_index
from benchmark.backbones.feature_store import videos_that_differ
from benchmark.backbones.features import count_macs_per_input
from benchmark.config.profile import Config
from benchmark.data.builtin.generated import check_lists
from benchmark.data.frames.index import StoreIndex
from benchmark.data.frames.shards import ShardJob, VideoFile
from benchmark.data.frames.store import INDEX_NAME, FrameStore
from benchmark.data.manifest.manifest import Manifest
from benchmark.data.manifest.of_dataset import manifest_of
from benchmark.data.profile_datasets import build_profile_manifest
from benchmark.data.sound.store import SOUND_INDEX, SoundStore
from benchmark.data.video_io.decoding import readers
from benchmark.data.video_io.probe_cache import ProbeCache
from benchmark.errors import BenchmarkError, DamagedFileError
from benchmark.experiment.layout import Layout, annotation_files
from benchmark.training.dataset import make_network, open_dataset, weights_digest
from benchmark.verification.files import Hashes

__all__ = ["DataChecks"]


class DataChecks:
    """What is wrong with a profile's data, each part looked at once.

    Args:
        config: the profile.
        hashes: of its files.
        quick: whether to believe videos and frames without reading all their bytes.
    """

    def __init__(self, config: Config, hashes: Hashes, *, quick: bool = False) -> None:
        self._config, self._hashes, self._quick = config, hashes, quick
        self._layout = Layout.of(config)
        self.faults = cache(self._faults)
        self.digest = cache(self._digest)
        self._network = cache(partial(make_network, config))
        self._of_manifest = cache(self._manifest_faults)
        self._of_frames = cache(self._frames_faults)
        self._of_sound = cache(self._sound_faults)
        self._of_features = cache(self._features_faults)

    def _faults(self, dataset: str, roles: tuple[str, ...]) -> list[str]:
        """Return what is wrong with all that the runs of a dataset with these networks read."""
        owner = self._config.frames_name(dataset)
        said = [*self._of_manifest(dataset), *self._of_frames(owner)]
        if any(self._config.network(role).is_audio for role in roles):
            said += self._of_sound(owner)
        return said + [fault for role in roles for fault in self._of_features(owner, role)]

    def _digest(self, dataset: str, roles: tuple[str, ...]) -> str:
        """Return the digest of data that training records; empty if it cannot be opened."""
        try:
            return open_dataset(self._config, dataset, roles).digest
        except (BenchmarkError, OSError, KeyError, ValueError):
            return ""

    def _manifest_faults(self, dataset: str) -> list[str]:
        path = self._layout.manifest(dataset)
        try:
            manifest = manifest_of(self._config, dataset)
        except BenchmarkError as fault:
            return [str(fault)]
        said = self._label_faults(manifest, path) + self._generated_faults(manifest.dataset)
        kept = ProbeCache(path)
        if numbers := ", ".join(map(str, kept.damaged_lines())):
            said.append(f"{kept.path} was changed in line {numbers}")
        return said if self._quick else said + self._video_faults(manifest, path)

    def _generated_faults(self, dataset: str) -> list[str]:
        """Compare the lists of a built-in set with the record of what was generated."""
        if self._config.datasets[dataset].builtin is None:
            return []
        try:
            check_lists(self._layout.videos(dataset))
        except DamagedFileError as fault:
            return [str(fault)]
        return []

    def _label_faults(self, manifest: Manifest, path: Path) -> list[str]:
        """Build the manifest again from the labels, with the facts about the files as they are."""
        lists = annotation_files(self._config, manifest.dataset)
        if not all(file.is_file() for file in lists):
            return []  # they may go, as the videos may
        labels = ", ".join(map(str, lists))
        again = build_profile_manifest(self._config, manifest.dataset, base=manifest)
        return [] if again.digest == manifest.digest else [f"{path} does not follow from {labels}"]

    def _video_faults(self, manifest: Manifest, path: Path) -> list[str]:
        """Hash the videos that are still there: they may go once the frames are stored."""
        rows = manifest.usable()
        return [
            f"{manifest.root / name} is not the video that {path} names"
            for name, sha256 in zip(rows["path"], rows["sha256"], strict=True)
            if (manifest.root / name).is_file() and self._hashes.of(manifest.root / name) != sha256
        ]

    def _frames_faults(self, owner: str) -> list[str]:
        folder = self._layout.frames(owner)
        try:
            index = FrameStore.open(folder).index
        except BenchmarkError as fault:
            return [str(fault)]
        said = self._origin_faults(owner, index)
        if not self._quick:
            recorded = {shard.file: shard.sha256 for shard in index.shards}
            said += self._hashes.faults(folder, recorded, folder / INDEX_NAME)
        return said

    def _sound_faults(self, owner: str) -> list[str]:
        folder = self._layout.sound(owner)
        try:
            store = SoundStore.open(folder)
        except BenchmarkError as fault:
            return [str(fault)]
        return (
            [] if self._quick else self._hashes.faults(folder, store.hashes, folder / SOUND_INDEX)
        )

    def _origin_faults(self, owner: str, index: StoreIndex) -> list[str]:
        """Hold the shards' keys against the manifest's videos, where the same decoders are here."""
        path, folder = self._layout.manifest(owner), self._layout.frames(owner)
        try:
            rows = manifest_of(self._config, owner).rows
        except BenchmarkError:
            return []  # said of the manifest
        names = ("video_id", "sha256", "num_frames", "fps", "height", "width")
        columns = [rows[name].tolist() for name in names]
        known = {v: VideoFile(v, Path(), *facts) for v, *facts in zip(*columns, strict=True)}
        try:
            here = set(readers(index.recipe.reader)) | {""}
        except BenchmarkError:
            return []  # another machine decoded them
        ids, used = index.texts("video_id"), index.texts("reader")
        starts = np.searchsorted(index.numbers("shard"), range(len(index.shards) + 1))
        for number, shard in enumerate(index.shards):
            own = slice(starts[number], starts[number + 1])
            job = ShardJob(
                folder, number, tuple(known[v] for v in ids[own] if v in known), index.recipe
            )
            if not set(used[own]) <= here or shard.coder != job.coder:
                continue
            if job.key != shard.key:
                return [f"{folder / shard.file} holds other videos than {path} names"]
        return []

    def _features_faults(self, owner: str, role: str) -> list[str]:
        """Look at a network's weights and, where they are stored, at its features."""
        folder, is_audio = self._layout.features(owner, role), self._config.network(role).is_audio
        record = folder / INDEX_FILE
        try:
            network = self._network(role)
            if self._config.backbone.finetune:
                return []
            index = read_feature_index(folder)
            store = FrameStore.open(self._layout.frames(owner))
            sound = SoundStore.open(self._layout.sound(owner)) if is_audio else None
        except BenchmarkError as fault:
            return [str(fault)]
        said = self._hashes.faults(folder, {FEATURES_FILE: index.sha256}, record)
        if not said and (videos := videos_that_differ(folder)):
            said.append(f"{record}: its rows of {len(videos)} videos, first '{videos[0]}', differ")
        if index.macs_per_input != count_macs_per_input(network):
            said.append(f"{record}: charges other work than '{role}' is counted to do")
        try:
            digest = sound.digest if sound else None
            index.check_origin(folder, store.digest, digest, weights_digest(network))
        except DamagedFileError as fault:
            said.append(str(fault))
        return said
