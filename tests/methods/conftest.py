"""Methods with small random weights, run by the harness's own loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from benchmark.contract import Method, Task
from benchmark.evaluation.early_exit import predict_steps
from benchmark.methods.loading import load_method
from benchmark.step_records import StepRecords

NUM_FEATURES, UNITS, NUM_CLASSES = 6, 7, 5


@pytest.fixture
def build(methods, memory_videos) -> Callable[..., Method]:
    """Return a function that builds a method whose every weight and statistic is random."""

    def make(name: str, *, multi: bool = False, seed: int = 1, **params: Any) -> Method:
        kind = load_method(methods[name])
        torch.manual_seed(seed)
        task = Task(tuple("abcde"), multi, NUM_FEATURES, UNITS)
        method = kind(task, kind.Params(**params))
        for module in method.modules():
            if isinstance(module, nn.BatchNorm1d):
                module.running_mean.normal_()
                module.running_var.uniform_(0.5, 2)
                nn.init.normal_(module.weight, 1, 0.3)
                nn.init.normal_(module.bias)
        method.eval()
        if hasattr(method, "gates"):
            _spread(method, memory_videos(num=64, num_features=NUM_FEATURES).batch())
        return method

    return make


@torch.no_grad()
def _spread(method, videos) -> None:
    """Scale each gate so that about one video in six stops at each step."""
    logits = method.gates(method._pooled(videos))
    mean, deviation = logits.mean(0), logits.std(0)
    project = method.gates.project
    project.weight /= deviation[:, None, None]
    project.bias.copy_(((project.bias[:, 0] - mean) / deviation - 1)[:, None])


@pytest.fixture
def run() -> Callable[..., StepRecords]:
    """Return a function that runs a method on some videos in one batch."""

    def go(method, videos, rows=None) -> StepRecords:
        rows = list(range(len(videos.features))) if rows is None else list(rows)
        ids = [videos.ids[row] for row in rows]
        return predict_steps(method, lambda meter: videos.batch(rows, meter), ids)

    return go
