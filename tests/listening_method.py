"""A user's method that listens before it looks, as Listen to Look does, written from strings."""

from pathlib import Path

__all__ = ["write_listening_method"]

MANIFEST = """\
name: listens
label: Listens
kind: baseline
summary: Hears eight moments and looks at those that sound most telling.
licence: Apache-2.0
networks: [backbone, sound]
trade_off: {param: num_frames, cheap: 1, expensive: 4}
variants:
  default: {label: listens, shown_in: {table1: listens, table2: listens}}
"""
CODE = '''\
"""Listens before it looks."""

from dataclasses import dataclass

import torch
from torch import nn

from benchmark import contract
from benchmark.contract import Prediction, Stage
from benchmark.sampling import equally_spaced
from benchmark.layers import classification_loss, probabilities


@dataclass(frozen=True)
class Params:
    num_frames: int = 2


class Method(contract.SinglePass):
    Params = Params

    def __init__(self, task, params):
        super().__init__(task, params)
        heard = task.networks["sound"].num_features
        self.skimmer = nn.Linear(heard, 1)
        self.classifier = nn.Linear(heard + task.num_features, task.num_classes)

    @property
    def stages(self):
        return [Stage("all", ("num_frames",), 10, (), finetunes=("backbone", "sound"))]

    def _logits(self, videos):
        moments = torch.from_numpy(equally_spaced(videos.lengths, 8))
        heard = videos.features(moments, "sound")
        with videos.component("skimmer"):
            weights = self.skimmer(heard)[..., 0].softmax(1)
        best = weights.topk(self.params.num_frames, sorted=True)
        seen = videos.features(moments.gather(1, best.indices.cpu()))
        pooled = (seen * best.values[..., None]).sum(1)
        with videos.component("classifier"):
            return self.classifier(torch.cat([pooled, heard.amax(1)], 1))

    def loss(self, stage, videos):
        logits = self._logits(videos)[:, None]
        return classification_loss(logits, videos.targets, self.task.loss).mean()

    def predict(self, videos):
        scores = probabilities(self._logits(videos), self.task.loss)
        return Prediction(scores, torch.ones(len(videos), dtype=torch.long))
'''


def write_listening_method(root: Path) -> None:
    """Write the method's folder `listens`."""
    folder = root / "listens"
    folder.mkdir()
    (folder / "method.yaml").write_text(MANIFEST)
    (folder / "method.py").write_text(CODE)
    (folder / "README.md").write_text("# Listens\n\nFor a test.\n")
