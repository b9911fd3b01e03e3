"""The feature store: what a network says of stored frames, computed once for all who ask.

An optimisation only. It gives the features that the network itself gives for a frame, and charges
the work that the network was counted to execute.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from benchmark.backbones.build import input_shape
from benchmark.backbones.feature_index import (
    COMPUTED_AGAIN,
    FEATURES_FILE,
    INDEX_FILE,
    FeatureIndex,
    read_feature_index,
)
from benchmark.backbones.features import count_macs_per_input, load_inputs
from benchmark.backbones.registry import Backbone
from benchmark.cost.meter import Meter
from benchmark.data.frames.store import FrameStore
from benchmark.data.sound.store import SoundStore
from benchmark.errors import BenchmarkError, DamagedFileError
from benchmark.files.sealed import file_sha256, is_file_with, part_digest, write_sealed
from benchmark.files.writing import digest_of, replace_when_complete
from benchmark.videos import FeatureSource

__all__ = ["FeaturesOnDemand", "Inputs", "StoredFeatures", "extract_features", "videos_that_differ"]

_PIXELS_PER_CPU_BATCH, _PIXELS_PER_BATCH = 800_000, 16_000_000


@dataclass(frozen=True)
class Inputs:
    """Some videos, and where in each a network's inputs begin.

    Attributes:
        videos: N ids.
        starts: `[N, K]` int64, stored positions, ascending in each row; repetitions stand for
            fewer.
    """

    videos: tuple[str, ...]
    starts: npt.NDArray[np.int64]

    @property
    def digest(self) -> str:
        """Return what changes with any id or position."""
        return digest_of([self.videos, hashlib.sha256(self.starts.tobytes()).hexdigest()])


def extract_features(
    store: FrameStore,
    backbone: Backbone,
    weights_digest: str,
    folder: Path,
    *,
    inputs: Inputs | None = None,
    sound: SoundStore | None = None,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Compute the features of every stored frame, of the sound around it, or of clips in a row.

    Writes `features.npy`, `[all inputs, D]` float32, and `index.json`, see `FeatureIndex`.
    Batches are made of the same frames, and computed by one thread each, for any number of
    workers: so are the bytes. A store that is there already, of these frames and weights, is kept.

    Args:
        store: the frames.
        backbone: the network, on the device that computes.
        weights_digest: of its weights.
        folder: receives the files.
        inputs: the videos and positions that are wanted; all by default.
        sound: the sound, for a network that listens.
        workers: threads.
        progress: called with (videos done, videos in all).
    """
    network = backbone.network
    videos = list(inputs.videos if inputs else store.video_ids)
    facts = FeatureIndex(
        frames_digest=store.digest,
        weights_digest=weights_digest,
        size=network.size,
        num_frames=network.num_frames,
        macs_per_input=count_macs_per_input(backbone),
        videos=tuple(videos),
        inputs_digest=inputs.digest if inputs else None,
        sound_digest=sound.digest if sound and network.is_audio else None,
    )
    if _is_there(folder, facts):
        return
    starts: list[Sequence[int]] = (
        list(inputs.starts.tolist())
        if inputs
        else [range(0, store.num_positions(video), network.step) for video in videos]
    )
    first = np.concatenate([[0], np.cumsum([len(own) for own in starts])])
    shape = (int(first[-1]), network.num_features)
    per_video = max(map(len, starts)) * math.prod(input_shape(network)[:-1])
    pixels = _PIXELS_PER_CPU_BATCH if backbone.mean.is_cpu else _PIXELS_PER_BATCH
    per_batch = max(1, pixels // per_video)
    blocks = [range(i, min(i + per_batch, len(videos))) for i in range(0, len(videos), per_batch)]

    def compute(block: range) -> npt.NDArray[np.float32]:
        with torch.inference_mode():
            parts = [load_inputs(store, backbone, videos[i], starts[i], sound=sound) for i in block]
            features: npt.NDArray[np.float32] = backbone(torch.cat(parts)).cpu().numpy()
        return features

    digests: list[int] = []
    with (
        replace_when_complete(folder / FEATURES_FILE) as partial,
        ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool,
    ):
        rows = np.lib.format.open_memmap(partial, mode="w+", dtype=np.float32, shape=shape)
        for block, features in zip(blocks, pool.map(compute, blocks), strict=True):
            rows[first[block.start] : first[block.stop]] = features
            ends = first[block.start + 1 : block.stop] - first[block.start]
            digests += [part_digest(own) for own in np.split(features, ends)]
            if progress:
                progress(block.stop, len(videos))
        rows.flush()
    sha256 = file_sha256(folder / FEATURES_FILE)
    write_sealed(folder / INDEX_FILE, facts.of_rows(first.tolist(), digests, sha256))


def _is_there(folder: Path, facts: FeatureIndex) -> bool:
    try:
        index = read_feature_index(folder)
    except DamagedFileError:
        return False
    same = facts.of_rows(index.first_row, index.rows_digests, index.sha256) == index
    return same and is_file_with(folder / FEATURES_FILE, index.sha256)


def videos_that_differ(folder: Path) -> list[str]:
    """Return the videos whose rows in a readable `features.npy` are not those of the index.

    Raises:
        DamagedFileError: if there is no index, or it was changed.
    """
    index = read_feature_index(folder)
    rows = np.load(folder / FEATURES_FILE, mmap_mode="r")
    spans = zip(index.videos, pairwise(index.first_row), index.rows_digests, strict=True)
    return [
        video for video, (first, end), digest in spans if part_digest(rows[first:end]) != digest
    ]


class StoredFeatures:
    """Features read from the feature store, for the given videos in the given order.

    The features of a video are compared with their digest when they are first read.
    """

    def __init__(
        self,
        folder: Path,
        video_ids: Sequence[str],
        frames_digest: str,
        sound_digest: str | None = None,
        *,
        weights_digest: str | None = None,
        inputs: Inputs | None = None,
    ) -> None:
        index, self._path = read_feature_index(folder), folder / FEATURES_FILE
        index.check_origin(folder, frames_digest, sound_digest, weights_digest)
        try:
            # Copied on write, that is never: PyTorch wants arrays that it could write to.
            rows = np.load(self._path, mmap_mode="c")
        except (FileNotFoundError, EOFError, ValueError) as fault:
            what, fix = f"no readable feature store ({fault})", COMPUTED_AGAIN
            raise DamagedFileError(what, where=self._path, fix=fix) from fault
        self._macs_per_input = index.macs_per_input
        self.size, self.num_frames = index.size, index.num_frames
        place = {video: number for number, video in enumerate(index.videos)}
        numbers = np.array([place[video] for video in video_ids], dtype=np.int64)
        first = np.array(index.first_row)
        self._rows = torch.from_numpy(rows)
        self._first, self._end = (torch.from_numpy(first[numbers + n]) for n in (0, 1))
        self._digests = [index.rows_digests[number] for number in numbers.tolist()]
        self._checked = torch.zeros(len(numbers), dtype=torch.bool)
        self._starts = None if inputs is None else torch.from_numpy(inputs.starts[numbers])

    def features(
        self, videos: Tensor, starts: Tensor, meter: Meter | None, rows: Tensor, component: str
    ) -> Tensor:
        """See `benchmark.videos.FeatureSource`."""
        if meter is not None:
            meter.add(component, rows, self._macs_per_input * starts.shape[1])
        if not self._checked[videos].all():
            self._check(videos)
        return self._rows[self._first[videos][:, None] + self._places(videos, starts)]

    def _check(self, videos: Tensor) -> None:
        """Compare the features of videos that were not read before with their digests."""
        for video in set(videos[~self._checked[videos]].tolist()):
            first, end = int(self._first[video]), int(self._end[video])
            if part_digest(self._rows[first:end].numpy()) != self._digests[video]:
                what = f"rows {first} to {end - 1} were changed after they were computed"
                fix = COMPUTED_AGAIN
                raise DamagedFileError(what, where=self._path, fix=fix)
            self._checked[video] = True

    def _places(self, videos: Tensor, starts: Tensor) -> Tensor:
        """Return the number of each input among those of its video: `[N, K]`."""
        if self._starts is None:
            return starts // max(1, self.num_frames)
        found = self._starts[videos][:, None] == starts[..., None]
        if not found.any(-1).all():
            raise BenchmarkError(
                "a position was asked for that the method's candidates do not hold",
                where="Method.candidates",
                fix="return every position that training or prediction may open, or None",
            )
        return found.int().argmax(-1)


class FeaturesOnDemand:
    """A feature store that is made when the first feature is asked for; many networks never are."""

    def __init__(self, backbone: Backbone, make: Callable[[], FeatureSource]) -> None:
        self.size, self.num_frames = backbone.network.size, backbone.network.num_frames
        self._make = make

    @cached_property
    def _made(self) -> FeatureSource:
        # In a thread of its own, where no counter listens: a video is charged when it is asked for.
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(self._make).result()

    def features(
        self, videos: Tensor, starts: Tensor, meter: Meter | None, rows: Tensor, component: str
    ) -> Tensor:
        """See `benchmark.videos.FeatureSource`."""
        return self._made.features(videos, starts, meter, rows, component)
