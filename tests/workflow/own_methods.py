"""Methods of a user, written from strings."""

from __future__ import annotations

from pathlib import Path

MANIFEST = """\
name: {name}
label: {name}
kind: {kind}
summary: A test.
licence: Apache-2.0
{more}
variants:
  default: {{label: {name}, shown_in: {{table2: {name}}}}}
"""
METHOD = """\
from dataclasses import dataclass
import torch
from benchmark.contract import EarlyExit, Stage
from benchmark.layers import classification_loss, probabilities

@dataclass(frozen=True)
class Params:
    pass

class Method(EarlyExit):
    Params = Params
    num_steps = 2

    def __init__(self, task, params):
        super().__init__(task, params)
        self.layer = torch.nn.Linear(task.num_features, task.num_classes)

    @property
    def stages(self):
        return [Stage("all", (), 10, ())]

    def visit(self, videos):
        return torch.tensor([[0, 7]]).expand(len(videos), 2)

    def loss(self, stage, videos):
        logits = self.layer(videos.features(self.visit(videos)))
        return classification_loss(logits, videos.targets, self.task.loss).mean()

    def step(self, step, features, state, videos):
        return features

    def classify(self, step, state, videos):
        with videos.component("classifier"):
            logits = self.layer(state)
        return probabilities(logits, self.task.loss)
"""
CONTROL = """\
from dataclasses import dataclass
from benchmark.contract import ExitControl

@dataclass(frozen=True)
class Params:
    pass

class Method(ExitControl):
    Params = Params

    def exit_steps(self, test, train, targets, seed):
        return test.exit_step + 100
"""


def write_method(root: Path, name: str, code: str, kind: str = "baseline", more: str = "") -> None:
    """Write a method's folder, or write it anew."""
    (root / name).mkdir(exist_ok=True)
    (root / name / "method.py").write_text(code)
    (root / name / "method.yaml").write_text(MANIFEST.format(name=name, kind=kind, more=more))
