"""Closed forms for attention: scaled-dot-product in every backend and the fused fast paths.

Scores and weighted sum are matrix products, whichever kernel computes them. A causal or padding
mask does not make attention cheaper here, since the plain computation executes masked scores too;
nested tensors, which the fast path makes of a padding mask, are charged for their real lengths.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest
from math import prod
from typing import Any

import torch

from benchmark.cost.rule import Rule, Sizes, closed_form

__all__ = ["ATTENTION_RULES"]

_SCALED_DOT_PRODUCT = """
    aten::scaled_dot_product_attention aten::_scaled_dot_product_attention_math
    aten::_scaled_dot_product_attention_math_for_mps aten::_scaled_dot_product_flash_attention
    aten::_scaled_dot_product_flash_attention_for_cpu
    aten::_scaled_dot_product_efficient_attention aten::_scaled_dot_product_cudnn_attention
    aten::_scaled_dot_product_fused_attention_overrideable
"""


@closed_form
def _scaled_dot_product(query: Sizes, key: Sizes, value: Sizes) -> int:
    """Return the MACs of QK^T and of the weighted sum.

    Args:
        query: [*batch, heads, queries, width].
        key: [*batch, heads, keys, width]; batch may broadcast, heads may be grouped.
        value: [*batch, heads, keys, value width].
    """
    both = zip_longest(query[-3::-1], key[-3::-1], fillvalue=1)
    num_products = prod(0 if 0 in pair else max(pair) for pair in both)
    return num_products * query[-2] * key[-2] * (query[-1] + value[-1])


def _query_key_value(args: tuple[torch.Tensor, ...], out: Any) -> tuple[Sizes, Sizes, Sizes]:
    return args[0].shape, args[1].shape, args[2].shape


def _lengths(tokens: torch.Tensor) -> tuple[int, ...]:
    """Return the sequence lengths of `tokens` [batch, length, width], dense or nested."""
    if tokens.is_nested:
        return tuple(tokens._nested_tensor_size()[:, 0].tolist())
    return (tokens.shape[1],) * tokens.shape[0]


@closed_form
def _multi_head(queries: Sizes, keys: Sizes, width: int) -> int:
    """Return the MACs of four projections and the attention between them.

    Args:
        queries: number of queries of each sequence.
        keys: number of keys of each sequence.
        width: width of tokens, of all heads together.
    """
    projections = 2 * (sum(queries) + sum(keys)) * width * width
    pairs = sum(num_queries * num_keys for num_queries, num_keys in zip(queries, keys, strict=True))
    return projections + 2 * pairs * width


def _multi_head_sizes(args: tuple[Any, ...], out: Any) -> tuple[Sizes, Sizes, int]:
    return _lengths(args[0]), _lengths(args[1]), args[3]


@closed_form
def _encoder_layer(lengths: Sizes, width: int, hidden: int) -> int:
    """Return the MACs of self-attention and of the two layers after it, `hidden` wide."""
    return _multi_head(lengths, lengths, width) + 2 * sum(lengths) * width * hidden


def _encoder_layer_sizes(args: tuple[Any, ...], out: Any) -> tuple[Sizes, int, int]:
    hidden_weight = args[14]
    return _lengths(args[0]), args[1], hidden_weight.shape[0]


ATTENTION_RULES: Mapping[str, Rule] = {
    **{
        name: Rule("attention", _query_key_value, _scaled_dot_product)
        for name in _SCALED_DOT_PRODUCT.split()
    },
    "aten::_native_multi_head_attention": Rule("attention", _multi_head_sizes, _multi_head),
    "aten::_transformer_encoder_layer_fwd": Rule("attention", _encoder_layer_sizes, _encoder_layer),
}
