"""The training loop of every method: one optimiser, one schedule, one data order rule.

Methods get the same budget: the epochs and milestones of the papers, scaled by the profile. All
randomness derives from the stage's seed, so a run that is killed and started again ends in the
same weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from benchmark.config import Training
from benchmark.contract import Method, Stage
from benchmark.seeds import derive_seed, video_keys
from benchmark.videos import FeatureSource, Videos

__all__ = ["Epoch", "TrainingSet", "fit"]


@dataclass(frozen=True)
class TrainingSet:
    """Videos with their labels, and where their features come from.

    Attributes:
        sources: give features by the videos' place in `video_ids`, by role of the network.
        video_ids: N ids.
        lengths: `[N]` int64, stored frames.
        targets: `[N]` class indices or `[N, C]` 0/1.
    """

    sources: Mapping[str, FeatureSource]
    video_ids: Sequence[str]
    lengths: np.ndarray[tuple[int], np.dtype[np.int64]]
    targets: Tensor


@dataclass(frozen=True)
class Epoch:
    """A line of the training log."""

    stage: str
    epoch: int
    loss: float
    learning_rate: float


def fit(
    method: Method,
    stage: Stage,
    videos: TrainingSet,
    schedule: Training,
    seed: int,
    *,
    finetuned: Sequence[nn.Module] = (),
    report: Callable[[Epoch], None] = lambda epoch: None,
) -> None:
    """Train one stage in place.

    Args:
        method: built, with the weights of the earlier stages.
        stage: with the source's schedule.
        videos: the training videos.
        schedule: the profile's scale.
        seed: of this stage of this run.
        finetuned: networks that are trained too.
        report: called after each epoch.

    Raises:
        FloatingPointError: if the loss is not finite.
    """
    parameters = list(method.trainable(stage.name))
    for network in finetuned:
        parameters += network.parameters()
    _set_modes([method, *finetuned], parameters)
    optimiser = torch.optim.Adam(parameters, lr=schedule.learning_rate, fused=True)
    epochs = max(1, round(stage.epochs * schedule.epochs_scale))
    drops = [round(m * schedule.epochs_scale) for m in stage.milestones]
    plan = torch.optim.lr_scheduler.MultiStepLR(optimiser, [d for d in drops if d > 0], gamma=0.1)
    keys, num = video_keys(videos.video_ids), len(videos.video_ids)
    num_batches = max(1, math.ceil(num / schedule.batch_size))
    torch.manual_seed(derive_seed(seed, "training"))
    draw = np.random.default_rng(derive_seed(seed, "data order"))
    for epoch in range(1, epochs + 1):
        total = 0.0
        epoch_seed = derive_seed(seed, "epoch", epoch)
        for number, chosen in enumerate(np.array_split(draw.permutation(num), num_batches)):
            indices = torch.from_numpy(chosen)
            batch = Videos(
                videos.sources,
                indices,
                keys[chosen],
                videos.lengths[chosen],
                epoch_seed,
                targets=videos.targets[indices],
                progress=(epoch - 1 + number / num_batches) / epochs,
            )
            loss = method.loss(stage.name, batch)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            total += loss.item() * len(chosen)
        if not math.isfinite(total):
            raise FloatingPointError(f"loss of stage '{stage.name}' is {total} in epoch {epoch}")
        report(Epoch(stage.name, epoch, total / num, optimiser.param_groups[0]["lr"]))
        plan.step()
    for module in (method, *finetuned):
        module.eval()


def _set_modes(modules: Iterable[nn.Module], parameters: Sequence[nn.Parameter]) -> None:
    """Put a module in training mode where it has something to train, else in evaluation mode.

    A frozen batch norm then keeps its statistics. Modules without parameters follow the first
    rule, so that dropout works.
    """
    trained = set(map(id, parameters))
    for whole in modules:
        for parameter in whole.parameters():
            parameter.requires_grad_(id(parameter) in trained)
        for module in whole.modules():
            own = list(module.parameters())
            module.training = not own or any(id(p) in trained for p in own)
