"""LiteEval (Wu, Xiong, Jiang, Davis, NeurIPS 2019): a coarse LSTM sees all, a fine one few frames.

Facts from the paper and from public code that follows it: a gate decides at each frame whether the
heavy network runs; where it does not, the fine LSTM's state is synchronised with the coarse one's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from benchmark.contract import Prediction, SinglePass, Stage, Task
from benchmark.layers import (
    FrameHead,
    RecurrentCell,
    classification_loss,
    gumbel_noise,
    hard_choice,
    probabilities,
)
from benchmark.videos import Videos

SKIP = 1
"""The gate's second output; the first runs the heavy network."""


@dataclass(frozen=True)
class Params:
    """Parameters.

    Attributes:
        num_frames: equally spaced frames of a video; FrameExit's T.
        skip_ratio: gamma, the share of frames that should be skipped.
    """

    num_frames: int = 10
    skip_ratio: float = 0.9


class State(NamedTuple):
    """Hidden and cell state of the fine LSTM, each `[N, H]`."""

    hidden: Tensor
    cell: Tensor


class Method(SinglePass):
    """Two LSTMs and a conditional gate."""

    Params = Params

    def __init__(self, task: Task, params: Params) -> None:
        super().__init__(task, params)
        coarse, fine = max(32, task.head_units // 8), max(64, task.head_units // 2)
        self.coarse_head = FrameHead(task.networks["light"].num_features, coarse)
        self.fine_head = FrameHead(task.num_features, fine)
        self.coarse_lstm = RecurrentCell(coarse, coarse)
        self.fine_lstm = RecurrentCell(fine + coarse, fine)
        self.gate = nn.Linear(coarse + 2 * fine, 2)
        self.classifier = nn.Linear(fine, task.num_classes)

    @property
    def stages(self) -> Sequence[Stage]:
        """One stage."""
        return (
            Stage(
                "all",
                ("num_frames", "skip_ratio"),
                epochs=45,
                milestones=(21, 38),
                finetunes=("backbone", "light"),
            ),
        )

    def loss(self, stage: str, videos: Videos) -> Tensor:
        """Return the classification loss and the skip ratio's distance from its target.

        The distance's weight grows from 1 to 2 in the course of training, the temperature of the
        hard Gumbel choices falls from 1 to 0.5.
        """
        assert videos.targets is not None
        positions = self._positions(videos)
        num, count = positions.shape
        noise = gumbel_noise(videos.random("gate", count * 2)).to(videos.device)
        coarse = self.coarse_head(videos.features(positions, "light").flatten(0, 1))
        coarse = coarse.view(num, count, -1)
        fine = self.fine_head(videos.features(positions).flatten(0, 1)).view(num, count, -1)
        seen = self.coarse_lstm.project(coarse)
        given = self.fine_lstm.project(torch.cat([fine, coarse], dim=-1))
        noises = noise.view(num, count, 2)
        steps = (part.unbind(1) for part in (coarse, seen, given, noises))
        memory, state = self.coarse_lstm.start(num), State(*self.fine_lstm.start(num))
        skips = []
        for frame, its_seen, its_given, its_noise in zip(*steps, strict=True):
            memory = self.coarse_lstm.advance(its_seen, memory)
            logits = self._gate(frame, state)
            skip = hard_choice(logits, its_noise, 1 - videos.progress / 2)[:, SKIP:]
            run = State(*self.fine_lstm.advance(its_given, state))
            held = _synchronised(state, memory)
            state = State(*(skip * h + (1 - skip) * r for h, r in zip(held, run, strict=True)))
            skips.append(skip)
        logits = self.classifier(state.hidden)
        accuracy = classification_loss(logits[:, None], videos.targets, self.task.loss).mean()
        ratio = torch.cat(skips, dim=1).mean(1)
        return accuracy + (1 + videos.progress) * (ratio - self.params.skip_ratio).square().mean()

    def predict(self, videos: Videos) -> Prediction:
        """Look at the frames in order; open one to the heavy network where the gate asks for it."""
        positions = self._positions(videos)
        num, count = positions.shape
        memory, state = self.coarse_lstm.start(num), State(*self.fine_lstm.start(num))
        for step in range(count):
            light = videos.features(positions[:, step : step + 1], "light")[:, 0]
            with videos.component("coarse"):
                coarse = self.coarse_head(light)
                memory = self.coarse_lstm.advance(self.coarse_lstm.project(coarse), memory)
            with videos.component("gate"):
                runs = (self._gate(coarse, state).argmax(-1) != SKIP).nonzero()[:, 0]
            before, state = state, _synchronised(state, memory)
            if len(runs):
                view = videos.select(runs)
                features = view.features(positions[runs, step : step + 1])[:, 0]
                with view.component("fine"):
                    given = torch.cat([self.fine_head(features), coarse[runs]], dim=-1)
                    old = State(*(part[runs] for part in before))
                    new = self.fine_lstm.advance(self.fine_lstm.project(given), old)
                for part, changed in zip(state, new, strict=True):
                    part[runs] = changed
        with videos.component("classifier"):
            logits = self.classifier(state.hidden)
        answer = probabilities(logits, self.task.loss)
        return Prediction(answer, torch.ones(num, dtype=torch.int64))

    def _gate(self, coarse: Tensor, state: State) -> Tensor:
        logits: Tensor = self.gate(torch.cat([coarse, state.hidden, state.cell], dim=-1))
        return logits

    def _positions(self, videos: Videos) -> Tensor:
        return videos.candidates(self.params.num_frames).to(videos.device)


def _synchronised(state: State, memory: tuple[Tensor, Tensor]) -> State:
    """Return the fine state with its first units overwritten by the coarse state."""
    kept = memory[0].shape[1]
    return State(
        *(torch.cat([new, old[:, kept:]], dim=1) for new, old in zip(memory, state, strict=True))
    )
