"""What the counters in common use get wrong, and ours does not."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.cost.cross_check.other_counters import COUNTERS
from benchmark.cost.networks import build_network

pytestmark = pytest.mark.filterwarnings("ignore")


def total(counter: str, network: nn.Module, example: Tensor) -> int:
    return sum(COUNTERS[counter](network.eval(), example).values())


class EarlyExit(nn.Module):
    """Looks at frames until its convolutional gate says stop; the gate feeds control flow only."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Conv2d(3, 8, 3)
        self.gate = nn.Sequential(nn.Conv2d(8, 64, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.stop, self.classifier = nn.Linear(64, 1), nn.Linear(8, 5)

    def forward(self, frames: Tensor) -> Tensor:
        pooled = torch.zeros(1, 8)
        for frame in frames.unbind(1):
            maps = self.backbone(frame)
            pooled = torch.maximum(pooled, maps.mean((2, 3)))
            if torch.sigmoid(self.stop(self.gate(maps))).item() > 2:  # never: all frames are seen
                break
        return self.classifier(pooled)


def test_fvcore_drops_what_feeds_control_flow() -> None:
    num_frames, backbone, gate = 4, 14 * 14 * 8 * 27, 12 * 12 * 64 * 72 + 64
    frames = torch.randn(1, num_frames, 3, 16, 16)
    net = EarlyExit()
    assert total("ours", net, frames) == num_frames * (backbone + gate) + 40
    assert total("fvcore", net, frames) < 0.1 * total("ours", net, frames)


def test_ours_counts_the_frames_that_were_opened() -> None:
    net, frames = EarlyExit(), torch.randn(1, 4, 3, 16, 16)
    all_frames = total("ours", net, frames)
    net.stop.bias.data.fill_(1e9)
    net.forward = lambda frames: EarlyExit.forward(net, frames[:, :1])  # type: ignore[method-assign]
    assert 4 * (total("ours", net, frames) - 40) == all_frames - 40


class ScaledDotProduct(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.scaled_dot_product_attention(x, x, x)


@pytest.mark.parametrize(
    ("network", "size", "macs"),
    [
        (nn.LSTM(16, 8, batch_first=True), (2, 5, 16), 10 * 32 * 24),
        (ScaledDotProduct(), (2, 3, 5, 8), 2 * 2 * 3 * 25 * 8),
        (
            nn.TransformerEncoderLayer(16, 4, 24, batch_first=True),
            (2, 5, 16),
            10 * (4 * 16 * 16 + 2 * 16 * 24) + 2 * 2 * 25 * 16,
        ),
    ],
    ids=["fused LSTM", "scaled-dot-product attention", "fast path"],
)
def test_torch_reads_zero_for_fused_ops(
    network: nn.Module, size: tuple[int, ...], macs: int
) -> None:
    assert total("torch", network, torch.randn(size)) == 0
    assert total("ours", network, torch.randn(size)) == macs


def test_ptflops_misses_subclasses_of_convolutions() -> None:
    network, clip = build_network("r3d_18", (3, 4, 56, 56)), torch.zeros(1, 3, 4, 56, 56)
    ours = total("ours", network, clip)
    assert total("torch", network, clip) == ours
    assert total("ptflops (pytorch)", network, clip) < 0.05 * ours
