"""Extraction: every usable video of a manifest is decoded once, for all methods.

Shards are written by any number of processes, on one machine or on several that share a file
system, each shard by one. The index comes last and makes the store a whole, so a run that is
killed is finished by the same call and ends in the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmark.data.frames.disk_space import check_free_disk, estimate_size
from benchmark.data.frames.index import INDEX_NAME, StoreIndex, write_index
from benchmark.data.frames.recipe import SamplingRecipe
from benchmark.data.frames.shards import Shard, ShardJob, VideoFile, finished_shard, write_shard
from benchmark.data.manifest.manifest import Manifest
from benchmark.data.shard_files import in_processes, remove_stale_shards
from benchmark.data.video_io.probe import Progress
from benchmark.errors import BenchmarkError, raise_all

__all__ = ["extract", "extract_part"]

_VIDEOS_A_SHARD = 32


def extract(
    manifest: Manifest,
    folder: Path,
    recipe: SamplingRecipe,
    *,
    workers: int,
    progress: Progress | None = None,
) -> None:
    """Write the frame store of a manifest, going on where earlier runs or parts were stopped.

    With more than one worker, processes are spawned: a script that calls this needs the
    `__main__` guard.

    Args:
        manifest: its usable videos are decoded.
        folder: receives the shards and, last, `index.json`.
        recipe: which frames are stored.
        workers: processes; any number gives the same bytes.
        progress: called with (videos done, videos in all).

    Raises:
        BenchmarkError: if the disk is too small, before anything is decoded; naming all videos
            that no reader can decode, if they and those that the manifest calls missing or
            unreadable exceed its limit. The others are on record in the store's `failures`.
    """
    jobs = _jobs(manifest, folder, recipe)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / INDEX_NAME).unlink(missing_ok=True)
    _finish(manifest, jobs, range(len(jobs)), workers, progress)
    failed: dict[str, str] = {}
    index = StoreIndex.of(recipe, _gather(jobs, failed))
    _check_limit(manifest, failed)
    remove_stale_shards(folder, "shard-", [job.name for job in jobs])
    write_index(index, folder)


def extract_part(
    manifest: Manifest,
    folder: Path,
    recipe: SamplingRecipe,
    *,
    part: int,
    num_parts: int,
    workers: int,
    progress: Progress | None = None,
) -> int:
    """Write one part's share of the shards, and no index: `extract` gathers them.

    Args:
        manifest: see `extract`.
        folder: see `extract`; all parts write to the same.
        recipe: see `extract`.
        part: of 0..num_parts - 1.
        num_parts: jobs that share the work; each shard is one's.
        workers: processes of this part.
        progress: called with (videos done, videos of this part).

    Returns:
        The number of shards of this part.

    Raises:
        BenchmarkError: see `extract`; of videos that cannot be decoded, if those of this part
            alone exceed the limit.
    """
    jobs = _jobs(manifest, folder, recipe)
    folder.mkdir(parents=True, exist_ok=True)
    own = range(part, len(jobs), num_parts)
    failed = _finish(manifest, jobs, own, workers, progress)
    _check_limit(manifest, failed)
    return len(own)


def _jobs(manifest: Manifest, folder: Path, recipe: SamplingRecipe) -> list[ShardJob]:
    rows = manifest.usable()
    names = ("video_id", "path", "sha256", "num_frames", "fps", "height", "width")
    videos = [
        VideoFile(video_id, manifest.root / path, *facts)
        for video_id, path, *facts in zip(*(rows[name].tolist() for name in names), strict=True)
    ]
    starts = range(0, len(videos), _VIDEOS_A_SHARD)
    return [
        ShardJob(folder, number, tuple(videos[start : start + _VIDEOS_A_SHARD]), recipe)
        for number, start in enumerate(starts)
    ]


def _finish(
    manifest: Manifest,
    jobs: Sequence[ShardJob],
    own: range,
    workers: int,
    progress: Progress | None,
) -> dict[str, str]:
    """Write those of some shards that are missing; return id to reason of videos that failed.

    The disk must have room for all that is missing, other parts' too.
    """
    failed: dict[str, str] = {}
    num_done, num_videos = 0, sum(len(jobs[number].videos) for number in own)
    missing = []
    for job in jobs:
        shard = finished_shard(job)
        if shard is None:
            missing.append(job)
        elif job.number in own:
            failed |= {v.video_id: v.failure for v in shard.videos if v.failure}
            num_done += len(job.videos)
    if progress is not None and num_done:
        progress(num_done, num_videos)
    mine = [job for job in missing if job.number in own]
    if mine:
        (mine[0].folder / INDEX_NAME).unlink(missing_ok=True)
        rows = manifest.usable()
        starts = np.array([job.number for job in missing])[:, None] * _VIDEOS_A_SHARD
        at = (starts + np.arange(_VIDEOS_A_SHARD)).ravel()
        size = estimate_size(rows.iloc[at[at < len(rows)]], manifest.root, jobs[0].recipe)
        check_free_disk(size, jobs[0].folder)
    for shard in in_processes(write_shard, mine, workers):
        failed |= {v.video_id: v.failure for v in shard.videos if v.failure}
        num_done += len(shard.videos)
        if progress is not None:
            progress(num_done, num_videos)
    return dict(sorted(failed.items()))


def _gather(jobs: Sequence[ShardJob], failed: dict[str, str]) -> Iterator[Shard]:
    """Yield the finished shards in order, and note the videos that failed."""
    for job in jobs:
        shard = finished_shard(job)
        if shard is None:
            raise BenchmarkError(
                "the shard was changed while it was gathered",
                where=job.folder / job.name,
                fix="let no other run write here, and run the same command again",
            )
        failed |= {v.video_id: v.failure for v in shard.videos if v.failure}
        yield shard


def _check_limit(manifest: Manifest, failed: dict[str, str]) -> None:
    """Raise an error that names every video which failed if there are too many."""
    counts = manifest.counts()
    num_bad = len(failed) + counts["missing"] + counts["unreadable"]
    limit = manifest.max_unreadable_fraction
    if not failed or (num_bad <= limit * counts["videos"] and len(failed) < counts["ok"]):
        return
    faults = [BenchmarkError(reason, where=video) for video, reason in failed.items()]
    faults.append(
        BenchmarkError(
            f"{num_bad} of {counts['videos']} videos are missing or cannot be decoded, "
            f"the limit is {limit:.2%}",
            fix="mend or remove them and build the manifest again, or raise its "
            "max_unreadable_fraction",
        )
    )
    raise_all(faults, f"videos of '{manifest.dataset}'")
