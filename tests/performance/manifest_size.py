"""How long, and how much memory, half a million videos take: listing, building, reading.

Two ways are compared in one run: names looked up in one walk, and a stat a video. Run as
`python tests/performance/manifest_size.py [videos]`; it writes to a temporary folder. The files are
empty, and facts about them come from a base manifest: what is timed is everything but reading them.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmark.config.datasets import HvuVideos, KineticsVideos
from benchmark.data.manifest.build import build_manifest
from benchmark.data.manifest.listing import Listing
from benchmark.data.manifest.manifest import Manifest, read_manifest, write_manifest
from benchmark.data.published.hvu import list_hvu
from benchmark.data.published.kinetics import list_kinetics
from benchmark.data.published.video_files import VideoFiles

TAGS_A_CLIP = 19  # HVU: 9 million annotations of 476,000 clips
LETTERS = np.array(list("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"))


def main(num_videos: int) -> None:
    """Time every step on Kinetics-like and on HVU-like lists."""
    with tempfile.TemporaryDirectory() as made:
        root = Path(made)
        ids = write_lists(root, num_videos)
        timed("write empty files", lambda: write_files(root, ids[: num_videos * 9 // 10]))
        files = timed("walk the folder", lambda: VideoFiles.below(root))
        paths = [root / path for path in files.paths]
        timed("  (a stat a file, for comparison)", lambda: [path.is_file() for path in paths])
        lists = KineticsVideos(root="", train="train.txt", val="val.txt", classes="classes.txt")
        listing = timed("list Kinetics", lambda: list_kinetics(root, lists, files))
        tags = HvuVideos(root="", train="train.csv", val="val.csv", tags="tags.csv")
        timed_manifest("Kinetics", root, listing, "single_label")
        listing = timed("list HVU", lambda: list_hvu(root, tags, files))
        timed_manifest("HVU", root, listing, "multi_label")


def timed_manifest(name: str, root: Path, listing: Listing, task: Any) -> None:
    """Time building, writing and reading of a manifest of these rows."""
    base = with_made_up_facts(root, listing, task)

    def build() -> Manifest:
        return build_manifest(
            listing, root=root, dataset="big", task=task, base=base, max_unreadable_fraction=0.2
        )

    manifest = timed(f"build {name}", build)
    path = root / f"{name}.csv"
    timed(f"write {name}", lambda: write_manifest(manifest, path))
    print(f"{'':36}{path.stat().st_size / 1e6:8.0f} MB, {manifest.counts()}", flush=True)
    # A process of its own, as every job that reads it, so that its memory is that of reading.
    subprocess.run([sys.executable, __file__, f"read {name}", path], check=True)


def with_made_up_facts(root: Path, listing: Listing, task: Any) -> Manifest:
    """Return a manifest whose files differ, and of which a tenth is missing."""
    rows = listing.rows.copy()
    there = rows["is_there"]
    rows["sha256"] = [f"{number:064x}" for number in range(len(rows))]
    rows = rows.assign(fold=0, duration_s=10.0, fps=30.0, num_frames=300, width=340, height=256)
    rows = rows.assign(has_audio=True, stream=0, start_s=0.0, constant_rate=True)
    rows = rows.assign(status=there.map({True: "ok", False: "missing"}))
    rows = rows.assign(reason=there.map({True: "", False: "no such file"}))
    manifest = Manifest("big", task, listing.classes, 1, root, rows)
    return replace(manifest, rows=rows)


def write_lists(root: Path, num_videos: int) -> list[str]:
    """Write lists of both datasets with the same clips, and return their ids."""
    draw = np.random.default_rng(0)
    ids = pd.Series(["".join(row) for row in LETTERS[draw.integers(64, size=(num_videos, 11))]])
    classes = [f"class number {n}" for n in range(200)]
    (root / "classes.txt").write_text("\n".join(classes) + "\n")
    numbers = pd.Series(draw.integers(200, size=num_videos))
    lines = "images/train/" + numbers.map(dict(enumerate(classes))) + "/" + ids
    lines += "_000010_000020 300 " + numbers.astype(str)
    tags = [f"tag_number_{n}" for n in range(3142)]
    pd.DataFrame({"Tag": tags, "Category": [f"category{n % 6}" for n in range(3142)]}).to_csv(
        root / "tags.csv", index=False
    )
    cells = ["|".join(tags[t] for t in row) for row in draw.integers(3142, size=(num_videos, 19))]
    clips = pd.DataFrame({"Tags": cells, "youtube_id": ids, "time_start": 10.0, "time_end": 20.0})
    num_val = num_videos // 16
    for name, rows in (("val", slice(0, num_val)), ("train", slice(num_val, None))):
        (root / f"{name}.txt").write_text("\n".join(lines[rows]) + "\n")
        clips[rows].to_csv(root / f"{name}.csv", index=False)
    return ids.tolist()


def write_files(root: Path, ids: list[str]) -> None:
    """Write an empty file for each clip, in 200 folders."""
    for number in range(200):
        (root / f"f{number}").mkdir()
    for number, video in enumerate(ids):
        (root / f"f{number % 200}" / f"{video}_000010_000020.mp4").touch()


def timed(what: str, work: Callable[[], Any]) -> Any:
    """Do something and print how long it took, and the most memory so far."""
    start, cpu_start = time.perf_counter(), time.process_time()
    result = work()
    taken, of_cpu = time.perf_counter() - start, time.process_time() - cpu_start
    peak = _peak_bytes() / 1e9
    print(f"{what:<36}{taken:7.1f} s ({of_cpu:6.1f} s of CPU), {peak:5.2f} GB so far", flush=True)
    return result


def _peak_bytes() -> int:
    """Return this process's own peak; getrusage would add what its parent had when it was made."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


if __name__ == "__main__":
    if len(sys.argv) == 3:
        timed(sys.argv[1], lambda: read_manifest(Path(sys.argv[2])))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 500_000)
