"""Extraction: every usable video of a manifest is decoded once, for all methods.

Frames are stored raw, without loss: a JPEG would make results depend on its codec. Shards are
written by any number of processes; `index.json` comes last and makes the store a whole, so a run
that is killed is finished by the same call and ends in the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

from benchmark.data.frame_store import INDEX_NAME, StoreIndex
from benchmark.data.manifest import Manifest
from benchmark.data.probe import Progress
from benchmark.data.recipe import SamplingRecipe
from benchmark.data.shards import Shard, ShardJob, VideoFile, finished_shard, write_shard
from benchmark.errors import BenchmarkError, raise_all
from benchmark.files import digest_of, write_text

__all__ = ["extract"]

_VIDEOS_A_SHARD = 32


def extract(
    manifest: Manifest,
    folder: Path,
    recipe: SamplingRecipe,
    *,
    workers: int,
    progress: Progress | None = None,
) -> None:
    """Write the frame store of a manifest, going on where an earlier run was stopped.

    With more than one worker, processes are spawned: a script that calls this needs the
    `__main__` guard.

    Args:
        manifest: its usable videos are decoded.
        folder: receives the shards and, last, `index.json`.
        recipe: which frames are stored.
        workers: processes; any number gives the same bytes.
        progress: called with (videos done, videos in all).

    Raises:
        BenchmarkError: naming all videos that no reader can decode, if they and those that the
            manifest calls missing or unreadable exceed its limit. The others are on record in
            the store's `failures`.
    """
    jobs = _jobs(manifest, folder, recipe)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / INDEX_NAME).unlink(missing_ok=True)
    shards: dict[str, Shard] = {}
    num_done, num_videos = 0, sum(len(job.videos) for job in jobs)
    for shard in _finish_all(jobs, workers):
        shards[shard.file] = shard
        num_done += len(shard.videos)
        if progress is not None:
            progress(num_done, num_videos)
    ordered = tuple(shards[job.name] for job in jobs)
    _check_limit(manifest, ordered)
    content = [asdict(recipe), [shard.model_dump() for shard in ordered]]
    index = StoreIndex(recipe=recipe, shards=ordered, digest=digest_of(content))
    _remove_strangers(folder, shards)
    write_text(folder / INDEX_NAME, index.model_dump_json() + "\n")


def _jobs(manifest: Manifest, folder: Path, recipe: SamplingRecipe) -> list[ShardJob]:
    rows = manifest.usable()
    videos = [
        VideoFile(video_id, manifest.root / path, sha256, num_frames, fps)
        for video_id, path, sha256, num_frames, fps in zip(
            *(rows[name].tolist() for name in ("video_id", "path", "sha256", "num_frames", "fps")),
            strict=True,
        )
    ]
    starts = range(0, len(videos), _VIDEOS_A_SHARD)
    return [
        ShardJob(folder, number, tuple(videos[start : start + _VIDEOS_A_SHARD]), recipe)
        for number, start in enumerate(starts)
    ]


def _finish_all(jobs: Sequence[ShardJob], workers: int) -> Iterator[Shard]:
    """Yield all shards: those of an earlier run, then the new ones as they are finished."""
    missing = []
    for job in jobs:
        shard = finished_shard(job)
        if shard is None:
            missing.append(job)
        else:
            yield shard
    if workers <= 1 or len(missing) < 2:
        for job in missing:
            yield write_shard(job)
        return
    with ProcessPoolExecutor(min(workers, len(missing)), get_context("spawn")) as pool:
        running = [pool.submit(write_shard, job) for job in missing]
        try:
            for finished in as_completed(running):
                yield finished.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _check_limit(manifest: Manifest, shards: Sequence[Shard]) -> None:
    """Raise an error that names every video which failed if there are too many."""
    failed = [video for shard in shards for video in shard.videos if video.failure]
    counts = manifest.counts()
    num_bad = len(failed) + counts["missing"] + counts["unreadable"]
    limit = manifest.max_unreadable_fraction
    if not failed or (num_bad <= limit * counts["videos"] and len(failed) < counts["ok"]):
        return
    faults = [BenchmarkError(video.failure, where=video.video_id) for video in failed]
    faults.append(
        BenchmarkError(
            f"{num_bad} of {counts['videos']} videos are missing or cannot be decoded, "
            f"the limit is {limit:.2%}",
            fix="mend or remove them and build the manifest again, or raise its "
            "max_unreadable_fraction",
        )
    )
    raise_all(faults, f"videos of '{manifest.dataset}'")


def _remove_strangers(folder: Path, shards: dict[str, Shard]) -> None:
    """Delete shards of an earlier, longer manifest and what killed writers left."""
    wanted = {name for file in shards for name in (file, Path(file).with_suffix(".json").name)}
    for path in [*folder.glob("shard-*"), *folder.glob(".*.partial")]:
        if path.name not in wanted:
            path.unlink()
