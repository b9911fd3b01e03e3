"""A stage that is killed goes on from the last epoch that was written down, to the same weights.

The file is sealed. One that was damaged is not believed: the stage begins again from its first
epoch, which ends in the same weights too, and the job's log says so.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from lightning_fabric.plugins import Precision
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from benchmark.errors import DamagedFileError
from benchmark.files.sealed import read_sealed_bytes, sealed_bytes
from benchmark.files.writing import replace_when_complete
from benchmark.training.state import copy_of, put_tensors, tensors_of

__all__ = ["Interrupted"]


@dataclass(frozen=True)
class Interrupted:
    """The state of a stage between two epochs.

    Attributes:
        path: of the file.
        every: epochs between two writings.
        say: is told if the file was damaged.
    """

    path: Path
    every: int
    say: Callable[[str], object]

    @classmethod
    def beside(cls, checkpoint: Path, every: int, say: Callable[[str], object]) -> Interrupted:
        """Return the file that stands in for a stage's checkpoint until that is there."""
        return cls(checkpoint.with_suffix(".interrupted.pt"), every, say)

    def save(
        self,
        log: Sequence[Any],
        trainee: nn.Module,
        optimiser: Optimizer,
        schedule: LRScheduler,
        precision: Precision,
    ) -> None:
        """Write the state after an epoch, if it is one of those that are written.

        Args:
            log: the epochs that are done, as dataclasses.
            trainee: all that is trained, and all that stands beside it.
            optimiser: with its moments.
            schedule: of the learning rate.
            precision: with the scale of its losses, if it has one.
        """
        if len(log) % self.every:
            return
        content = {
            "log": [asdict(line) for line in log],
            "trainee": copy_of(tensors_of({"": trainee})),
            "optimiser": optimiser.state_dict(),
            "schedule": schedule.state_dict(),
            "precision": precision.state_dict(),
        }
        written = io.BytesIO()
        torch.save(content, written)
        with replace_when_complete(self.path) as partial:
            partial.write_bytes(sealed_bytes(self.path.name, written.getvalue()))

    def load(
        self,
        trainee: nn.Module,
        optimiser: Optimizer,
        schedule: LRScheduler,
        precision: Precision,
    ) -> list[dict[str, Any]]:
        """Take up the state, if there is one, and return the log of the epochs that are done.

        A damaged file counts as none.
        """
        try:
            stored = read_sealed_bytes(self.path, "state of an interrupted training", "")
        except FileNotFoundError:
            return []
        except DamagedFileError as fault:
            self.say(f"{fault}; the stage is trained from its first epoch again")
            return []
        content = torch.load(io.BytesIO(stored), map_location="cpu", weights_only=True)
        put_tensors({"": trainee}, content["trainee"])
        optimiser.load_state_dict(content["optimiser"])
        schedule.load_state_dict(content["schedule"])
        precision.load_state_dict(content["precision"])
        log: list[dict[str, Any]] = content["log"]
        return log

    def forget(self) -> None:
        """Delete the file: the stage's checkpoint is there."""
        self.path.unlink(missing_ok=True)
