"""Psi of Eq. 3: how a new frame's features join those seen before, one step at a time."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["POOLINGS"]


class Pooling(nn.Module, ABC):
    """A pooling that takes one frame at a time when frames arrive so, and all at once in training.

    Both give the same z_1 to z_T.
    """

    def __init__(self, units: int) -> None:
        del units
        super().__init__()

    @abstractmethod
    def forward(self, step: int, frame: Tensor, memory: Any) -> tuple[Tensor, Any]:
        """Return z_t `[N, D]` and the memory of the next step."""

    @abstractmethod
    def together(self, frames: Tensor) -> Tensor:
        """Return z_1 to z_T of frames in visiting order: `[N, T, D] -> [N, T, D]`."""


class MaxPooling(Pooling):
    """Running element-wise maximum, the paper's default."""

    def forward(self, step: int, frame: Tensor, memory: Any) -> tuple[Tensor, Any]:
        """See `Pooling`."""
        pooled = frame if memory is None else torch.maximum(memory, frame)
        return pooled, pooled

    def together(self, frames: Tensor) -> Tensor:
        """See `Pooling`."""
        return frames.cummax(1).values


class AveragePooling(Pooling):
    """Running mean, the paper's choice for HVU."""

    def forward(self, step: int, frame: Tensor, memory: Any) -> tuple[Tensor, Any]:
        """See `Pooling`."""
        pooled = frame if memory is None else memory + (frame - memory) / step
        return pooled, pooled

    def together(self, frames: Tensor) -> Tensor:
        """See `Pooling`."""
        counts = torch.arange(1, frames.shape[1] + 1).to(frames)
        return frames.cumsum(1) / counts[:, None]


class LstmPooling(Pooling):
    """An LSTM over the frames in visiting order; the paper names it as an alternative."""

    def __init__(self, units: int) -> None:
        super().__init__(units)
        self.lstm = nn.LSTM(units, units, batch_first=True)

    def forward(self, step: int, frame: Tensor, memory: Any) -> tuple[Tensor, Any]:
        """See `Pooling`."""
        state = None if memory is None else tuple(part[None] for part in memory)
        pooled, (hidden, cell) = self.lstm(frame[:, None], state)
        return pooled[:, 0], (hidden[0], cell[0])

    def together(self, frames: Tensor) -> Tensor:
        """See `Pooling`."""
        pooled: Tensor = self.lstm(frames)[0]
        return pooled


class AttentionPooling(Pooling):
    """Self-attention: the newest frame attends to all seen so far; an alternative of the paper.

    The paper gives no layout: one head of the frame head's width, added to the frame itself.
    """

    def __init__(self, units: int) -> None:
        super().__init__(units)
        self.project = nn.Linear(units, 3 * units)

    def forward(self, step: int, frame: Tensor, memory: Any) -> tuple[Tensor, Any]:
        """See `Pooling`."""
        query, *new = self.project(frame)[:, None].chunk(3, dim=-1)
        keys, values = new if memory is None else map(_append, memory, new)
        return frame + _attend(query, keys, values)[:, 0], (keys, values)

    def together(self, frames: Tensor) -> Tensor:
        """See `Pooling`."""
        num_steps = frames.shape[1]
        later = frames.new_ones(num_steps, num_steps, dtype=torch.bool).triu(1)
        return frames + _attend(*self.project(frames).chunk(3, dim=-1), later)


def _attend(query: Tensor, keys: Tensor, values: Tensor, hidden: Tensor | None = None) -> Tensor:
    weights = query @ keys.transpose(1, 2) / math.sqrt(query.shape[-1])
    if hidden is not None:
        weights = weights.masked_fill(hidden, -math.inf)
    return weights.softmax(-1) @ values


def _append(seen: Tensor, new: Tensor) -> Tensor:
    return torch.cat([seen, new], dim=1)


POOLINGS: dict[str, type[Pooling]] = {
    "max": MaxPooling,
    "average": AveragePooling,
    "lstm": LstmPooling,
    "attention": AttentionPooling,
}
