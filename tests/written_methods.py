"""Small methods of a user, written from strings; the tests change in them what they need."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

__all__ = ["CONTROL", "METHOD", "changed", "manifest_of", "write_method"]

_MANIFEST = """\
name: {name}
label: {name}
kind: {kind}
summary: A test.
licence: Apache-2.0
{more}
variants:
  default: {{label: {name}, shown_in: {{table1: {name}, table2: {name}}}}}
"""
METHOD = """\
from dataclasses import dataclass
import torch
from torch import nn
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
        self.layer = nn.Linear(task.num_features, task.num_classes)

    @property
    def stages(self):
        return [Stage("all", (), 10, (), finetunes=("backbone",))]

    def visit(self, videos):
        return torch.tensor([[0, 7]]).expand(len(videos), 2)

    def loss(self, stage, videos):
        seen = videos.features(self.visit(videos))
        loss = classification_loss(self.layer(seen), videos.targets, self.task.loss).mean()
        return loss

    def step(self, step, features, state, videos):
        return features

    def classify(self, step, state, videos):
        with videos.component("classifier"):
            logits = self.layer(state)
        scores = probabilities(logits, self.task.loss)
        return scores
"""
CONTROL = """\
from dataclasses import dataclass
import numpy as np
from benchmark.contract import ExitControl

@dataclass(frozen=True)
class Params:
    pass

class Method(ExitControl):
    Params = Params

    def exit_steps(self, test, train, targets, seed):
        return {exits}
"""


def changed(text: str, changes: Mapping[str, str]) -> str:
    """Return a text in which each of some passages, which stand there once, is another one."""
    for old, new in changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def manifest_of(name: str, kind: str = "baseline", more: str = "") -> str:
    """Return the `method.yaml` of a method with one variant, and with more lines."""
    return _MANIFEST.format(name=name, kind=kind, more=more)


def write_method(root: Path, name: str, code: str, kind: str = "baseline", more: str = "") -> None:
    """Write a method's folder, or write it anew."""
    (root / name).mkdir(parents=True, exist_ok=True)
    (root / name / "method.py").write_text(code)
    (root / name / "method.yaml").write_text(manifest_of(name, kind, more))
