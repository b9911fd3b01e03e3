"""The frame store: any frame of any video at random, without a decoder.

What is read here was decoded once, so all methods see the same pixels, and the videos
themselves are no longer needed. `index.json` describes the whole store; its digest stands for
every byte, since it covers the hash of each shard.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, ValidationError

from benchmark.data.probe import file_sha256
from benchmark.data.recipe import SamplingRecipe
from benchmark.data.resize import centre_crop, resize_short_side
from benchmark.data.shards import Shard, StoredVideo
from benchmark.errors import BenchmarkError, did_you_mean, raise_all
from benchmark.files import digest_of

__all__ = ["INDEX_NAME", "FrameStore", "StoreIndex"]

INDEX_NAME = "index.json"

_EXTRACT_AGAIN = "extract the frames again"


class StoreIndex(BaseModel):
    """What `index.json` says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: SamplingRecipe
    shards: tuple[Shard, ...]
    digest: str


class FrameStore:
    """Read access to a frame store; `open` checks it.

    Attributes:
        video_ids: of the stored videos, in the manifest's order.
        failures: id to reason of each video that no reader could decode.
        recipe: which frames are stored.
        digest: changes with any stored byte.
    """

    def __init__(self, folder: Path, index: StoreIndex) -> None:
        self._folder, self._index = folder, index
        self.recipe, self.digest = index.recipe, index.digest
        self._entries: dict[str, tuple[Shard, StoredVideo]] = {}
        self.failures: dict[str, str] = {}
        for shard in index.shards:
            for video in shard.videos:
                if video.failure:
                    self.failures[video.video_id] = video.failure
                else:
                    self._entries[video.video_id] = (shard, video)
        self.video_ids = tuple(self._entries)
        self._maps: dict[str, npt.NDArray[np.uint8]] = {}

    @classmethod
    def open(cls, folder: Path) -> FrameStore:
        """Open a store, checking the index, and each shard's presence and size but not its bytes.

        Raises:
            BenchmarkError: for a store that is incomplete or was changed.
        """
        path = folder / INDEX_NAME
        if not path.is_file():
            raise BenchmarkError(
                "no frame store, or an unfinished one", where=path, fix=_EXTRACT_AGAIN
            )
        try:
            index = StoreIndex.model_validate_json(path.read_text(encoding="utf-8"))
        except (ValidationError, UnicodeDecodeError) as error:
            what = str(error).replace("\n", " ")
            raise BenchmarkError(what, where=path, fix=_EXTRACT_AGAIN) from error
        content = [asdict(index.recipe), [shard.model_dump() for shard in index.shards]]
        if digest_of(content) != index.digest:
            raise BenchmarkError("the index was changed", where=path, fix=_EXTRACT_AGAIN)
        faults = []
        for shard in index.shards:
            data = folder / shard.file
            num_bytes = data.stat().st_size if data.is_file() else None
            if num_bytes is None:
                faults.append(BenchmarkError("the shard is missing", where=data))
            elif num_bytes != shard.num_bytes:
                what = f"the shard has {num_bytes} bytes, not {shard.num_bytes}"
                faults.append(BenchmarkError(what, where=data, fix=_EXTRACT_AGAIN))
        raise_all(faults, str(folder))
        return cls(folder, index)

    def verify(self) -> None:
        """Hash every shard.

        Raises:
            BenchmarkError: naming each shard whose bytes are not those that were extracted.
        """
        faults = [
            BenchmarkError(
                "the shard was changed", where=data, fix=f"delete it and {_EXTRACT_AGAIN}"
            )
            for shard in self._index.shards
            if file_sha256(data := self._folder / shard.file) != shard.sha256
        ]
        raise_all(faults, str(self._folder))

    def num_positions(self, video_id: str) -> int:
        """Return P, the number of stored frames of a video."""
        return self._entry(video_id)[1].num_positions

    def reader(self, video_id: str) -> str:
        """Return name and version of what decoded a video."""
        return self._entry(video_id)[1].reader

    def source_frames(self, video_id: str) -> npt.NDArray[np.int64]:
        """Return the frame index in the video of each stored position, ascending: `[P]`."""
        video = self._entry(video_id)[1]
        return self.recipe.source_frames(video.num_frames, video.fps)

    def frames(
        self, video_id: str, positions: Sequence[int], size: int | None = None
    ) -> npt.NDArray[np.uint8]:
        """Read frames.

        Args:
            video_id: a stored video.
            positions: K stored positions, in any order, repetitions allowed.
            size: pixels of a square: the short side is resized to it (see
                `benchmark.data.resize`) and the centre cut out; None for frames as stored.

        Returns:
            `[K, H, W, 3]` RGB, a copy.

        Raises:
            BenchmarkError: for an unknown video.
            IndexError: for a position outside 0..P - 1.
        """
        shard, video = self._entry(video_id)
        chosen = np.asarray(positions, dtype=np.int64)
        if chosen.size and (chosen.min() < 0 or chosen.max() >= video.num_positions):
            raise IndexError(f"'{video_id}' has positions 0..{video.num_positions - 1}")
        shape = (video.num_positions, video.height, video.width, 3)
        end = video.offset + int(np.prod(shape))
        frames = self._map(shard)[video.offset : end].reshape(shape)[chosen]
        return frames if size is None else centre_crop(resize_short_side(frames, size), size)

    def _map(self, shard: Shard) -> npt.NDArray[np.uint8]:
        if shard.file not in self._maps:
            whole = np.memmap(self._folder / shard.file, dtype=np.uint8, mode="r")
            # A plain view: slicing np.memmap itself costs more than reading a small frame.
            self._maps[shard.file] = whole.view(np.ndarray)
        return self._maps[shard.file]

    def _entry(self, video_id: str) -> tuple[Shard, StoredVideo]:
        if video_id not in self._entries:
            if video_id in self.failures:
                raise BenchmarkError(
                    f"'{video_id}' could not be decoded: {self.failures[video_id]}",
                    where=self._folder,
                )
            hint = did_you_mean(video_id, self.video_ids) if len(self.video_ids) < 1000 else ""
            raise BenchmarkError(f"no video '{video_id}'{hint}", where=self._folder)
        return self._entries[video_id]
