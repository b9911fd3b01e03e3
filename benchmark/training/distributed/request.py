"""A stage that several processes train together: asked for here, run in `training/worker.py`.

The job itself stays one process, and so does all else that it does.
"""

from __future__ import annotations

import os
import signal
import subprocess
from functools import partial
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict

from benchmark.config.profile import Config
from benchmark.errors import BenchmarkError, MachineError
from benchmark.files.writing import digest_of, write_text
from benchmark.lifetime import end_with_parent
from benchmark.machine import thread_settings
from benchmark.training.distributed.launch import launch_command

__all__ = ["Cause", "StageRequest", "train_together"]

_WORKER = ("-m", "benchmark.training.distributed.worker")


class StageRequest(BaseModel):
    """Which stage is to be trained.

    Attributes:
        config: the profile.
        dataset: its name.
        method: its name.
        variant: of the method; all that share the stage get the same weights.
        number: of the stage, from 0.
        seed: of the run.
        fold: of the dataset.
        folder: of the method's checkpoints.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    config: Config
    dataset: str
    method: str
    variant: str
    number: int
    seed: int
    fold: int
    folder: Path

    @classmethod
    def load(cls, path: Path) -> StageRequest:
        """Read a request that `train_together` wrote."""
        return cls.model_validate_json(path.read_text(encoding="utf-8"))


class Cause(BaseModel):
    """Why one of the processes failed: the file that it leaves beside the request.

    Attributes:
        says: the rank and the error.
        of_method: whether the error is that of the method's own code.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    says: str
    of_method: bool


def train_together(request: StageRequest) -> None:
    """Start the processes of the profile, and wait until rank 0 has stored the stage.

    Raises:
        BenchmarkError: with the cause that the first failing process gives, if it is the method's.
        MachineError: with that cause if it is the machine's, or else with the exit code.
    """
    text = request.model_dump_json()
    path = request.folder / f"request-{digest_of(text)}.json"
    causes = path.with_suffix(".cause")
    write_text(path, text)
    causes.unlink(missing_ok=True)
    command = launch_command(request.config.compute, [*_WORKER, str(path)], os.environ)
    try:
        # Else each process warns that a method might have used all of its parameters.
        environ = {"TORCH_CPP_LOG_LEVEL": "ERROR", **os.environ, **_share_of_threads(request)}
        # As a launcher is told by Slurm, so that it ends its own processes.
        follow = partial(end_with_parent, os.getpid(), signal.SIGTERM)
        code = subprocess.run(command, check=False, env=environ, preexec_fn=follow).returncode
        if code:
            where = "a process that trains with others"
            if not causes.is_file():
                raise MachineError(f"it ended with exit code {code}", where=where)
            cause = Cause.model_validate_json(causes.read_text(encoding="utf-8"))
            raise (BenchmarkError if cause.of_method else MachineError)(cause.says, where=where)
    finally:
        path.unlink(missing_ok=True)
        causes.unlink(missing_ok=True)


def _share_of_threads(request: StageRequest) -> dict[str, str]:
    """Return the settings by which the processes of a node share the threads of the job."""
    each = max(1, torch.get_num_threads() // request.config.compute.devices)
    return thread_settings(each)
