"""The gates g_t: small networks that read z_{t-1} and z_t and say whether to stop."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmark.layers import LinearPerStep

__all__ = ["PaperGates", "ReleasedGates"]


class PaperGates(nn.Module):
    """T gates as published: two layers of 64 units shared by both inputs, concatenated, projected.

    g_1 has no z_0: its second input is absent, and its half of the projection is not run.

    Args:
        num_steps: T.
        num_features: D of the pooled features.
        reads_previous: False for gates that see the current features only (Table 4).
    """

    hidden = (64, 64)

    def __init__(self, num_steps: int, num_features: int, *, reads_previous: bool = True) -> None:
        super().__init__()
        first, second = self.hidden
        self.reads_previous = reads_previous
        self.first = LinearPerStep(num_steps, num_features, first)
        self.second = LinearPerStep(num_steps, first, second)
        self.project = LinearPerStep(num_steps, (1 + reads_previous) * second, 1)

    def forward(self, pooled: Tensor) -> Tensor:
        """Return the logits of all gates: `[N, T, D] -> [N, T]`."""
        branches = self._branches(pooled)
        if self.reads_previous:
            previous = self._branches(F.pad(pooled[:, :-1], (0, 0, 1, 0)))
            absent = torch.zeros_like(previous[:, :1])
            branches = torch.cat([branches, torch.cat([absent, previous[:, 1:]], 1)], -1)
        logits: Tensor = self.project(branches)[..., 0]
        return logits

    def at(self, step: int, previous: Tensor, pooled: Tensor) -> Tensor:
        """Return the logits of one gate (1-based): `[N, D], [N, D] -> [N]`."""
        second = self.hidden[1]
        if not self.reads_previous or step == 1:
            branch = self._branch_at(step, pooled)
            weight = self.project.weight[step - 1][:, :second]
            return F.linear(branch, weight, self.project.bias[step - 1])[:, 0]
        both = self._branch_at(step, torch.cat([pooled, previous]))
        halves = torch.cat(both.chunk(2), dim=-1)
        return self.project.at(step, halves)[:, 0]

    def _branches(self, inputs: Tensor) -> Tensor:
        hidden: Tensor = self.second(self.first(inputs).relu()).relu()
        return hidden

    def _branch_at(self, step: int, inputs: Tensor) -> Tensor:
        return self.second.at(step, self.first.at(step, inputs).relu()).relu()


class ReleasedGates(PaperGates):
    """Gates with the released model's sizes: 128 then 64 units, batch norm before each ReLU.

    In the release the first step has no gate but a confidence threshold, and output 0 means exit;
    here 1 means exit, as in the paper (FrameExit, `model/adaptive_models.py`).
    """

    hidden = (128, 64)

    def __init__(self, num_steps: int, num_features: int) -> None:
        super().__init__(num_steps, num_features)
        self.norms = nn.ModuleList(nn.BatchNorm1d(num_steps * units) for units in self.hidden)

    def _branches(self, inputs: Tensor) -> Tensor:
        for layer, norm in zip((self.first, self.second), self.norms, strict=True):
            hidden = layer(inputs)
            inputs = norm(hidden.flatten(1)).view_as(hidden).relu()
        return inputs

    def _branch_at(self, step: int, inputs: Tensor) -> Tensor:
        for layer, norm in zip((self.first, self.second), self.norms, strict=True):
            hidden = layer.at(step, inputs)
            units = slice((step - 1) * hidden.shape[1], step * hidden.shape[1])
            inputs = F.batch_norm(
                hidden,
                norm.running_mean[units],
                norm.running_var[units],
                norm.weight[units],
                norm.bias[units],
                eps=norm.eps,
            ).relu()
        return inputs
