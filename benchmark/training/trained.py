"""What training hands over to prediction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmark.contract import Method
from benchmark.training.dataset import Networks
from benchmark.videos import FeatureSource

__all__ = ["Trained"]


@dataclass(frozen=True)
class Trained:
    """A trained method, ready to predict.

    Attributes:
        method: in evaluation mode.
        networks: fine-tuned with it, by role; none where features come from the store.
        log: a line an epoch, of all its stages.
        checkpoints: the files that it was made of, in the order of the stages.
        sources: give the features of some videos by role.
        device: where it runs.
    """

    method: Method
    networks: Networks
    log: list[dict[str, Any]]
    checkpoints: list[Path]
    sources: Callable[[Sequence[str]], Mapping[str, FeatureSource]]
    device: torch.device
