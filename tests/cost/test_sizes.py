"""Closed forms hold for any sizes: counts against loops over what is multiplied."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from benchmark.cost.counter import MacCounter

small = st.integers(1, 4)
any_sizes = settings(deadline=None, max_examples=40)


@given(st.data(), st.integers(1, 3), st.booleans())
@any_sizes
def test_convolutions(data: st.DataObject, num_axes: int, transposed: bool) -> None:
    """A convolution is one linear map from unfolded windows; its transpose costs the same."""
    groups, batch = data.draw(small), data.draw(small)
    inputs, outputs = groups * data.draw(small), groups * data.draw(small)
    window = data.draw(st.tuples(*[st.integers(1, 3)] * num_axes))
    stride, dilation, padding = data.draw(small), data.draw(st.integers(1, 2)), data.draw(small)
    sides = data.draw(st.tuples(*[st.integers(8, 10)] * num_axes))
    kinds = {
        False: (nn.Conv1d, nn.Conv2d, nn.Conv3d),
        True: (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d),
    }
    layer = kinds[transposed][num_axes - 1](
        inputs, outputs, window, stride=stride, dilation=dilation, padding=padding, groups=groups
    )
    example = torch.zeros(batch, inputs, *sides)
    with torch.inference_mode(), MacCounter() as counter:
        result = layer(example)
    values_each_window = (inputs if transposed else outputs) // groups
    other_side = (outputs if transposed else inputs) // groups
    positions = (example if transposed else result).shape[2:].numel()
    num_taps = torch.Size(window).numel()
    expected = batch * positions * num_taps * groups * values_each_window * other_side
    assert counter.total == expected


# An einsum that sums over one value multiplies element by element, and is free as such.
@given(st.lists(small, max_size=3), small, st.integers(2, 4), small, st.booleans())
@any_sizes
def test_matrix_products_of_every_spelling(
    batch: list[int], rows: int, inner: int, columns: int, inference: bool
) -> None:
    left, right = torch.zeros(*batch, rows, inner), torch.zeros(*batch, inner, columns)
    expected = torch.Size(batch).numel() * rows * inner * columns
    spellings = [
        lambda: left @ right,
        lambda: torch.matmul(left, right),
        lambda: torch.einsum("...ij,...jk->...ik", left, right),
        lambda: F.linear(left.reshape(-1, inner), right.reshape(-1, inner, columns)[0].t()),
    ]
    for spelling in spellings:
        with torch.inference_mode(inference), MacCounter() as counter:
            spelling()
        assert counter.total == expected


@given(st.tuples(small, small), st.tuples(small, small), st.tuples(small, small), st.booleans())
@any_sizes
def test_attention(
    batch: tuple[int, int], tokens: tuple[int, int], widths: tuple[int, int], inference: bool
) -> None:
    (queries, keys), (width, values) = tokens, widths
    with torch.inference_mode(inference), MacCounter() as counter:
        F.scaled_dot_product_attention(
            torch.zeros(*batch, queries, width),
            torch.zeros(*batch, keys, width),
            torch.zeros(*batch, keys, values),
        )
    assert counter.total == batch[0] * batch[1] * queries * keys * (width + values)


@given(
    st.sampled_from([(nn.LSTM, 4), (nn.GRU, 3), (nn.RNN, 1)]),
    st.tuples(small, small, small),
    st.tuples(small, small, st.sampled_from([1, 2])),
    st.booleans(),
)
@any_sizes
def test_recurrent_layers(
    kind: tuple[type[nn.RNNBase], int],
    size: tuple[int, int, int],
    shape: tuple[int, int, int],
    inference: bool,
) -> None:
    (network, num_gates), (steps, batch, inputs), (units, layers, directions) = kind, size, shape
    layer = network(inputs, units, layers, bidirectional=directions == 2).eval()
    with torch.inference_mode(inference), MacCounter() as counter:
        layer(torch.zeros(size))
    each_step = sum(
        directions * num_gates * units * ((inputs if level == 0 else directions * units) + units)
        for level in range(layers)
    )
    assert counter.total == batch * steps * each_step
