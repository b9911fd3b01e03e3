"""FrameExit (Ghodrati, Bejnordi, Habibian, CVPR 2021): conditional early exiting, Eq. 1 to 7."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmark.contract import EarlyExit, Stage, Task
from benchmark.layers import FrameHead, LinearPerStep, classification_loss, probabilities
from benchmark.sampling import Order, visiting_order
from benchmark.seeds import derive_seed
from benchmark.videos import Videos
from methods.frameexit.gates import PaperGates, ReleasedGates
from methods.frameexit.pooling import POOLINGS, Pooling


@dataclass(frozen=True)
class Params:
    """Parameters of FrameExit.

    Attributes:
        num_steps: T.
        pooling: Psi of Eq. 3.
        train_order: order in which the T frames are visited in training (Table 3).
        test_order: the same at test time.
        gate: 'paper' (two layers of 64 units) or 'released' (128 and 64 units with batch norm, and
            a confidence threshold in place of the first gate).
        beta: trade-off of Eq. 6, 1e-6 to 1e-2 in the paper.
        first_step_confidence: of the released first step (0.99 for ActivityNet).
    """

    num_steps: int = 10
    pooling: Literal["max", "average", "lstm", "attention"] = "max"
    train_order: Order = "coarse_to_fine"
    test_order: Order = "coarse_to_fine"
    gate: Literal["paper", "released"] = "paper"
    beta: float = 1e-4
    first_step_confidence: float = 0.99


class State(NamedTuple):
    """What is kept of a video between steps.

    Attributes:
        pooled: z_t, `[N, D]`.
        previous: z_{t-1}, `[N, D]`; zeros before the first step, where no gate reads it.
        memory: whatever else the pooling keeps.
        first_scores: `[N, C]`, scores of step 1, where the exit rule needed them already.
    """

    pooled: Tensor
    previous: Tensor
    memory: Any
    first_scores: Tensor | None


class Method(EarlyExit):
    """T classifiers on accumulated features, T gates that decide after each frame."""

    Params = Params

    def __init__(self, task: Task, params: Params) -> None:
        super().__init__(task, params)
        units, num_steps = task.head_units, params.num_steps
        self.head = FrameHead(task.num_features, units)
        self.pooling: Pooling = POOLINGS[params.pooling](units)
        self.classifiers = LinearPerStep(num_steps, units, task.num_classes)
        gates = PaperGates if params.gate == "paper" else ReleasedGates
        self.gates: nn.Module = gates(num_steps, units)

    @property
    def num_steps(self) -> int:
        """T."""
        return int(self.params.num_steps)

    @property
    def stages(self) -> Sequence[Stage]:
        """Backbone and classifiers first, then the gates (section 4.1)."""
        return (
            Stage(
                "classifiers",
                ("num_steps", "pooling", "train_order"),
                epochs=35,
                milestones=(16, 30),
                finetunes=("backbone",),
            ),
            Stage("gates", ("gate", "beta"), epochs=10, milestones=(5, 8)),
        )

    def trainable(self, stage: str) -> Iterable[nn.Parameter]:
        """Return the gates' parameters in the second stage, all others in the first."""
        if stage == "gates":
            return self.gates.parameters()
        return [p for name, p in self.named_parameters() if not name.startswith("gates.")]

    def candidates(self, videos: Videos) -> Tensor:
        """Return the T equally spaced frames, in temporal order: `[N, T]`."""
        return videos.candidates(self.num_steps)

    def loss(self, stage: str, videos: Videos) -> Tensor:
        """Return Eq. 4 in the first stage, Eq. 5 in the second."""
        assert videos.targets is not None
        if stage == "classifiers":
            logits = self.classifiers(self._pooled(videos))
            return classification_loss(logits, videos.targets, self.task.loss).mean()
        with torch.no_grad():
            pooled = self._pooled(videos)
            losses = classification_loss(self.classifiers(pooled), videos.targets, self.task.loss)
        return F.binary_cross_entropy_with_logits(
            self.gates(pooled), exit_labels(losses, self.params.beta)
        )

    def visit(self, videos: Videos) -> Tensor:
        """Visit T equally spaced frames, by default from coarse to fine (Eq. 1)."""
        return self._positions(videos, self.params.test_order)

    def step(self, step: int, features: Tensor, state: State | None, videos: Videos) -> State:
        """Pool the new frame into what was seen (Eq. 3)."""
        with videos.component("head"):
            frame = self.head(features)
        with videos.component("pooling"):
            pooled, memory = self.pooling(step, frame, state.memory if state else None)
        previous = state.pooled if state else torch.zeros_like(pooled)
        new = State(pooled, previous, memory, None)
        if step == 1 and self.params.gate == "released":
            return new._replace(first_scores=self.classify(step, new, videos))
        return new

    def exit_value(self, step: int, state: State, videos: Videos) -> Tensor | None:
        """Return the gate's probability that the answer is good enough (Eq. 2)."""
        if state.first_scores is not None:
            return (state.first_scores.amax(-1) > self.params.first_step_confidence).float()
        with videos.component("gate"):
            value: Tensor = self.gates.at(step, state.previous, state.pooled).sigmoid()
        return value

    def classify(self, step: int, state: State, videos: Videos) -> Tensor:
        """Return the probabilities of classifier f_t."""
        if state.first_scores is not None:
            return state.first_scores
        with videos.component("classifier"):
            logits = self.classifiers.at(step, state.pooled)
        return probabilities(
            logits, "cross_entropy" if self.params.gate == "released" else self.task.loss
        )

    def _positions(self, videos: Videos, order: Order) -> Tensor:
        candidates = self.candidates(videos)
        seed = derive_seed(videos.seed, "frame order")
        visits = visiting_order(order, self.num_steps, videos.keys, seed)
        return candidates.gather(1, torch.from_numpy(visits.copy()))

    def _pooled(self, videos: Videos) -> Tensor:
        features = videos.features(self._positions(videos, self.params.train_order))
        frames = self.head(features.flatten(0, 1)).view(*features.shape[:2], -1)
        return self.pooling.together(frames)


def exit_labels(losses: Tensor, beta: float) -> Tensor:
    """Return the gates' pseudo-labels (Eq. 6): 1 where the loss is at most beta * exp(t / 2).

    Args:
        losses: `[N, T]`, classification losses of the T classifiers.
        beta: larger exits earlier.
    """
    steps = torch.arange(1, losses.shape[1] + 1).to(losses)
    return (losses <= beta * torch.exp(steps / 2)).float()
