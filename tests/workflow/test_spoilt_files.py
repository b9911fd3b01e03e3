"""Whatever file of a finished run is spoilt, the next job that reads it says so or makes it again.

Each fault is made in a copy of a finished run. `python -m benchmark verify` must name the file and
the tables that it spoils. Each job that reads the file, run as with `--forcerun`, must end with an
error that names the file and the job to run again, and that job must make the file as it was.
"""

from __future__ import annotations

import contextlib
import io
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from case_of_damage import Case
from kinds_of_files import KINDS, unclaimed_files
from workflow_runs import TINY

from benchmark.experiment.finished import finished_plan
from benchmark.files.repository import REPOSITORY
from benchmark.jobs.server import forward, listening
from benchmark.verification import verify as verification

pytestmark = pytest.mark.dag

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
    "known_answers": ("artefact", "--item", "known_answers"),
    "exits": ("artefact", "--item", "exits"),
    "table": ("artefact", "--item", "table2"),
    "figure6": ("artefact", "--item", "figure6"),
    "track": ("track",),
    "outcome": ("outcome",),
}
# What an error names after --forcerun for each job that mends a file, and the job's rule.
FORCED = {
    "pretrain": ("networks/backbone.safetensors", "pretrain"),
    "features": ("features", "features"),
    "train": ("runs/multi/frameexit/predictions_seeds0.json", "train_source"),
    "evaluate": ("runs/multi/frameexit/results.json", "evaluate"),
}
CASES = {f"{name}, {way}": case for name, kind in KINDS.items() for way, case in kind.cases.items()}


def _forced(job: str) -> str:
    forced, rule = FORCED[job]
    return forced if forced == rule else f"results/tiny/{forced}"


class Copy:
    """A copy of a finished run in the place of the run itself, in which jobs can be run."""

    def __init__(self, finished: Path, folder: Path) -> None:
        self._finished, self.folder = finished, folder
        self.root = folder / "results" / finished.name

    def renew(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)
        unread = shutil.ignore_patterns("logs", "mlflow-artifacts")
        shutil.copytree(self._finished, self.root, ignore=unread)

    def spoil(self, case: Case) -> Path:
        """Spoil a file, and return it."""
        path = sorted(self.root.glob(case.file))[0]
        case.spoil(path)
        return path

    def job(self, name: str) -> tuple[int, str]:
        """Run a job in a fork of the job server; return its exit code and its log."""
        log = self.folder / "job.log"
        stage, *options = JOBS[name]
        given = ["--config", str(self.root / "config.json"), "--threads", "1", "--log", str(log)]
        code = forward(["job", stage, *options, *given])
        assert code is not None, "the job server answers"
        return code, log.read_text()

    def numbers(self) -> dict[str, bytes]:
        """Return the bytes of all files that hold nothing but numbers, or tables of them."""
        patterns = ("features/**/*", "runs/**/*.parquet", "runs/**/*.npy", "runs/**/*.safetensors")
        patterns += ("networks/*.safetensors", "tables/*.*", "figures/*.*")
        found = [path for pattern in patterns for path in self.root.glob(pattern) if path.is_file()]
        return {str(path.relative_to(self.root)): path.read_bytes() for path in found}


@pytest.fixture(scope="module")
def copy(tiny_run, tmp_path_factory, no_decoders) -> Iterator[Copy]:
    """Return a copy of the finished run, and keep a server for its jobs."""
    folder = tmp_path_factory.mktemp("copy")
    address = str(tmp_path_factory.mktemp("server") / "socket")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCHMARK_JOB_SERVER", address)
        patch.chdir(folder)
        with listening(address) as listener:
            number = listener.fileno()
            command = [sys.executable, "-m", "benchmark", "serve", str(number)]
            server = subprocess.Popen(
                command, stdin=subprocess.PIPE, env=no_decoders, pass_fds=[number]
            )
        with server:
            yield Copy(tiny_run.results, folder)
            assert server.stdin is not None
            server.stdin.close()


@pytest.fixture
def stale(copy, monkeypatch):
    """Return a function that verifies the copy: all reasons, by the table that is stale."""
    monkeypatch.setattr(verification, "_REASONS_SHOWN", 1000)

    def look() -> dict[str, str]:
        with contextlib.redirect_stdout(io.StringIO()) as printed:  # jobs need the real output
            code = verification.verify(finished_plan("results", copy.root.name))
        found = dict(re.findall(r"^(\w+) +STALE: (.*)$", printed.getvalue(), re.MULTILINE))
        assert code == int(bool(found))
        return found

    return look


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_spoilt_file_is_found_by_verify_and_by_the_jobs_that_read_it(copy, stale, case):
    copy.renew()
    undisturbed = copy.numbers()
    path = copy.spoil(case)
    found = stale()
    assert set(found) == case.tables
    assert [said for said in found.values() if not re.search(case.seen, said)] == []
    for job in case.stops:
        code, log = copy.job(job)
        assert code == 1, f"{job} ended well"
        (error,) = (line for line in log.splitlines() if line.startswith("error: "))
        named = case.named or re.escape(str(path.relative_to(copy.folder)))
        assert re.search(named, error), error
        assert "Fix: " in error, error
        if case.mended_by in FORCED:
            assert f"--forcerun {_forced(case.mended_by)}" in error, error
    if case.mended_by:
        code, log = copy.job(case.mended_by)
        assert code == 0, log
        assert copy.numbers() == undisturbed


def test_every_file_of_a_finished_run_is_of_a_kind_that_is_tried(tiny_run):
    assert unclaimed_files(tiny_run.results) == []
    root = REPOSITORY
    for name, kind in KINDS.items():
        assert bool(kind.cases) != bool(kind.elsewhere), name
        assert not kind.elsewhere or (root / kind.elsewhere).is_file(), name


def test_what_an_error_names_after_forcerun_is_what_snakemake_runs_again(tiny_run):
    for job in ("train", "evaluate"):
        printed = replace(tiny_run, flags=("--dry-run", "--forcerun", _forced(job))).run_well()
        rule = re.search(r"^ +forced:\n +(.*)$", printed, re.MULTILINE)
        assert rule, printed
        assert rule[1] == FORCED[job][1]


def test_the_tiny_profile_is_the_one_of_these_cases():
    assert (list(TINY["datasets"]), TINY["seeds"]) == (["multi"], [0])
