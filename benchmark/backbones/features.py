"""Features of stored frames: computed once for all methods, or on the spot where weights change.

The feature store is an optimisation only. Both sources give the same features for a frame and
charge the same work for it: the store charges what the backbone was counted to execute.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from benchmark.backbones.registry import Backbone
from benchmark.cost.counter import MacCounter
from benchmark.cost.meter import Meter
from benchmark.data.frame_store import FrameStore
from benchmark.errors import BenchmarkError
from benchmark.files import replace_when_complete, write_json

__all__ = ["ComputedFeatures", "StoredFeatures", "extract_features"]

_PIXELS_PER_BATCH = 800_000


def _load_frames(store: FrameStore, video: str, positions: Sequence[int], size: int) -> Tensor:
    return torch.from_numpy(np.array(store.frames(video, positions, size)))


def extract_features(
    store: FrameStore,
    backbone: Backbone,
    weights_digest: str,
    folder: Path,
    *,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Compute the features of every stored frame.

    Writes `features.npy`, `[all frames, D]` float32, and `index.json` with each video's first row.
    Batches are made of the same frames, and computed by one thread each, for any number of
    workers: so are the bytes.
    """
    size, videos = backbone.network.size, list(store.video_ids)
    lengths = [store.num_positions(video) for video in videos]
    first = np.concatenate([[0], np.cumsum(lengths)])
    shape = (int(first[-1]), backbone.network.num_features)
    per_batch = max(1, _PIXELS_PER_BATCH // (size * size) // max(lengths))
    blocks = [range(i, min(i + per_batch, len(videos))) for i in range(0, len(videos), per_batch)]

    def compute(block: range) -> npt.NDArray[np.float32]:
        with torch.inference_mode():
            parts = [_load_frames(store, videos[i], range(lengths[i]), size) for i in block]
            features: npt.NDArray[np.float32] = backbone(torch.cat(parts)).numpy()
        return features

    with (
        replace_when_complete(folder / "features.npy") as partial,
        ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool,
    ):
        rows = np.lib.format.open_memmap(partial, mode="w+", dtype=np.float32, shape=shape)
        for block, features in zip(blocks, pool.map(compute, blocks), strict=True):
            rows[first[block.start] : first[block.stop]] = features
            if progress:
                progress(block.stop, len(videos))
        rows.flush()
    write_json(
        folder / "index.json",
        {
            "schema_version": 1,
            "frames_digest": store.digest,
            "weights_digest": weights_digest,
            "macs_per_frame": count_macs_per_frame(backbone),
            "videos": videos,
            "first_row": first.tolist(),
        },
    )


def count_macs_per_frame(backbone: Backbone) -> int:
    """Return the MACs that the backbone executes for one frame."""
    size = backbone.network.size
    with torch.inference_mode(), MacCounter() as counter:
        backbone(torch.zeros(1, size, size, 3, dtype=torch.uint8))
    return int(counter.total)


class StoredFeatures:
    """Features read from the feature store, for the given videos in the given order."""

    def __init__(self, folder: Path, video_ids: Sequence[str], frames_digest: str) -> None:
        index_path = folder / "index.json"
        try:
            index = json.loads(index_path.read_text(encoding="utf-8"))
            rows = np.load(folder / "features.npy", mmap_mode="r")
        except (OSError, ValueError) as fault:
            raise BenchmarkError(
                f"no readable feature store ({fault})", where=folder, fix="run the workflow again"
            ) from fault
        if index["frames_digest"] != frames_digest:
            raise BenchmarkError(
                "features were computed from other frames than are stored now",
                where=index_path,
                fix=f"delete {folder} and run the workflow again",
            )
        self.macs_per_frame = int(index["macs_per_frame"])
        self.num_features = rows.shape[1]
        place = {video: number for number, video in enumerate(index["videos"])}
        first = np.array(index["first_row"])
        numbers = np.array([place[video] for video in video_ids], dtype=np.int64)
        self._rows = torch.from_numpy(np.array(rows))
        self._first = torch.from_numpy(first[numbers])

    def features(
        self, videos: Tensor, positions: Tensor, meter: Meter | None, rows: Tensor
    ) -> Tensor:
        """See `benchmark.videos.FeatureSource`."""
        if meter is not None:
            meter.add("backbone", rows, self.macs_per_frame * positions.shape[1])
        return self._rows[self._first[videos][:, None] + positions]


class ComputedFeatures:
    """Features that a backbone computes from stored frames when they are asked for."""

    def __init__(self, backbone: Backbone, store: FrameStore, video_ids: Sequence[str]) -> None:
        self.backbone, self._store, self._video_ids = backbone, store, list(video_ids)
        self.num_features = backbone.network.num_features

    def features(
        self, videos: Tensor, positions: Tensor, meter: Meter | None, rows: Tensor
    ) -> Tensor:
        """See `benchmark.videos.FeatureSource`."""
        size, num_frames = self.backbone.network.size, positions.shape[1]
        frames = [
            _load_frames(self._store, self._video_ids[video], chosen, size)
            for video, chosen in zip(videos.tolist(), positions.tolist(), strict=True)
        ]
        each = rows.repeat_interleave(num_frames)
        with meter.charge("backbone", each) if meter else nullcontext():
            features: Tensor = self.backbone(torch.cat(frames))
        return features.view(len(videos), num_frames, -1)
