"""The few layers and losses that several methods share, so that they share their exact form too."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn

from benchmark.config.datasets import Loss

__all__ = [
    "FrameHead",
    "LinearPerStep",
    "RecurrentCell",
    "classification_loss",
    "gumbel_noise",
    "hard_choice",
    "probabilities",
    "sum_over_processes",
]


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


class RecurrentCell(nn.LSTMCell):
    """An LSTM cell whose products with the inputs of all steps can be done at once."""

    def project(self, inputs: Tensor) -> Tensor:
        """Return the inputs' part of the four gates: `[..., I] -> [..., 4 H]`."""
        return F.linear(inputs, self.weight_ih, self.bias_ih)

    def advance(self, projected: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Take one step from hidden and cell state, each `[N, H]`, to the next."""
        hidden, cell = state
        total = projected + F.linear(hidden, self.weight_hh, self.bias_hh)
        let_in, forget, new, let_out = total.chunk(4, dim=-1)
        cell = forget.sigmoid() * cell + let_in.sigmoid() * new.tanh()
        return let_out.sigmoid() * cell.tanh(), cell

    def start(self, num: int) -> tuple[Tensor, Tensor]:
        """Return the state before the first step: zeros."""
        shape = (num, self.hidden_size)
        return self.weight_hh.new_zeros(shape), self.weight_hh.new_zeros(shape)


def gumbel_noise(uniform: npt.NDArray[np.float64]) -> Tensor:
    """Turn numbers in [0, 1) into Gumbel noise, float32 of the same shape."""
    return torch.from_numpy(-np.log(-np.log(uniform + 1e-20) + 1e-20)).float()


def hard_choice(logits: Tensor, noise: Tensor, temperature: float) -> Tensor:
    """Return a one-hot sample whose gradient is the soft one's (straight-through).

    Jang, Gu, Poole, 'Categorical Reparameterization with Gumbel-Softmax', ICLR 2017.

    Args:
        logits: `[N, A]`.
        noise: `[N, A]`, from `gumbel_noise`.
        temperature: of the soft choice.
    """
    soft = ((logits + noise) / temperature).softmax(-1)
    hard = F.one_hot(soft.argmax(-1), soft.shape[-1]).to(soft.dtype)
    return hard - soft.detach() + soft


def classification_loss(logits: Tensor, targets: Tensor, loss: Loss) -> Tensor:
    """Return each prediction's loss.

    Which of the two losses matters for its scale too, since FrameExit compares beta with it.
    Cross-entropy with several labels takes a uniform distribution over a video's labels as its
    target (Mahajan et al., 'Exploring the Limits of Weakly Supervised Pretraining', ECCV 2018,
    section 2.3). Binary cross-entropy is the mean over classes, as in bmezaris/Gated-ViGAT,
    `train_gate.py`.

    Args:
        logits: `[N, T, C]`.
        targets: `[N]` int64 class indices, or `[N, C]` float 0/1 for several labels.
        loss: the task's.

    Returns:
        `[N, T]`.
    """
    num_steps, num_classes = logits.shape[1:]
    if loss == "binary_cross_entropy":
        hot = targets if targets.ndim == 2 else F.one_hot(targets, num_classes).to(logits.dtype)
        expanded = hot[:, None].expand_as(logits)
        return F.binary_cross_entropy_with_logits(logits, expanded, reduction="none").mean(-1)
    if targets.ndim == 2:
        shares = targets / targets.sum(-1, keepdim=True).clamp(min=1)
        return -(shares[:, None] * logits.log_softmax(-1)).sum(-1)
    repeated = targets[:, None].expand(-1, num_steps)
    flat = F.cross_entropy(logits.flatten(0, 1), repeated.flatten(), reduction="none")
    return flat.view(-1, num_steps)


def probabilities(logits: Tensor, loss: Loss) -> Tensor:
    """Return what logits trained with a loss say: softmax over the last axis, or sigmoid."""
    return logits.softmax(-1) if loss == "cross_entropy" else logits.sigmoid()


def sum_over_processes(values: Tensor) -> Tensor:
    """Return the sum over all processes that train together; one that trains alone has it already.

    For losses that are no means over videos, and so not the mean of the losses of a batch's parts.
    Its gradient is the sum of the gradients of all processes. Each must call it as often as the
    others.
    """
    if not dist.is_available() or not dist.is_initialized() or dist.get_world_size() == 1:
        return values
    total: Tensor = _SumOfAll.apply(values)
    return total


class _SumOfAll(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        total = values.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].clone()
        dist.all_reduce(total)
        return total
