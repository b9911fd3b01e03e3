"""FrameExit without feature pooling (Table 4): predictions are averaged instead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from benchmark.contract import Task
from benchmark.layers import probabilities
from benchmark.videos import Videos
from methods.frameexit.gates import PaperGates
from methods.frameexit.method import Method as FrameExit
from methods.frameexit.method import Params as FrameExitParams


@dataclass(frozen=True)
class Params(FrameExitParams):
    """Parameters of FrameExit; `pooling` and `gate` stay at their defaults, which are not read."""


class State(NamedTuple):
    """What is kept: the current frame's features `[N, D]`, the mean prediction so far `[N, C]`."""

    frame: Tensor
    mean_scores: Tensor


class Method(FrameExit):
    """Each classifier and gate sees the current frame only; the answer is their mean."""

    Params = Params

    def __init__(self, task: Task, params: Params) -> None:
        super().__init__(task, params)
        self.gates = PaperGates(params.num_steps, task.head_units, reads_previous=False)

    def step(self, step: int, features: Tensor, state: State | None, videos: Videos) -> State:
        """Classify the new frame alone and average."""
        with videos.component("head"):
            frame = self.head(features)
        with videos.component("classifier"):
            logits = self.classifiers.at(step, frame)
        scores = probabilities(logits, self.task.loss)
        mean = scores if state is None else state.mean_scores + (scores - state.mean_scores) / step
        return State(frame, mean)

    def exit_value(self, step: int, state: State, videos: Videos) -> Tensor:
        """Return the gate's probability, from the current frame."""
        with videos.component("gate"):
            value: Tensor = self.gates.at(step, state.frame, state.frame).sigmoid()
        return value

    def classify(self, step: int, state: State, videos: Videos) -> Tensor:
        """Return the mean of the frame predictions."""
        return state.mean_scores

    def _pooled(self, videos: Videos) -> Tensor:
        features = videos.features(self._positions(videos, self.params.train_order))
        frames: Tensor = self.head(features.flatten(0, 1))
        return torch.unflatten(frames, 0, features.shape[:2])
