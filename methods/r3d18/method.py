"""3D-ResNet18 on clips (FrameExit, Table 2): the mean of a few clips' predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from benchmark.contract import Prediction, SinglePass, Stage, Task
from benchmark.layers import FrameHead, classification_loss, probabilities
from benchmark.videos import Videos

NETWORK = "clip"


@dataclass(frozen=True)
class Params:
    """Parameters.

    Attributes:
        num_clips: clips of a test video; one is the middle one.
        train_clips: clips of a training video in each epoch.
    """

    num_clips: int = 1
    train_clips: int = 3


class Method(SinglePass):
    """A classifier of clips; a video's answer is the mean over its clips."""

    Params = Params

    def __init__(self, task: Task, params: Params) -> None:
        super().__init__(task, params)
        self.head = FrameHead(task.networks[NETWORK].num_features, task.head_units)
        self.classifier = nn.Linear(task.head_units, task.num_classes)

    @property
    def stages(self) -> Sequence[Stage]:
        """One stage, with the schedule of FrameExit's classifiers."""
        return (
            Stage(
                "classifier",
                ("train_clips",),
                epochs=35,
                milestones=(16, 30),
                finetunes=(NETWORK,),
            ),
        )

    def loss(self, stage: str, videos: Videos) -> Tensor:
        """Return the mean classification loss of single clips."""
        assert videos.targets is not None
        logits = self._logits(videos, self.params.train_clips)
        return classification_loss(logits, videos.targets, self.task.loss).mean()

    def predict(self, videos: Videos) -> Prediction:
        """Return the mean prediction of equally spaced clips."""
        logits = self._logits(videos, self.params.num_clips)
        scores = probabilities(logits, self.task.loss).mean(1)
        return Prediction(scores, torch.ones(len(videos), dtype=torch.int64))

    def _logits(self, videos: Videos, count: int) -> Tensor:
        features = videos.features(videos.candidates(count, NETWORK), NETWORK)
        with videos.component("head"):
            clips = self.head(features.flatten(0, 1))
        with videos.component("classifier"):
            logits: Tensor = self.classifier(clips)
        return logits.view(len(videos), count, -1)
