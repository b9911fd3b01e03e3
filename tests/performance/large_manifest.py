"""A manifest of 500,000 videos with HVU's 3,142 tags: written, read, checked and turned to targets.

    python tests/performance/large_manifest.py --out DIR

Not collected by pytest, since no test may depend on a clock. The goal is that reading, checking and
planning take less than 60 s and 2 GB together: on two cores 34 s and 1.56 GiB in the command
`plan`, of which a kept calibration spares 12 s. DIR is a folder of results that holds the manifest,
for a dry run of the workflow on it: `snakemake -n --config profile=paper results=DIR …`.
"""

from __future__ import annotations

import argparse
import hashlib
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.data.manifest.checks import COLUMNS
from benchmark.data.manifest.manifest import Manifest, read_manifest, write_manifest

CATEGORIES = {
    "object": 1678,
    "action": 739,
    "concept": 291,
    "scene": 248,
    "attribute": 117,
    "event": 69,
}
"""Tags of HVU by category, as counted in its list of tags."""
TAGS_A_VIDEO = 16  # 9 million annotations of 572,000 videos (HVU's paper, Table 1)
MISSING_SHARE = 0.05


def large_manifest(num_videos: int, root: Path) -> Manifest:
    """Return a manifest like HVU's, of videos that do not exist."""
    draw = np.random.default_rng(0)
    classes = [f"{kind}/{kind}_{n}" for kind, count in CATEGORIES.items() for n in range(count)]
    classes.sort()
    names = np.array(classes, dtype=object)
    # Zipf-like: a few tags are everywhere, most are rare.
    weights = 1 / np.arange(1, len(names) + 1) ** 0.8
    chances = draw.permutation(weights / weights.sum())
    picks = draw.choice(len(names), size=(num_videos, TAGS_A_VIDEO), p=chances)
    numbers = np.arange(num_videos)
    ids = [f"{hashlib.md5(str(n).encode()).hexdigest()[:11]}_{n:06d}" for n in numbers.tolist()]
    missing = draw.random(num_videos) < MISSING_SHARE
    duration = np.round(draw.uniform(5.0, 10.0, num_videos), 3)
    rows = pd.DataFrame(
        {
            "video_id": ids,
            "path": [f"{i}.mp4" for i in ids],
            "sha256": [
                "" if gone else hashlib.sha256(i.encode()).hexdigest()
                for i, gone in zip(ids, missing.tolist(), strict=True)
            ],
            "labels": ["|".join(names[np.unique(row)]) for row in picks],
            "split": np.where(numbers % 16 == 0, "val", "train"),
            "group": "",
            "fold": -1,
            "duration_s": np.where(missing, 0.0, duration),
            "fps": np.where(missing, 0.0, 25.0),
            "num_frames": np.where(missing, 0, np.ceil(25 * duration)).astype(np.int64),
            "width": np.where(missing, 0, 340),
            "height": np.where(missing, 0, 256),
            "has_audio": ~missing,
            "stream": 0,
            "start_s": 0.0,
            "constant_rate": True,
            "status": np.where(missing, "missing", "ok"),
            "reason": np.where(missing, "no such file", ""),
        },
        columns=list(COLUMNS),
    )
    rows = rows.sort_values("video_id", ignore_index=True)
    return Manifest("hvu", "multi_label", tuple(classes), 1, root, rows, (), 0.25)


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print what the block took, and the most memory that the process has held so far."""
    wall, processor = time.perf_counter(), time.process_time()
    yield
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{what:<36}{wall:7.1f} s, {processor:7.1f} s of processor; peak {peak:.2f} GiB")


def write(path: Path, num_videos: int) -> None:
    """Write the manifest, unless one of as many videos is there."""
    if path.is_file() and len(read_manifest(path).rows) == num_videos:
        return
    with timed("make up"):
        manifest = large_manifest(num_videos, path.parent)
    with timed("write"):
        write_manifest(manifest, path)


def read(path: Path, batch: int = 64) -> None:
    """Read and check the manifest, and make targets of batches."""
    with timed("read and check"):
        manifest = read_manifest(path)
    with timed("labels of training videos"):
        labels = manifest.labels(manifest.fold(0)[0])
    with timed(f"targets of 1,000 batches of {batch}"):
        for start in range(0, 1000 * batch, batch):
            labels.targets(np.arange(start, start + batch) % len(labels))
    print(f"  dense targets would take {4 * len(labels) * labels.num_classes / 2**30:.1f} GiB")


def plan(results: Path) -> None:
    """Read and check the manifest, and plan the profile `paper` on it, as the command does."""
    command = [sys.executable, "-m", "benchmark", "plan", "--gmacs-per-second", "15000-30000"]
    command += ["--config", "profile=paper", "only=hvu", f"results={results}"]
    start = time.perf_counter()
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    wall, usage = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = usage.ru_utime + usage.ru_stime
    print(f"{'the command plan':<36}{wall:7.1f} s, {processor:7.1f} s of processor; ", end="")
    print(f"peak {usage.ru_maxrss / 2**20:.2f} GiB\n")
    print(said.split("\n\n")[1])


STEPS = ("write", "read", "plan")


def main() -> None:
    """Run each step in a process of its own, whose memory is then its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--videos", type=int, default=500_000)
    parser.add_argument("--step", choices=STEPS, help="one step alone, here")
    args = parser.parse_args()
    path = args.out / "paper" / "data" / "hvu" / "manifest.csv"
    if args.step is None:
        for step in STEPS:
            given = ["--out", str(args.out), "--videos", str(args.videos), "--step", step]
            subprocess.run([sys.executable, __file__, *given], check=True)
    elif args.step == "write":
        write(path, args.videos)
    elif args.step == "read":
        read(path)
    else:
        plan(args.out)


if __name__ == "__main__":
    main()
