"""Psi of Eq. 3: how a new frame's features join those seen before, one step at a time."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["POOLINGS"]


class MaxPooling(nn.Module):
    """Running element-wise maximum, the paper's default."""

    def __init__(self, units: int) -> None:
        del units
        super().__init__()

    def forward(self, step: int, frame: Tensor, memory: Any) -> tuple[Tensor, Any]:
        """Return z_t `[N, D]` and the memory of the next step."""
        pooled = frame if memory is None else torch.maximum(memory, frame)
        return pooled, pooled


class AveragePooling(MaxPooling):
    """Running mean, the paper's choice for HVU."""

    def forward(self, step: int, frame: Tensor, memory: Any) -> tuple[Tensor, Any]:
        """Return z_t `[N, D]` and the memory of the next step."""
        pooled = frame if memory is None else memory + (frame - memory) / step
        return pooled, pooled


class LstmPooling(nn.Module):
    """An LSTM over the frames in visiting order; the paper names it as an alternative."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(units, units)

    def forward(self, step: int, frame: Tensor, memory: Any) -> tuple[Tensor, Any]:
        """Return z_t `[N, D]` and the memory of the next step."""
        memory = self.cell(frame, memory)
        return memory[0], memory


class AttentionPooling(nn.Module):
    """Self-attention: the newest frame attends to all seen so far; an alternative of the paper.

    The paper gives no layout: one head of the frame head's width, added to the frame itself.
    """

    def __init__(self, units: int) -> None:
        super().__init__()
        self.project = nn.Linear(units, 3 * units)

    def forward(self, step: int, frame: Tensor, memory: Any) -> tuple[Tensor, Any]:
        """Return z_t `[N, D]` and the memory of the next step."""
        query, *new = (part[:, None] for part in self.project(frame).chunk(3, dim=-1))
        keys, values = new if memory is None else map(_append, memory, new)
        weights = (query @ keys.transpose(1, 2) / math.sqrt(frame.shape[-1])).softmax(-1)
        return frame + (weights @ values)[:, 0], (keys, values)


def _append(seen: Tensor, new: Tensor) -> Tensor:
    return torch.cat([seen, new], dim=1)


POOLINGS: dict[str, type[nn.Module]] = {
    "max": MaxPooling,
    "average": AveragePooling,
    "lstm": LstmPooling,
    "attention": AttentionPooling,
}
