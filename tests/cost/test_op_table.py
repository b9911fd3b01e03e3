"""The op table names ops that exist, each with one answer."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
import torchvision  # noqa: F401  (registers the ops that the table names)

from benchmark.cost.ops import COUNTED_OPS, FREE, find_rule
from benchmark.cost.ops_free import FREE_OPS

FREE_NAMES = [
    name if "::" in name else f"aten::{name}"
    for names in FREE_OPS.values()
    for name in names.split()
]


def exists(name: str) -> bool:
    namespace, _, op = name.partition("::")
    op, _, overload = op.partition(".")
    packets = [getattr(getattr(torch.ops, namespace), form, None) for form in (op, f"{op}_")]
    found = [packet for packet in packets if packet is not None]
    return any(not overload or overload in packet.overloads() for packet in found)


@pytest.mark.parametrize("name", [*COUNTED_OPS, *FREE_NAMES])
def test_op_exists(name: str) -> None:
    assert exists(name)


def test_every_op_has_one_answer() -> None:
    assert [name for name, times in Counter([*COUNTED_OPS, *FREE_NAMES]).items() if times > 1] == []


def test_in_place_is_the_same_op_and_others_are_unknown() -> None:
    aten = torch.ops.aten
    assert find_rule(aten.relu.default) is find_rule(aten.relu_.default) is FREE
    assert find_rule(aten.bitwise_and.Tensor) is find_rule(aten.__and__.Tensor) is FREE
    assert find_rule(aten.addmm.default) is find_rule(aten.addmm_.default) is not FREE
    for unknown in (aten._fft_r2c.default, aten._linalg_svd.default, aten._trilinear.default):
        assert find_rule(unknown) is None
