"""Closed forms for recurrent layers and cells, fused or not.

At each step of each sequence every weight matrix of a layer multiplies one vector, whatever the
kind of cell, the number of layers, the directions or a projection: cost is steps times the number
of matrix entries. Gates are element-wise and free.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import prod
from typing import Any

import torch

from benchmark.cost.rule import Rule, Sizes, closed_form

__all__ = ["RECURRENT_RULES"]


@closed_form
def _each_matrix_at_each_step(steps: Sizes, *weights: Sizes) -> int:
    """Return steps of all sequences times the entries of all weight matrices."""
    return prod(steps) * sum(prod(weight) for weight in weights)


def _sizes(tokens: torch.Tensor, weights: Iterable[torch.Tensor]) -> tuple[Sizes, ...]:
    # Biases are vectors; `tokens` is [..., features], packed sequences are [all steps, features].
    return tokens.shape[:-1], *(weight.shape for weight in weights if weight.dim() == 2)


def _layers(args: tuple[Any, ...], out: Any) -> tuple[Sizes, ...]:
    return _sizes(args[0], args[2])


def _packed_layers(args: tuple[Any, ...], out: Any) -> tuple[Sizes, ...]:
    return _sizes(args[0], args[3])


def _fused_layers(args: tuple[Any, ...], out: Any) -> tuple[Sizes, ...]:
    return _sizes(args[0], args[1])


def _cell(args: tuple[Any, ...], out: Any) -> tuple[Sizes, ...]:
    return _sizes(args[0], args[2:4])


def _mkldnn_layer(args: tuple[Any, ...], out: Any) -> tuple[Sizes, ...]:
    return _sizes(args[0], args[1:3])


_KINDS = ("lstm", "gru", "rnn_tanh", "rnn_relu")

RECURRENT_RULES: Mapping[str, Rule] = {
    name: Rule("recurrent", reader, _each_matrix_at_each_step)
    for name, reader in [
        *((f"aten::{kind}.input", _layers) for kind in _KINDS),
        *((f"aten::{kind}.data", _packed_layers) for kind in _KINDS),
        *((f"aten::{kind}_cell", _cell) for kind in _KINDS),
        ("aten::_cudnn_rnn", _fused_layers),
        ("aten::miopen_rnn", _fused_layers),
        ("aten::mkldnn_rnn_layer", _mkldnn_layer),
    ]
}
