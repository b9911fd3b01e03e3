"""Features of stored frames: computed once for all methods, or on the spot where weights change.

The feature store is an optimisation only. Both sources give the same features for a frame and
charge the same work for it: the store charges what the network was counted to execute.
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
from benchmark.data.probe import file_sha256
from benchmark.data.sampling import clip_positions
from benchmark.errors import BenchmarkError
from benchmark.files import replace_when_complete, write_json

__all__ = ["ComputedFeatures", "StoredFeatures", "count_macs_per_input", "extract_features"]

_PIXELS_PER_BATCH = 800_000


def _load_inputs(
    store: FrameStore, backbone: Backbone, video: str, starts: Sequence[int]
) -> Tensor:
    """Return a network's inputs that begin at these positions: `[K, (L,) H, W, 3]` uint8."""
    num_frames, size = backbone.network.num_frames, backbone.network.size
    if num_frames == 1:
        return torch.from_numpy(np.array(store.frames(video, starts, size)))
    positions = clip_positions(np.array(starts), num_frames, store.num_positions(video))
    frames = store.frames(video, positions.ravel().tolist(), size)
    return torch.from_numpy(np.array(frames)).view(len(starts), num_frames, size, size, 3)


def extract_features(
    store: FrameStore,
    backbone: Backbone,
    weights_digest: str,
    folder: Path,
    *,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Compute the features of every stored frame, or of clips that follow each other.

    Writes `features.npy`, `[all inputs, D]` float32, and `index.json` with each video's first row
    and the SHA-256 of the former.
    Batches are made of the same frames, and computed by one thread each, for any number of
    workers: so are the bytes. A store that is there already, of these frames and weights, is kept.
    """
    network, videos = backbone.network, list(store.video_ids)
    facts = {
        "schema_version": 2,
        "frames_digest": store.digest,
        "weights_digest": weights_digest,
        "size": network.size,
        "num_frames": network.num_frames,
        "macs_per_input": count_macs_per_input(backbone),
        "videos": videos,
    }
    if _is_there(folder, facts):
        return
    starts = [range(0, store.num_positions(video), network.num_frames) for video in videos]
    first = np.concatenate([[0], np.cumsum([len(own) for own in starts])])
    shape = (int(first[-1]), network.num_features)
    per_video = max(map(len, starts)) * network.num_frames * network.size**2
    per_batch = max(1, _PIXELS_PER_BATCH // per_video)
    blocks = [range(i, min(i + per_batch, len(videos))) for i in range(0, len(videos), per_batch)]

    def compute(block: range) -> npt.NDArray[np.float32]:
        with torch.inference_mode():
            parts = [_load_inputs(store, backbone, videos[i], starts[i]) for i in block]
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
    sha256 = file_sha256(folder / "features.npy")
    write_json(folder / "index.json", {**facts, "first_row": first.tolist(), "sha256": sha256})


def _is_there(folder: Path, facts: dict[str, object]) -> bool:
    try:
        index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    rows = folder / "features.npy"
    same = rows.is_file() and all(index.get(k) == facts[k] for k in facts)
    return same and index.get("sha256") == file_sha256(rows)


def count_macs_per_input(backbone: Backbone) -> int:
    """Return the MACs that a network executes for one frame, or for one clip."""
    size, num_frames = backbone.network.size, backbone.network.num_frames
    shape = (1, size, size, 3) if num_frames == 1 else (1, num_frames, size, size, 3)
    with torch.inference_mode(), MacCounter() as counter:
        backbone(torch.zeros(shape, dtype=torch.uint8))
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
        self._macs_per_input = int(index["macs_per_input"])
        self.size, self.num_frames = int(index["size"]), int(index["num_frames"])
        place = {video: number for number, video in enumerate(index["videos"])}
        first = np.array(index["first_row"])
        numbers = np.array([place[video] for video in video_ids], dtype=np.int64)
        self._rows = torch.from_numpy(np.array(rows))
        self._first = torch.from_numpy(first[numbers])

    def features(
        self, videos: Tensor, starts: Tensor, meter: Meter | None, rows: Tensor, component: str
    ) -> Tensor:
        """See `benchmark.videos.FeatureSource`."""
        if meter is not None:
            meter.add(component, rows, self._macs_per_input * starts.shape[1])
        return self._rows[self._first[videos][:, None] + starts // self.num_frames]


class ComputedFeatures:
    """Features that a network computes from stored frames when they are asked for."""

    def __init__(self, backbone: Backbone, store: FrameStore, video_ids: Sequence[str]) -> None:
        self.backbone, self._store, self._video_ids = backbone, store, list(video_ids)
        self.size, self.num_frames = backbone.network.size, backbone.network.num_frames

    def features(
        self, videos: Tensor, starts: Tensor, meter: Meter | None, rows: Tensor, component: str
    ) -> Tensor:
        """See `benchmark.videos.FeatureSource`."""
        if not len(videos):
            return torch.zeros(0, starts.shape[1], self.backbone.network.num_features)
        inputs = [
            _load_inputs(self._store, self.backbone, self._video_ids[video], chosen)
            for video, chosen in zip(videos.tolist(), starts.tolist(), strict=True)
        ]
        each = rows.repeat_interleave(starts.shape[1])
        with meter.charge(component, each) if meter else nullcontext():
            features: Tensor = self.backbone(torch.cat(inputs))
        return features.view(len(videos), starts.shape[1], -1)
