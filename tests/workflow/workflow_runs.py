"""Whole workflows in temporary folders, as a user starts them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmark.files.repository import REPOSITORY

# One set, one seed; every stage, with pretraining and the feature store.
TINY = {
    "profile": "tiny",
    "description": "a test",
    "seeds": [0],
    "datasets": {
        "multi": {
            "role": "multi",
            "builtin": {"set": "multi", "num_train": 20, "num_val": 12},
            "sampling": {"positions": 16},
            "metric": "map",
        }
    },
    "backbone": {
        "network": "tiny_cnn",
        "weights": "pretrained",
        "pretraining": {
            "epochs": 1,
            "frames_per_video": 2,
            "learning_rate": 0.01,
            "batch_size": 16,
        },
    },
    "training": {
        "head_units": 16,
        "learning_rate": 0.003,
        "batch_size": 8,
        "epochs_scale": 0.06,
    },
    "bootstrap": {"replicates": 20},
}

# A Python that cannot open a video: both decoders are gone.
NO_DECODERS = """\
import sys

from benchmark.files.repository import REPOSITORY

class NoDecoders:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"av", "decord"}:
            raise ImportError(f"{name} was taken away")

sys.meta_path.insert(0, NoDecoders())
"""


@dataclass(frozen=True)
class Workflow:
    """A working folder with a profile.

    Attributes:
        folder: receives `results/`.
        profile: a name, or the path of a YAML file.
        settings: overrides of the profile, as after `--config`.
        environment: variables beside the test's own.
        flags: of Snakemake, such as `--touch`.
    """

    folder: Path
    profile: str
    settings: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    flags: tuple[str, ...] = ()

    @property
    def results(self) -> Path:
        return self.folder / "results" / Path(self.profile).stem

    def start(self, *targets: str) -> subprocess.Popen[str]:
        """Start Snakemake in a process group of its own."""
        given = {"profile": self.profile, **self.settings}
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "snakemake", "--cores", "2", *self.flags),
                *("--snakefile", str(REPOSITORY / "workflow" / "Snakefile")),
                *("--directory", str(self.folder)),
                *("--config", *(f"{key}={value}" for key, value in given.items())),
                *("--", *targets),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **self.environment},
            start_new_session=True,
        )

    def run(self, *targets: str) -> tuple[int, str]:
        """Run to the end and return the exit code and all that was printed."""
        with self.start(*targets) as process:
            try:
                printed = process.communicate(timeout=1200)[0]
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
        return process.returncode, printed

    def run_well(self, *targets: str) -> str:
        code, printed = self.run(*targets)
        assert code == 0, printed[-4000:]
        return printed

    def planned_jobs(self) -> set[str]:
        """Return the jobs that a run would do now, by the names of their logs."""
        code, printed = replace(self, flags=("--dry-run", "--quiet", "host")).run()
        assert code == 0, printed[-4000:]
        return set(re.findall(r"/logs/(\S+)\.log\b", printed))

    def kill_when(self, pattern: str) -> None:
        """Start, and kill every process of it at once when a file of the results appears."""
        with self.start() as process:
            while process.poll() is None and not any(self.results.glob(pattern)):
                time.sleep(0.01)
            if process.poll() is not None:
                printed = process.communicate()[0]
                raise AssertionError(f"it ended before {pattern} was there:\n{printed}")
            os.killpg(process.pid, signal.SIGKILL)

    def numbers(self) -> dict[str, bytes]:
        """Return the bytes of every file that holds numbers, by its path."""
        patterns = ("tables/*.csv", "figures/*.csv", "runs/**/*.parquet", "runs/**/*.npy")
        found = [path for pattern in patterns for path in self.results.glob(pattern)]
        return {str(path.relative_to(self.results)): path.read_bytes() for path in found}


def last_error(printed: str) -> str:
    """Return what was printed from the first of the closing errors on."""
    assert "\nerror: " in f"\n{printed}", printed[-4000:]
    closing = f"\n{printed.rstrip()}".rpartition("\nWorkflowError:\n")[2]
    return closing[closing.index("error: ") :]
