"""SCSampler (Korbar, Tran, Torresani, ICCV 2019) in the frame-level form that everyone quotes.

A light network scores all candidate frames, the heavy network classifies the best of them, and
their logits are averaged. This is AR-Net's re-implementation (mengyuest/AR-Net, `ops/basic_ops.py`,
`main_base.py`), whose numbers FrameExit's Table 1 took over; the original ranks clips by motion
vectors and sound.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from benchmark.contract import Prediction, SinglePass, Stage, Task
from benchmark.layers import FrameHead, classification_loss, probabilities
from benchmark.videos import Videos


@dataclass(frozen=True)
class Params:
    """Parameters.

    Attributes:
        num_candidates: frames that the light network scores.
        num_frames: K, the best of them, which the heavy network classifies.
        sampler: role of the light network, at a low resolution or at the full one.
    """

    num_candidates: int = 16
    num_frames: int = 10
    sampler: Literal["light", "light_full"] = "light"


class Method(SinglePass):
    """Two classifiers of frames: the light one ranks, the heavy one answers."""

    Params = Params

    def __init__(self, task: Task, params: Params) -> None:
        super().__init__(task, params)
        self.head = FrameHead(task.num_features, task.head_units)
        self.classifier = nn.Linear(task.head_units, task.num_classes)
        light = task.networks[params.sampler]
        self.sampler = nn.Linear(light.num_features, task.num_classes)

    @property
    def stages(self) -> Sequence[Stage]:
        """The heavy network's classifier, then the light one's; neither sees the other."""
        schedule = {"epochs": 35, "milestones": (16, 30)}
        return (
            Stage("heavy", ("num_candidates",), **schedule, finetunes=("backbone",)),
            Stage("light", ("sampler",), **schedule, finetunes=(self.params.sampler,)),
        )

    def trainable(self, stage: str) -> Iterable[nn.Parameter]:
        """Return the parameters of the stage's own classifier."""
        if stage == "light":
            return self.sampler.parameters()
        return [*self.head.parameters(), *self.classifier.parameters()]

    def loss(self, stage: str, videos: Videos) -> Tensor:
        """Return the classification loss: of each frame, or of the light logits' mean."""
        assert videos.targets is not None
        candidates = self._candidates(videos)
        if stage == "heavy":
            logits = self._heavy(videos, candidates)
        else:
            logits = self._light(videos, candidates).mean(1, keepdim=True)
        return classification_loss(logits, videos.targets, self.task.loss).mean()

    def predict(self, videos: Videos) -> Prediction:
        """Return the prediction from the mean logits of the K frames that the light one prefers.

        A frame's score is its highest light logit.
        """
        candidates = self._candidates(videos)
        scores = self._light(videos, candidates).amax(-1)
        best = scores.topk(self.params.num_frames, dim=1).indices.sort(1).values
        logits = self._heavy(videos, candidates.gather(1, best)).mean(1)
        answer = probabilities(logits, self.task.loss)
        return Prediction(answer, torch.ones(len(videos), dtype=torch.int64))

    def _candidates(self, videos: Videos) -> Tensor:
        return videos.candidates(self.params.num_candidates).to(videos.device)

    def _light(self, videos: Videos, positions: Tensor) -> Tensor:
        features = videos.features(positions, self.params.sampler)
        with videos.component("sampler"):
            logits: Tensor = self.sampler(features)
        return logits

    def _heavy(self, videos: Videos, positions: Tensor) -> Tensor:
        features = videos.features(positions)
        with videos.component("head"):
            frames = self.head(features.flatten(0, 1))
        with videos.component("classifier"):
            logits: Tensor = self.classifier(frames)
        return logits.view(*positions.shape, -1)
