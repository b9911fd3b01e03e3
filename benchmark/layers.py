"""The few layers and losses that several methods share, so that they share their exact form too."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["FrameHead", "LinearPerStep", "classification_loss", "probabilities"]


class FrameHead(nn.Sequential):
    """The fully connected layer that FrameExit puts in place of the backbone's classifier.

    Linear, batch norm, ReLU: `[N, D] -> [N, units]`. The paper names the linear layer of 4096
    units; batch norm and ReLU are the released model's (FrameExit, `model/adaptive_models.py`).
    """

    def __init__(self, num_features: int, units: int) -> None:
        super().__init__(nn.Linear(num_features, units), nn.BatchNorm1d(units), nn.ReLU())


class LinearPerStep(nn.Module):
    """T linear layers of one shape, one a step, that run together or one at a time."""

    def __init__(self, num_steps: int, num_inputs: int, num_outputs: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(num_inputs)  # the default of nn.Linear
        self.weight = nn.Parameter(
            torch.empty(num_steps, num_outputs, num_inputs).uniform_(-bound, bound)
        )
        self.bias = nn.Parameter(torch.empty(num_steps, num_outputs).uniform_(-bound, bound))

    def forward(self, inputs: Tensor) -> Tensor:
        """Apply layer t to the inputs of step t: `[N, T, I] -> [N, T, O]`."""
        together = torch.bmm(inputs.transpose(0, 1), self.weight.transpose(1, 2))
        return together.transpose(0, 1) + self.bias

    def at(self, step: int, inputs: Tensor) -> Tensor:
        """Apply the layer of one step (1-based): `[N, I] -> [N, O]`."""
        return F.linear(inputs, self.weight[step - 1], self.bias[step - 1])


def classification_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Return each prediction's loss: cross-entropy, or binary cross-entropy over classes.

    FrameExit, section 3.1. With several labels the mean over classes is taken, as public
    re-implementations do (bmezaris/Gated-ViGAT); the scale matters, since beta is compared to it.

    Args:
        logits: `[N, T, C]`.
        targets: `[N]` int64 class indices, or `[N, C]` float 0/1 for several labels.

    Returns:
        `[N, T]`.
    """
    num_steps = logits.shape[1]
    if targets.ndim == 1:
        repeated = targets[:, None].expand(-1, num_steps)
        return F.cross_entropy(logits.flatten(0, 1), repeated.flatten(), reduction="none").view(
            -1, num_steps
        )
    expanded = targets[:, None].expand_as(logits)
    return F.binary_cross_entropy_with_logits(logits, expanded, reduction="none").mean(-1)


def probabilities(logits: Tensor, *, multi_label: bool) -> Tensor:
    """Return the sigmoid of the logits for several labels, else the softmax over the last axis."""
    return logits.sigmoid() if multi_label else logits.softmax(-1)
