"""A stage that is killed goes on from the last epoch that was written down, to the same weights."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from lightning_fabric.plugins import Precision
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from benchmark.files import replace_when_complete
from benchmark.training.state import copy_of, put_tensors, tensors_of

__all__ = ["Interrupted"]


@dataclass(frozen=True)
class Interrupted:
    """The state of a stage between two epochs.

    Attributes:
        path: of the file.
        every: epochs between two writings.
    """

    path: Path
    every: int

    @classmethod
    def beside(cls, checkpoint: Path, every: int) -> Interrupted:
        """Return the file that stands in for a stage's checkpoint until that is there."""
        return cls(checkpoint.with_suffix(".interrupted.pt"), every)

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
        with replace_when_complete(self.path) as partial:
            torch.save(content, partial)

    def load(
        self,
        trainee: nn.Module,
        optimiser: Optimizer,
        schedule: LRScheduler,
        precision: Precision,
    ) -> list[dict[str, Any]]:
        """Take up the state, if there is one, and return the log of the epochs that are done."""
        try:
            content = torch.load(self.path, map_location="cpu", weights_only=True)
        except (FileNotFoundError, RuntimeError, EOFError, pickle.UnpicklingError):
            return []  # none, or cut off by a full disk: from the beginning
        put_tensors({"": trainee}, content["trainee"])
        optimiser.load_state_dict(content["optimiser"])
        schedule.load_state_dict(content["schedule"])
        precision.load_state_dict(content["precision"])
        log: list[dict[str, Any]] = content["log"]
        return log

    def forget(self) -> None:
        """Delete the file: the stage's checkpoint is there."""
        self.path.unlink(missing_ok=True)
