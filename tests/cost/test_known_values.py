"""The networks of the field's tables, to 0.1 % of the values that the field agrees on."""

from __future__ import annotations

import pytest
import torch

from benchmark.cost.counter import MacCounter
from benchmark.cost.literature.parts import network
from benchmark.cost.networks import build_network, parse_size

GMACS = [
    ("resnet50", "3x224x224", 4.089),
    ("resnet18", "3x224x224", 1.814),
    ("resnet34", "3x224x224", 3.664),
    ("resnet101", "3x224x224", 7.801),
    ("resnet34", "3x168x168", 2.245),
    ("resnet18", "3x112x112", 0.485),
    ("resnet50", "3x96x96", 0.753),
    ("resnet50", "3x128x128", 1.337),
    ("resnet50", "3x160x160", 2.087),
    ("resnet50", "3x192x192", 3.005),
    ("mobilenet_v2", "3x224x224", 0.301),
    ("mobilenet_v2", "3x128x128", 0.099),
    ("mobilenet_v2", "3x84x84", 0.0516),  # often quoted as 0.0517; 51 636 992 MACs
    ("efficientnet_b3", "3x224x224", 0.963),
    ("efficientnet_b3", "3x300x300", 1.827),
    ("efficientnet_b0", "3x224x224", 0.386),
    ("x3d_s", "3x13x160x160", 1.963),
    ("x3d_s", "3x13x182x182", 2.722),
    ("r3d_18", "3x16x112x112", 40.70),
    ("vit_b_16", "3x224x224", 17.56),
    ("vit_base_patch16_224", "3x224x224", 17.56),
]


@pytest.mark.parametrize(("name", "size", "gmac"), GMACS)
def test_known_value(name: str, size: str, gmac: float) -> None:
    assert network(name, size) / 1e9 == pytest.approx(gmac, rel=1e-3)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("resnet50", "3x96x96"),
        ("mobilenet_v2", "3x84x84"),
        ("efficientnet_b0", "3x224x224"),
        ("x3d_xs", "3x4x64x64"),
        ("r3d_18", "3x4x56x56"),
        ("vit_b_32", "3x224x224"),
        ("vit_tiny_patch16_224", "3x224x224"),
    ],
)
def test_running_on_sizes_alone_counts_what_runs(name: str, size: str, mode: type) -> None:
    """The table above is counted on the meta device; here it is compared with real execution."""
    real = build_network(name, parse_size(size))
    with mode(), MacCounter() as counter:
        real(torch.zeros(1, *parse_size(size)))
    assert counter.total == network(name, size)
