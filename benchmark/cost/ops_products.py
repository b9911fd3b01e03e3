"""Closed forms for convolutions and matrix products: what nearly all networks spend.

Every form reads sizes only. A convolution costs one product of a filter with its window for each
output value (padding counts as data, as in every published figure); a matrix product costs the
inner size for each output value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod

import torch

from benchmark.cost.rule import Rule, Sizes, closed_form

__all__ = ["PRODUCT_RULES"]

_Reader = Callable[..., tuple[Sizes, ...]]


@closed_form
def _filter_at_each_value(values: Sizes, weight: Sizes) -> int:
    """Return values times the products of one filter; `weight`: [filters, *window]."""
    return prod(values) * prod(weight[1:])


@closed_form
def _inner_at_each_value(values: Sizes, inner: Sizes) -> int:
    """Return values times the inner sizes that each of them sums over."""
    return prod(values) * prod(inner)


def _convolution(args: tuple[torch.Tensor, ...], out: torch.Tensor) -> tuple[Sizes, Sizes]:
    return out.shape, args[1].shape


def _transposed(args: tuple[torch.Tensor, ...], out: torch.Tensor) -> tuple[Sizes, Sizes]:
    return args[0].shape, args[1].shape


def _either(args: tuple[torch.Tensor, ...], out: torch.Tensor) -> tuple[Sizes, Sizes]:
    transposed = args[6]
    return (args[0] if transposed else out).shape, args[1].shape


def _time_first(args: tuple[torch.Tensor, ...], out: torch.Tensor) -> tuple[Sizes, Sizes]:
    return out.shape, args[1].shape[:2]  # conv_tbc: weight [window, in, out]


def _first_times(args: tuple[torch.Tensor, ...], out: torch.Tensor) -> tuple[Sizes, Sizes]:
    return out.shape, args[0].shape[-1:]


def _second_times(args: tuple[torch.Tensor, ...], out: torch.Tensor) -> tuple[Sizes, Sizes]:
    return out.shape, args[1].shape[-1:]


def _summed_batches(args: tuple[torch.Tensor, ...], out: torch.Tensor) -> tuple[Sizes, Sizes]:
    return out.shape, args[1].shape[::2]  # addbmm: batch1 [b, n, m] -> inner sizes b and m


def _outer(args: tuple[torch.Tensor, ...], out: torch.Tensor) -> tuple[Sizes, Sizes]:
    return out.shape, ()


_CONVOLUTIONS: dict[_Reader, str] = {
    _convolution: """
        aten::conv1d aten::conv2d aten::conv3d aten::cudnn_convolution
        aten::cudnn_convolution_relu aten::cudnn_convolution_add_relu aten::miopen_convolution
        aten::miopen_depthwise_convolution aten::miopen_convolution_relu
        aten::miopen_convolution_add_relu aten::mkldnn_convolution aten::thnn_conv2d
        aten::_slow_conv2d_forward aten::slow_conv3d aten::slow_conv3d_forward
        aten::slow_conv_dilated2d aten::slow_conv_dilated3d aten::_conv_depthwise2d
        aten::conv_depthwise3d mkldnn::_convolution_pointwise.default torchvision::deform_conv2d
    """,
    _transposed: """
        aten::conv_transpose1d aten::conv_transpose2d aten::conv_transpose3d
        aten::cudnn_convolution_transpose aten::miopen_convolution_transpose
        aten::slow_conv_transpose2d aten::slow_conv_transpose3d
        mkldnn::_convolution_transpose_pointwise.default
    """,
    _either: "aten::convolution aten::_convolution aten::convolution_overrideable",
}

_MATRIX_PRODUCTS: dict[_Reader, str] = {
    _first_times: """
        aten::linear aten::mkldnn_linear mkldnn::_linear_pointwise mkl::_mkl_linear aten::matmul
        aten::mm aten::bmm aten::mv aten::dot aten::vdot aten::_int_mm aten::_scaled_mm
        aten::cdist aten::_cdist_forward aten::_euclidean_dist
    """,
    _second_times: "aten::addmm aten::_addmm_activation aten::baddbmm aten::addmv",
    _summed_batches: "aten::addbmm",
    _outer: "aten::addr",
}


def _affine_grid(args: tuple[torch.Tensor, ...], out: torch.Tensor) -> tuple[Sizes, Sizes]:
    return out.shape, args[0].shape[-1:]  # a grid of homogeneous points times theta [N, 2, 3]


PRODUCT_RULES: Mapping[str, Rule] = {
    **{
        name: Rule("convolution", reader, _filter_at_each_value)
        for reader, names in _CONVOLUTIONS.items()
        for name in names.split()
    },
    "aten::conv_tbc": Rule("convolution", _time_first, _inner_at_each_value),
    **{
        name: Rule("matrix product", reader, _inner_at_each_value)
        for reader, names in _MATRIX_PRODUCTS.items()
        for name in names.split()
    },
    "aten::affine_grid_generator": Rule("matrix product", _affine_grid, _inner_at_each_value),
}
