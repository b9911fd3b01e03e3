"""The training loop of every method: one optimiser, one schedule, one data order rule.

Methods get the same budget: the epochs and milestones of the papers, scaled by the profile. All
randomness derives from the stage's seed, so a run that is killed and started again ends in the
same weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from benchmark.config.learning import Training
from benchmark.contract import Method, Stage
from benchmark.seeds import derive_seed
from benchmark.training.batches import Cut, Part, TrainingSet, batches_of_epochs
from benchmark.training.distributed.processes import batch_norm_of, single_process
from benchmark.training.resume import Interrupted
from benchmark.videos import Videos

__all__ = ["Epoch", "Watch", "fit"]

Watch = Callable[[int, int, int], None]
"""Called after each step with steps done, steps in all, and videos that this run has seen."""


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
    fabric: Fabric | None = None,
    interrupted: Interrupted | None = None,
    report: Callable[[Epoch], None] = lambda epoch: None,
    watch: Watch = lambda done, steps, num_videos: None,
) -> None:
    """Train one stage in place.

    Args:
        method: built, with the weights of the earlier stages.
        stage: with the source's schedule.
        videos: the training videos.
        schedule: the profile's scale.
        seed: of this stage of this run.
        finetuned: networks that are trained too.
        fabric: the processes that train together; by default this one, on the CPU.
        interrupted: where the state is kept between epochs, if it is.
        report: called for each epoch, for those of an earlier run of the stage too.
        watch: called after each step.

    Raises:
        FloatingPointError: if the loss is not finite.
        BenchmarkError: if a batch is too small for its parts.
    """
    fabric = fabric or single_process(schedule.precision)
    parameters = list(method.trainable(stage.name))
    for network in finetuned:
        parameters += network.parameters()
    _set_modes([method, *finetuned], parameters)
    trainee = _Trainee(method, finetuned)
    optimiser = torch.optim.Adam(parameters, lr=schedule.learning_rate, fused=True)
    epochs = max(1, round(stage.epochs * schedule.epochs_scale))
    drops = [round(m * schedule.epochs_scale) for m in stage.milestones]
    plan = torch.optim.lr_scheduler.MultiStepLR(optimiser, [d for d in drops if d > 0], gamma=0.1)
    model, stepper = fabric.setup(trainee, optimiser)
    scaler = fabric.strategy.precision
    done = interrupted.load(trainee, optimiser, plan, scaler) if interrupted else []
    log = [Epoch(**line) for line in done]
    for line in log:
        report(line)
    cut = Cut(fabric.world_size, fabric.global_rank, schedule.accumulate, fabric.device)
    all_batches = batches_of_epochs(videos, seed, epochs, schedule.batch_size, cut)
    num_seen = 0
    for epoch, batches in enumerate(all_batches, 1):
        if epoch <= len(log):
            continue
        torch.manual_seed(derive_seed(seed, "training", epoch))  # for dropout
        total = torch.zeros((), dtype=torch.float64, device=fabric.device)
        for number, batch in enumerate(batches, 1):
            total += _step(fabric, model, stepper, stage.name, batch)
            num_seen += sum(len(part.videos) for part in batch) * fabric.world_size
            watch((epoch - 1) * len(batches) + number, epochs * len(batches), num_seen)
        whole = fabric.all_reduce(total, reduce_op="sum")
        assert isinstance(whole, Tensor), "it is one number"
        loss = whole.item() / len(videos.video_ids)
        if not math.isfinite(loss):
            raise FloatingPointError(f"loss of stage '{stage.name}' is {loss} in epoch {epoch}")
        log.append(Epoch(stage.name, epoch, loss, optimiser.param_groups[0]["lr"]))
        report(log[-1])
        plan.step()
        if interrupted and fabric.is_global_zero and epoch < epochs:
            interrupted.save(log, trainee, optimiser, plan, scaler)
    for module in (method, *finetuned):
        module.eval()


class _Trainee(nn.Module):
    """All that a stage holds, as one module: what several processes keep equal."""

    def __init__(self, method: Method, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.method, self.networks = method, nn.ModuleList(networks)

    def forward(self, stage: str, videos: Videos) -> Tensor:
        """Return the stage's loss on a batch."""
        return self.method.loss(stage, videos)


def _step(
    fabric: Fabric,
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    stage: str,
    batch: Sequence[Part],
) -> Tensor:
    """Take one step on this process's parts of a batch, and return the sum of their losses.

    Nothing waits for the device here: the next batch is read while it computes.
    """
    total = torch.zeros((), dtype=torch.float64, device=fabric.device)
    for number, part in enumerate(batch, 1):
        with fabric.no_backward_sync(model, enabled=number < len(batch)):  # type: ignore[arg-type]
            with batch_norm_of(fabric):
                loss = model(stage, part.videos)
            fabric.backward(loss * part.weight)
        total += loss.detach().double() * len(part.videos)
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    return total


def _set_modes(modules: Iterable[nn.Module], parameters: Sequence[nn.Parameter]) -> None:
    """Put a module in training mode where it has something to train, else in evaluation mode.

    A frozen batch norm then keeps its statistics. A module without parameters but with buffers, as
    a norm without scale and offset, is trained with the module around it. One that has neither is
    always in training mode, so that dropout works.
    """
    trained = set(map(id, parameters))
    for whole in modules:
        for parameter in whole.parameters():
            parameter.requires_grad_(id(parameter) in trained)
        _set_mode(whole, trained, around=True)


def _set_mode(module: nn.Module, trained: set[int], *, around: bool) -> None:
    own = list(module.parameters())
    inside = any(id(p) in trained for p in own) if own else around
    has_state = bool(own) or any(True for _ in module.buffers())
    module.training = inside or not has_state
    for child in module.children():
        _set_mode(child, trained, around=inside)
