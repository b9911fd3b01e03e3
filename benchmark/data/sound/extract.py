"""Extraction of sound: every usable video of a manifest is listened to once.

As with frames, a shard is the unit of work and of resuming: its bytes are on the disk before the
description beside it, and the index, which makes the store a whole, comes last. A run that is
killed is finished by the same call and ends in the same bytes, by any number of workers.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from benchmark.data.manifest.manifest import Manifest
from benchmark.data.shard_files import finished, in_processes, remove_stale_shards
from benchmark.data.sound.decoding import NO_TRACK, RATE_HZ, decode_sound, sound_reader
from benchmark.data.sound.store import (
    SOUND_INDEX,
    SoundIndex,
    SoundShard,
    StoredSound,
    index_digest,
)
from benchmark.data.video_io.probe import Progress
from benchmark.errors import BenchmarkError
from benchmark.files.sealed import file_sha256, part_digest, write_sealed
from benchmark.files.writing import digest_of, replace_when_complete

__all__ = ["extract_sound", "sound_bytes"]

_VIDEOS_A_SHARD = 32
_FORMAT_VERSION = 2  # raise it whenever the same videos give other bytes


@dataclass(frozen=True)
class _Video:
    video_id: str
    path: Path
    sha256: str
    num_frames: int
    fps: float
    start_s: float
    has_audio: bool


@dataclass(frozen=True)
class _Job:
    folder: Path
    number: int
    videos: tuple[_Video, ...]

    @property
    def path(self) -> Path:
        return self.folder / f"sound-{self.number:05d}.bin"

    @property
    def key(self) -> str:
        """Digest of all that the bytes depend on; not where the videos lie."""
        facts = [
            (v.video_id, v.sha256, v.num_frames, v.fps, v.start_s, v.has_audio) for v in self.videos
        ]
        return digest_of([_FORMAT_VERSION, RATE_HZ, facts, sound_reader()])


def extract_sound(
    manifest: Manifest, folder: Path, *, workers: int, progress: Progress | None = None
) -> None:
    """Write the sound store of a manifest, going on where an earlier run was stopped.

    A video without sound is in the store, silent, with the reason. With more than one worker,
    processes are spawned: a script that calls this needs the `__main__` guard.

    Args:
        manifest: its usable videos are listened to.
        folder: receives the shards and, last, the index.
        workers: processes; any number gives the same bytes.
        progress: called with (videos done, videos in all).

    Raises:
        BenchmarkError: if the disk has no room for it, before anything is written.
    """
    jobs = _jobs(manifest, folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SOUND_INDEX).unlink(missing_ok=True)
    _check_room(manifest, folder)
    shards: dict[str, SoundShard] = {}
    num_done, num_videos = 0, sum(len(job.videos) for job in jobs)
    found = [finished(job.path, job.key, SoundShard) for job in jobs]
    missing = [job for job, shard in zip(jobs, found, strict=True) if shard is None]
    for shard in chain(filter(None, found), in_processes(_write, missing, workers)):
        shards[shard.file] = shard
        num_done += len(shard.videos)
        if progress is not None:
            progress(num_done, num_videos)
    ordered = tuple(shards[job.path.name] for job in jobs)
    remove_stale_shards(folder, "sound-", shards)
    index = SoundIndex(shards=ordered, digest=index_digest(ordered))
    write_sealed(folder / SOUND_INDEX, index)


def sound_bytes(manifest: Manifest) -> int:
    """Return how many bytes the waveforms of a manifest take at most."""
    rows = manifest.usable()
    return int((rows["duration_s"] * rows["has_audio"]).sum() * RATE_HZ) * 2


def _check_room(manifest: Manifest, folder: Path) -> None:
    there = sum(path.stat().st_size for path in folder.glob("sound-*.bin"))
    needed, free = sound_bytes(manifest) - there, shutil.disk_usage(folder).free
    if needed > free:
        raise BenchmarkError(
            f"the sound of '{manifest.dataset}' takes {needed / 1e9:.1f} GB more, "
            f"{free / 1e9:.1f} GB are free",
            where=folder,
            fix="make room, or let results lie on another disk",
        )


def _jobs(manifest: Manifest, folder: Path) -> list[_Job]:
    rows = manifest.usable()
    names = ("video_id", "path", "sha256", "num_frames", "fps", "start_s", "has_audio")
    videos = [
        _Video(video_id, manifest.root / path, *facts)
        for video_id, path, *facts in zip(*(rows[name].tolist() for name in names), strict=True)
    ]
    starts = range(0, len(videos), _VIDEOS_A_SHARD)
    return [
        _Job(folder, number, tuple(videos[start : start + _VIDEOS_A_SHARD]))
        for number, start in enumerate(starts)
    ]


def _write(job: _Job) -> SoundShard:
    """Decode the sound of a shard's videos, and write it and the description."""
    whole, first, stored = hashlib.sha256(), 0, []
    job.path.with_suffix(".json").unlink(missing_ok=True)
    with replace_when_complete(job.path) as partial, partial.open("wb") as file:
        for video in job.videos:
            content, fault = _decoded(video)
            num_samples = len(content) // 2
            file.write(content)
            whole.update(content)
            stored.append(
                StoredSound(
                    video_id=video.video_id,
                    first=first,
                    num_samples=num_samples,
                    samples_digest=part_digest(content),
                    fault=fault,
                )
            )
            first += num_samples
    shard = SoundShard(
        file=job.path.name,
        key=job.key,
        num_bytes=2 * first,
        sha256=whole.hexdigest(),
        videos=tuple(stored),
    )
    write_sealed(job.path.with_suffix(".json"), shard)
    return shard


def _decoded(video: _Video) -> tuple[bytes, str]:
    """Return a video's samples, and what is wrong with them."""
    import av  # noqa: PLC0415

    if not video.has_audio:
        return b"", NO_TRACK
    try:
        if file_sha256(video.path) != video.sha256:
            return b"", "the file has changed since the manifest was built"
        sound = decode_sound(video.path, video.num_frames / video.fps, video.start_s)
    except (av.FFmpegError, OSError) as error:
        return b"", error.strerror or type(error).__name__
    return sound.samples.astype("<i2").tobytes(), sound.fault
