"""The frame store: any frame of any video at random, without decoding the video.

What is read here was decoded once, so all methods see the same pixels, and the videos
themselves are no longer needed. The index describes the whole store; its digest stands for every
byte, since it covers the hash of each shard.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmark.data.frames.frame_table import ChangedFrameError, read_frames
from benchmark.data.frames.index import INDEX_NAME, StoreIndex, read_index
from benchmark.data.frames.jpeg import decode_jpegs
from benchmark.data.frames.resize import Pixels, centre_crop, resize_short_side
from benchmark.errors import BenchmarkError, DamagedFileError, did_you_mean, raise_all
from benchmark.files.sealed import again

__all__ = ["INDEX_NAME", "FrameStore"]

_OPEN_SHARDS = 256  # each holds a file descriptor, of which a process has few


class FrameStore:
    """Read access to a frame store; `open` checks it.

    Threads may share one: reading, decoding and resizing let others run, so that a batch of
    videos is read in the time of a share of them.

    Attributes:
        index: what it holds.
        video_ids: of the stored videos, in the manifest's order.
        failures: id to reason of each video that no reader could decode.
        recipe: which frames are stored.
        digest: changes with any stored byte.
    """

    def __init__(self, folder: Path, index: StoreIndex) -> None:
        self._folder, self.index = folder, index
        self.recipe, self.digest = index.recipe, index.digest
        self._rows: dict[str, int] = {}
        self.failures: dict[str, str] = {}
        pairs = zip(index.texts("video_id"), index.texts("failure"), strict=True)
        for row, (video, failure) in enumerate(pairs):
            if failure:
                self.failures[video] = failure
            else:
                self._rows[video] = row
        self.video_ids = tuple(self._rows)
        names = ("shard", "offset", "num_frames", "fps", "num_positions", "height", "width")
        self._columns = {name: index.numbers(name) for name in (*names, "table_digest")}
        self._map = lru_cache(_OPEN_SHARDS)(self._open_shard)

    @classmethod
    def open(cls, folder: Path) -> FrameStore:
        """Open a store, checking the index, and each shard's presence and size.

        Its bytes are checked frame by frame, when they are read.

        Raises:
            BenchmarkError: for a store that is incomplete or was changed.
        """
        index, fix = read_index(folder), again(folder / INDEX_NAME)
        sizes = {entry.name: entry.stat().st_size for entry in os.scandir(folder)}
        faults = []
        for shard in index.shards:
            data, num_bytes = folder / shard.file, sizes.get(shard.file)
            if num_bytes is None:
                what = "the shard is missing"
                faults.append(DamagedFileError(what, where=data, fix=fix))
            elif num_bytes != shard.num_bytes:
                what = f"the shard has {num_bytes} bytes, not {shard.num_bytes}"
                faults.append(DamagedFileError(what, where=data, fix=fix))
        raise_all(faults, str(folder))
        return cls(folder, index)

    def num_positions(self, video_id: str) -> int:
        """Return P, the number of stored frames of a video."""
        return int(self._columns["num_positions"][self._row(video_id)])

    def reader(self, video_id: str) -> str:
        """Return name and version of what decoded a video."""
        return str(self.index.videos["reader"][self._row(video_id)].as_py())

    def source_frames(self, video_id: str) -> npt.NDArray[np.int64]:
        """Return the frame index in the video of each stored position, ascending: `[P]`."""
        row = self._row(video_id)
        recorded = self.index.videos["source_frames"][row].values.to_numpy()
        if len(recorded):
            return np.asarray(recorded, dtype=np.int64)
        num_frames, fps = self._columns["num_frames"][row], self._columns["fps"][row]
        return self.recipe.source_frames(int(num_frames), float(fps))

    def moments_s(self, video_id: str) -> npt.NDArray[np.float64]:
        """Return when each stored frame appears, in seconds after the video's first: `[P]`."""
        row = self._row(video_id)
        recorded = self.index.videos["moments_s"][row].values.to_numpy()
        if len(recorded):
            return np.asarray(recorded, dtype=np.float64)
        return self.source_frames(video_id) / float(self._columns["fps"][row])

    def frames(self, video_id: str, positions: Sequence[int], size: int | None = None) -> Pixels:
        """Read frames.

        Args:
            video_id: a stored video.
            positions: K stored positions, in any order, repetitions allowed.
            size: pixels of a square: the short side is resized to it (see
                `benchmark.data.frames.resize`) and the centre cut out; None for frames as stored.

        Returns:
            `[K, H, W, 3]` RGB, a copy: uint8, or float32 where the frames had to be resized.

        Raises:
            BenchmarkError: for an unknown video, or frames that were damaged.
            IndexError: for a position outside 0..P - 1.
        """
        row = self._row(video_id)
        num_positions, height, width = (
            int(self._columns[name][row]) for name in ("num_positions", "height", "width")
        )
        chosen = np.asarray(positions, dtype=np.int64)
        if chosen.size and (chosen.min() < 0 or chosen.max() >= num_positions):
            raise IndexError(f"'{video_id}' has positions 0..{num_positions - 1}")
        coded = self._stored_bytes(row, video_id, chosen.tolist())
        if not coded:
            frames = np.empty((0, height, width, 3), dtype=np.uint8)
        elif self.recipe.jpeg_quality is None:
            frames = np.stack(coded).reshape(-1, height, width, 3)
        else:
            frames = decode_jpegs(coded)
        return frames if size is None else centre_crop(resize_short_side(frames, size), size)

    def _stored_bytes(
        self, row: int, video_id: str, chosen: list[int]
    ) -> list[npt.NDArray[np.uint8]]:
        """Return frames as they are stored, each of which was compared with its digest."""
        number, offset, num_positions, table_digest = (
            int(self._columns[name][row])
            for name in ("shard", "offset", "num_positions", "table_digest")
        )
        try:
            return read_frames(self._map(number), offset, num_positions, table_digest, chosen)
        except ChangedFrameError as fault:
            raise DamagedFileError(
                f"'{video_id}': {fault}",
                where=self._folder / self.index.shards[number].file,
                fix=f"delete this file and {again(self._folder / INDEX_NAME)}",
            ) from fault

    def _open_shard(self, number: int) -> npt.NDArray[np.uint8]:
        whole = np.memmap(self._folder / self.index.shards[number].file, dtype=np.uint8, mode="r")
        # A plain view: slicing np.memmap itself costs more than reading a small frame.
        return whole.view(np.ndarray)

    def _row(self, video_id: str) -> int:
        if video_id not in self._rows:
            if video_id in self.failures:
                raise BenchmarkError(
                    f"'{video_id}' could not be decoded: {self.failures[video_id]}",
                    where=self._folder,
                )
            hint = did_you_mean(video_id, self.video_ids) if len(self.video_ids) < 1000 else ""
            raise BenchmarkError(f"no video '{video_id}'{hint}", where=self._folder)
        return self._rows[video_id]
