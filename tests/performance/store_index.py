"""Gathers and opens a frame store of half a million videos whose shards are holes in files.

    python tests/performance/store_index.py [--videos 500000]

The manifest and the shards' descriptions are made up, like HVU at 5 frames a second. Each step
runs in a process of its own and says its time and its highest memory. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.data.frames.extract import _jobs, extract
from benchmark.data.frames.recipe import SamplingRecipe
from benchmark.data.frames.shards import Shard, StoredVideo
from benchmark.data.frames.store import FrameStore
from benchmark.data.manifest.manifest import Manifest

_RECIPE = SamplingRecipe(None, 5.0, 256, scaling="fit", jpeg_quality=90)
_BYTES_A_FRAME = 25_000


def make_manifest(num_videos: int) -> Manifest:
    """Return a manifest of clips of 4 to 11 seconds."""
    draw = np.random.default_rng(0)
    number = np.arange(num_videos)
    rows = pd.DataFrame(
        {
            "video_id": [
                f"train/{n * 7919:011x}_{n % 1000:06d}_{n % 1000 + 10:06d}" for n in number
            ],
            "sha256": [f"{n:064x}" for n in number],
            "num_frames": draw.integers(120, 330, num_videos),
            "fps": 29.97,
            "width": 340,
            "height": 256,
            "status": "ok",
        }
    )
    rows["path"] = rows["video_id"] + ".mp4"
    return Manifest("large", "single_label", ("one",), 1, Path("/videos"), rows)


def pretend(num_videos: int, folder: Path) -> None:
    """Write the shards' descriptions, and files of the right size without content."""
    for job in _jobs(make_manifest(num_videos), folder, _RECIPE):
        offset, videos = 0, []
        for video in job.videos:
            count = len(_RECIPE.source_frames(video.num_frames, video.fps))
            entry = StoredVideo(
                video_id=video.video_id,
                num_frames=video.num_frames,
                fps=video.fps,
                offset=offset,
                num_positions=count,
                height=256,
                width=340,
                reader="pyav 18.1.0",
            )
            videos.append(entry)
            offset += count * _BYTES_A_FRAME
        shard = Shard(
            file=job.name,
            key=job.key,
            num_bytes=offset,
            sha256="0" * 64,
            videos=tuple(videos),
            coder=job.coder,
        )
        data = folder / job.name
        data.touch()
        os.truncate(data, offset)
        data.with_suffix(".json").write_text(shard.model_dump_json())


def gather(num_videos: int, folder: Path) -> None:
    """Check all shards and write the index."""
    extract(make_manifest(num_videos), folder, _RECIPE, workers=1)


def open_store(num_videos: int, folder: Path) -> None:
    """Open the store."""
    assert len(FrameStore.open(folder).video_ids) == num_videos


def measured(step, num_videos: int, folder: Path) -> None:
    """Run a step and print what it took."""
    before, wall, cpu = _megabytes(), time.perf_counter(), time.process_time()
    step(num_videos, folder)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    spent = f"{wall:.1f} s, {cpu:.1f} s of a processor"
    print(f"{step.__name__}: {spent}, at most {_megabytes():.0f} MB ({before:.0f} before)")


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def main() -> None:
    """Measure each step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=500_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for step in (pretend, gather, open_store):
            process = get_context("spawn").Process(
                target=measured, args=(step, args.videos, Path(folder))
            )
            process.start()
            process.join()


if __name__ == "__main__":
    main()
