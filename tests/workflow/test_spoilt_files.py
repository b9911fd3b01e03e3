"""Whatever file of a finished run is spoilt, the next job that reads it says so or makes it again.

Each fault is made in a copy of a finished run. Then the job that reads the file is run as with
`--forcerun`: it must end with an error that names the file and how to mend it, or leave the bytes
of the undisturbed run. `python -m benchmark verify` must name the fault too.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from workflow_runs import TINY

from benchmark.job_server import forward

pytestmark = pytest.mark.dag

RUNS = "runs/multi"
GATED = f"{RUNS}/frameexit/default/seed0"
OTHER = f"{RUNS}/frameexit/beta_1e-2/seed0"
FEATURES = "features/multi/backbone"
FRAMES = "data/multi/frames"

Spoil = Callable[[Path], None]


def flip(path: Path) -> None:
    """Change one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def flip_frames(path: Path) -> None:
    """Change one bit of the frames, whose features are to be computed once more."""
    flip(path)
    (path.parents[3] / FEATURES / "index.json").unlink()


def halve(path: Path) -> None:
    """Cut a file in half."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def edit(old: str, new: str) -> Spoil:
    """Return what replaces the first of some text, and leaves the file readable."""

    def change(path: Path) -> None:
        text = path.read_text()
        assert old in text, path
        path.write_text(text.replace(old, new, 1))

    return change


def exchange(name: str) -> Spoil:
    """Return what exchanges a file and another one, whose path is relative to its folder."""

    def change(path: Path) -> None:
        other, kept = path.parent / name, path.read_bytes()
        path.write_bytes(other.read_bytes())
        other.write_bytes(kept)

    return change


def shift_first_rows(path: Path) -> None:
    index = json.loads(path.read_text())
    index["first_row"] = [row + 1 for row in index["first_row"][:-1]] + index["first_row"][-1:]
    path.write_text(json.dumps(index))


def stop_at_the_first_step(path: Path) -> None:
    table = pq.read_table(path)
    ones = np.ones(table.num_rows, dtype=np.int64)
    place = table.column_names.index("exit_step")
    pq.write_table(table.set_column(place, "exit_step", [ones]), path)


def use_other_frame_rate(path: Path) -> None:
    table = pq.read_table(path)
    rates = [table["fps"].to_numpy() + 1]
    pq.write_table(table.set_column(table.column_names.index("fps"), "fps", rates), path)


def change_facts(path: Path) -> None:
    first, line, *rest = path.read_text().splitlines()
    name, size, changed_ns, facts, digest = json.loads(line)
    facts["num_frames"] += 1
    path.write_text("\n".join([first, json.dumps([name, size, changed_ns, facts, digest]), *rest]))


@dataclass(frozen=True)
class Case:
    """A spoilt file and the jobs that read it.

    Attributes:
        path: of the file, below the results of the profile.
        spoil: what is done to it.
        fails: jobs that must end with an error which names the file.
        mends: a job that must make the file again as it was; none where no job does without
            the videos.
        names: what the error names, where it is not the file.
    """

    path: str
    spoil: Spoil
    fails: tuple[str, ...] = ()
    mends: str = ""
    names: str = ""


CASES = {
    "labels": Case("data/multi/videos/labels.csv", edit("train", "val"), ("manifest",)),
    "truth": Case(
        "data/multi/videos/truth.jsonl", edit("easy", "hard"), ("pretrain", "known_answers")
    ),
    "record of videos": Case(
        "data/multi/videos/digests.json", edit('": "', '": "0'), ("manifest",)
    ),
    "manifest": Case("data/multi/manifest.csv", edit(",train,", ",val,"), ("train", "frames")),
    "its header": Case(
        "data/multi/manifest.json",
        edit('max_unreadable_fraction": 0', 'max_unreadable_fraction": 1'),
        ("train", "frames"),
    ),
    "facts of videos": Case("data/multi/manifest.facts.jsonl", change_facts),
    "frames": Case(f"{FRAMES}/shard-00000.bin", flip_frames, ("features",)),
    "half of the frames": Case(f"{FRAMES}/shard-00000.bin", halve, ("features", "train")),
    "description of a shard": Case(f"{FRAMES}/shard-00000.json", edit('"fps": ', '"fps": 1')),
    "index of frames": Case(
        f"{FRAMES}/index.json",
        edit('"positions":16', '"positions":15'),
        ("features", "train", "evaluate"),
    ),
    "videos of frames": Case(
        f"{FRAMES}/videos.parquet",
        use_other_frame_rate,
        ("features", "evaluate", "known_answers"),
        names="index.json",
    ),
    "weights": Case("networks/backbone.safetensors", flip, ("features", "train")),
    "half of the weights": Case("networks/backbone.safetensors", halve, ("features", "train")),
    "features": Case(f"{FEATURES}/features.npy", flip, ("train",), "features"),
    "half of the features": Case(f"{FEATURES}/features.npy", halve, ("train",), "features"),
    "first rows": Case(f"{FEATURES}/index.json", shift_first_rows, ("train",), "features"),
    "cost of features": Case(
        f"{FEATURES}/index.json",
        edit('macs_per_input": ', 'macs_per_input": 1'),
        ("train",),
        "features",
    ),
    "training list": Case(
        f"{RUNS}/frameexit/training_seeds0.json", edit('": "', '": "0'), (), "train"
    ),
    "prediction list": Case(
        f"{RUNS}/frameexit/predictions_seeds0.json",
        edit('num_parameters": ', 'num_parameters": 1'),
        ("evaluate", "control"),
    ),
    "prediction list of another method": Case(
        f"{RUNS}/uniform_k/predictions_seeds0.json",
        exchange("../random_k/predictions_seeds0.json"),
        ("evaluate_uniform_k",),
    ),
    "rows": Case(
        f"{GATED}/predictions.parquet",
        stop_at_the_first_step,
        ("evaluate", "control", "known_answers", "exits"),
    ),
    "rows of another run": Case(
        f"{GATED}/predictions.parquet",
        exchange("../../beta_1e-2/seed0/predictions.parquet"),
        ("evaluate",),
    ),
    "half of the rows": Case(f"{GATED}/predictions.parquet", halve, ("evaluate",)),
    "training rows": Case(
        f"{GATED}/train_predictions.parquet", stop_at_the_first_step, ("control_of_training_rows",)
    ),
    "training log": Case(f"{GATED}/training.jsonl", edit('"loss": ', '"loss": 1'), ("track",)),
    "result": Case(
        f"{GATED}/result.json", edit('"map": 0.', '"map": 0.9'), ("table", "track"), "evaluate"
    ),
    "result of another run": Case(
        f"{GATED}/result.json",
        exchange("../../beta_1e-2/seed0/result.json"),
        ("table", "known_answers"),
    ),
    "resamples": Case(f"{GATED}/replicates.npy", flip, ("table",), "evaluate"),
    "resamples of another run": Case(
        f"{GATED}/replicates.npy", exchange("../../beta_1e-2/seed0/replicates.npy"), ("table",)
    ),
    "list of results": Case(
        f"{RUNS}/frameexit/results.json",
        edit('"status": "ok"', '"status": "failed"'),
        ("table", "outcome"),
        "evaluate",
    ),
    "table": Case("tables/table2.csv", edit("measured", "measured "), (), "table"),
    "record of a table": Case("tables/table2.sources.json", edit('": "', '": "0'), (), "table"),
}

JOBS = {
    "manifest": ("manifest", "--dataset", "multi"),
    "frames": ("frames", "--dataset", "multi"),
    "pretrain": ("pretrain", "--item", "backbone"),
    "features": ("features", "--item", "backbone"),
    "train": ("train", "--dataset", "multi", "--method", "frameexit", "--seeds", "0"),
    "control": ("control", "--dataset", "multi", "--method", "random_exit", "--seeds", "0"),
    "control_of_training_rows": (
        *("control", "--dataset", "multi", "--method", "confidence_exit", "--seeds", "0"),
    ),
    "evaluate": ("evaluate", "--dataset", "multi", "--method", "frameexit"),
    "evaluate_uniform_k": ("evaluate", "--dataset", "multi", "--method", "uniform_k"),
    "known_answers": ("known_answers",),
    "exits": ("further_figure", "--item", "exits"),
    "table": ("table", "--item", "table2"),
    "track": ("track",),
    "outcome": ("outcome",),
}


class Copy:
    """A copy of a finished run in the place of the run itself, in which jobs can be run."""

    def __init__(self, finished: Path, folder: Path) -> None:
        self._finished, self.folder = finished, folder
        self.root = folder / "results" / finished.name

    def renew(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(self._finished, self.root)

    def job(self, name: str) -> tuple[int, str]:
        """Run a job in a fork of the job server; return its exit code and its log."""
        log = self.folder / "job.log"
        stage, *options = JOBS[name]
        given = ["--config", str(self.root / "config.json"), "--threads", "1", "--log", str(log)]
        code = forward(["job", stage, *options, *given])
        assert code is not None, "the job server answers"
        return code, log.read_text()

    def numbers(self) -> dict[str, bytes]:
        patterns = ("features/**/*", "runs/**/*.parquet", "runs/**/*.npy", "tables/*.csv")
        found = [path for pattern in patterns for path in self.root.glob(pattern) if path.is_file()]
        return {str(path.relative_to(self.root)): path.read_bytes() for path in found}


@pytest.fixture(scope="module")
def copy(tiny_run, tmp_path_factory, no_decoders) -> Iterator[Copy]:
    """Return a copy of the finished run, and keep a server for its jobs."""
    folder = tmp_path_factory.mktemp("copy")
    address = tmp_path_factory.mktemp("server") / "socket"
    command = [sys.executable, "-m", "benchmark", "serve", str(address)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCHMARK_JOB_SERVER", str(address))
        patch.chdir(folder)
        with subprocess.Popen(command, stdin=subprocess.PIPE, env=no_decoders) as server:
            made = Copy(tiny_run.results, folder)
            made.renew()
            while forward(["job", "outcome", "--config", "none", "--log", "log"]) is None:
                assert server.poll() is None
            yield made
            assert server.stdin is not None
            server.stdin.close()


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_spoilt_file_is_found_where_it_is_read(copy, case):
    undisturbed = {}
    for job in (*case.fails, *([case.mends] if case.mends else [])):
        copy.renew()
        undisturbed = undisturbed or copy.numbers()
        case.spoil(copy.root / case.path)
        code, log = copy.job(job)
        if job == case.mends:
            assert code == 0, log
            assert copy.numbers() == undisturbed
        else:
            assert code == 1, f"{job} ended well"
            (error,) = (line for line in log.splitlines() if line.startswith("error: "))
            assert str(copy.root / (case.names or case.path)).rsplit("/", 1)[-1] in error
            assert "Fix: " in error or " with --forcerun " in log


def test_the_tiny_profile_is_the_one_of_these_cases():
    assert (list(TINY["datasets"]), TINY["seeds"]) == (["multi"], [0])
