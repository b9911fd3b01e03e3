"""The sound store: any moment of the sound of any video, without a decoder.

It stands beside the frame store and is built only where a method asks for a network that listens.
Waveforms lie one after the other in shards, 32 kB a second; a spectrogram is made of a window when
it is asked for, so that its parameters may change without decoding anything again.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from benchmark.data.shard_files import ShardFacts
from benchmark.data.sound.decoding import RATE_HZ
from benchmark.errors import BenchmarkError, DamagedFileError, raise_all
from benchmark.files.sealed import again, part_digest, read_sealed_model
from benchmark.files.writing import digest_of

__all__ = ["SOUND_INDEX", "SoundIndex", "SoundShard", "SoundStore", "StoredSound", "index_digest"]

SOUND_INDEX = "index.json"


class StoredSound(BaseModel):
    """Where a video's waveform lies in its shard, as `[N]` int16.

    Attributes:
        first: sample of the shard.
        num_samples: N; 0 for a video without sound.
        samples_digest: of the waveform.
        fault: why there is none, or what of it could not be decoded.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    video_id: str
    first: int
    num_samples: int
    samples_digest: int
    fault: str = ""


class SoundShard(ShardFacts):
    """The description of a whole shard."""

    videos: tuple[StoredSound, ...]


class SoundIndex(BaseModel):
    """What the index says; `digest` changes with any stored byte."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shards: tuple[SoundShard, ...]
    digest: str


def index_digest(shards: Iterable[SoundShard]) -> str:
    """Return what changes with any stored byte."""
    return digest_of([shard.model_dump() for shard in shards])


class SoundStore:
    """Read access to a sound store; `open` checks it.

    Attributes:
        faults: id to reason of each video that has no sound, or not all of it.
        digest: changes with any stored byte.
    """

    def __init__(self, folder: Path, index: SoundIndex) -> None:
        self._folder, self._index, self.digest = folder, index, index.digest
        self._entries = {v.video_id: (shard, v) for shard in index.shards for v in shard.videos}
        self.faults = {name: v.fault for name, (_, v) in self._entries.items() if v.fault}
        self._shards: dict[str, npt.NDArray[np.int16]] = {}
        self._checked: set[str] = set()

    @classmethod
    def open(cls, folder: Path) -> SoundStore:
        """Open a store, checking the index, and each shard's presence and size.

        Its bytes are checked video by video, when they are first read.

        Raises:
            BenchmarkError: for a store that is incomplete or was changed.
        """
        path = folder / SOUND_INDEX
        index = read_sealed_model(path, SoundIndex, "sound store", again(path))
        raise_all(
            [
                DamagedFileError(
                    f"the shard is missing or has not {shard.num_bytes} bytes",
                    where=data,
                    fix=again(path),
                )
                for shard in index.shards
                if not (data := folder / shard.file).is_file()
                or data.stat().st_size != shard.num_bytes
            ],
            str(folder),
        )
        return cls(folder, index)

    @property
    def hashes(self) -> dict[str, str]:
        """The SHA-256 of each shard, by its file."""
        return {shard.file: shard.sha256 for shard in self._index.shards}

    @property
    def is_silent(self) -> bool:
        """Whether no video at all has sound."""
        return self.num_silent(self._entries) == len(self._entries)

    def num_silent(self, video_ids: Iterable[str]) -> int:
        """Return how many of these videos have no sound."""
        return sum(self._entry(video_id)[1].num_samples == 0 for video_id in video_ids)

    def waveform(self, video_id: str) -> npt.NDArray[np.int16]:
        """Return all the sound of a video, 16,000 samples a second: `[N]`; none for a silent one.

        Raises:
            BenchmarkError: for an unknown video, or sound that was changed.
        """
        shard, sound = self._entry(video_id)
        if not sound.num_samples:
            return np.zeros(0, dtype=np.int16)
        if shard.file not in self._shards:
            whole = np.memmap(self._folder / shard.file, dtype="<i2", mode="r")
            self._shards[shard.file] = whole.view(np.ndarray)
        wave = self._shards[shard.file][sound.first : sound.first + sound.num_samples]
        if video_id not in self._checked:
            if part_digest(wave) != sound.samples_digest:
                raise DamagedFileError(
                    f"'{video_id}': its sound was changed after it was stored",
                    where=self._folder / shard.file,
                    fix=f"delete this file and {again(self._folder / SOUND_INDEX)}",
                )
            self._checked.add(video_id)
        return wave

    def windows(
        self, video_id: str, moments_s: npt.NDArray[np.float64], num_samples: int
    ) -> npt.NDArray[np.int16]:
        """Return the sound around some moments; it is silent before the video and after it.

        Args:
            video_id: a stored video.
            moments_s: `[K]` seconds after the first frame of the video appears; sample
                `num_samples // 2` of a window is that of its moment.
            num_samples: of each window.

        Returns:
            `[K, num_samples]`.

        Raises:
            BenchmarkError: for an unknown video.
        """
        wave = self.waveform(video_id)
        moments = np.rint(moments_s * RATE_HZ).astype(np.int64)
        result = np.zeros((len(moments), num_samples), dtype=np.int16)
        for window, start in zip(result, (moments - num_samples // 2).tolist(), strict=True):
            first, last = max(start, 0), min(start + num_samples, len(wave))
            if first < last:
                window[first - start : last - start] = wave[first:last]
        return result

    def _entry(self, video_id: str) -> tuple[SoundShard, StoredSound]:
        if video_id not in self._entries:
            raise BenchmarkError(
                f"no sound was looked for in '{video_id}'",
                where=self._folder,
                fix=again(self._folder / SOUND_INDEX),
            )
        return self._entries[video_id]
