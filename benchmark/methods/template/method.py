"""My method: the mean of K frames' features and one classifier.

EDIT: say in a sentence what it does, and name the paper or the code that it follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from benchmark.contract import Prediction, SinglePass, Stage, Task
from benchmark.layers import FrameHead, classification_loss, probabilities
from benchmark.videos import Videos


@dataclass(frozen=True)
class Params:
    """Parameters with their defaults; a variant of method.yaml sets others.

    Attributes:
        num_frames: K, frames of a test video.
        train_frames: frames of a training video.
    """

    num_frames: int = 10
    train_frames: int = 10


class Method(SinglePass):
    """Opens K equally spaced frames and classifies the mean of their features.

    A method that decides after each frame whether to stop derives from `EarlyExit` instead: see
    benchmark/contract.py, and methods/frameexit for one.
    """

    Params = Params

    def __init__(self, task: Task, params: Params) -> None:
        super().__init__(task, params)
        # EDIT: the network. The seed is set; draw what is random from torch's global generator.
        self.head = FrameHead(task.num_features, task.head_units)
        self.classifier = nn.Linear(task.head_units, task.num_classes)

    @property
    def stages(self) -> Sequence[Stage]:
        """One stage, with FrameExit's schedule."""
        # EDIT: name each parameter on which the weights depend. Variants that agree in them share
        # the weights, as those with another num_frames do here.
        return (
            Stage(
                "classifier",
                params=("train_frames",),
                epochs=35,
                milestones=(16, 30),
                finetunes=("backbone",),
            ),
        )

    def loss(self, stage: str, videos: Videos) -> Tensor:
        """Return the mean classification loss of a batch of training videos."""
        assert videos.targets is not None  # class indices [N], or 0/1 [N, C] with several labels
        logits = self._logits(videos, self.params.train_frames)
        return classification_loss(logits[:, None], videos.targets, self.task.loss).mean()

    def predict(self, videos: Videos) -> Prediction:
        """Return the scores of a batch of test videos."""
        logits = self._logits(videos, self.params.num_frames)
        scores = probabilities(logits, self.task.loss)
        return Prediction(scores, exit_step=torch.ones(len(videos), dtype=torch.int64))

    def _logits(self, videos: Videos, num_frames: int) -> Tensor:
        # EDIT: which frames. Random ones come from videos.random(purpose, count).
        positions = videos.candidates(num_frames)
        features = videos.features(positions)  # [N, K, D]; the backbone is charged for them
        # EDIT: what is done with them. Name each part: its cost is shown under that name.
        with videos.component("head"):
            units = self.head(features.mean(1))
        with videos.component("classifier"):
            logits: Tensor = self.classifier(units)
        return logits
