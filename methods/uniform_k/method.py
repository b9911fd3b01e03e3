"""Uniform-K (FrameExit, Table 2): K equally spaced frames, the average of their predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from benchmark.contract import EarlyExit, Stage, Task
from benchmark.layers import FrameHead, classification_loss, probabilities
from benchmark.videos import Videos


@dataclass(frozen=True)
class Params:
    """Parameters.

    Attributes:
        num_frames: K, frames of a test video.
        train_frames: frames of a training video in each epoch.
    """

    num_frames: int = 10
    train_frames: int = 10


class Method(EarlyExit):
    """One classifier of frames; step k is the average of k predictions, and none stops early."""

    Params = Params

    def __init__(self, task: Task, params: Params) -> None:
        super().__init__(task, params)
        self.head = FrameHead(task.num_features, task.head_units)
        self.classifier = nn.Linear(task.head_units, task.num_classes)

    @property
    def num_steps(self) -> int:
        """K."""
        return int(self.params.num_frames)

    @property
    def stages(self) -> Sequence[Stage]:
        """One stage, with the schedule of FrameExit's classifiers."""
        return (
            Stage(
                "classifier",
                ("train_frames",),
                epochs=35,
                milestones=(16, 30),
                finetunes=("backbone",),
            ),
        )

    def loss(self, stage: str, videos: Videos) -> Tensor:
        """Return the mean classification loss of single frames."""
        assert videos.targets is not None
        features = videos.features(self.positions(videos, self.params.train_frames))
        logits = self.classifier(self.head(features.flatten(0, 1)))
        return classification_loss(
            torch.unflatten(logits, 0, features.shape[:2]), videos.targets, self.task.loss
        ).mean()

    def positions(self, videos: Videos, count: int) -> Tensor:
        """Return the frames to look at: `[N, count]`."""
        return videos.candidates(count)

    def visit(self, videos: Videos) -> Tensor:
        """Visit K frames in temporal order."""
        return self.positions(videos, self.params.num_frames)

    def step(self, step: int, features: Tensor, state: Tensor | None, videos: Videos) -> Tensor:
        """Add the frame's prediction to the average: the state is the mean, `[N, C]`."""
        with videos.component("head"):
            frame = self.head(features)
        with videos.component("classifier"):
            logits = self.classifier(frame)
        scores = probabilities(logits, self.task.loss)
        return scores if state is None else state + (scores - state) / step

    def classify(self, step: int, state: Tensor, videos: Videos) -> Tensor:
        """Return the average prediction."""
        return state
