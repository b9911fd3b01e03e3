"""Counts against closed forms, in every mode in which PyTorch runs the same network."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.cost.counter import MacCounter


@dataclass(frozen=True)
class Case:
    name: str
    run: Callable[[Tensor], object]
    size: tuple[int, ...]
    macs: int


def layer(module: nn.Module) -> Callable[[Tensor], object]:
    return module.eval()


ENCODER = nn.TransformerEncoderLayer(16, 4, 24, batch_first=True).eval()
ENCODER_MACS = 2 * 5 * (4 * 16 * 16 + 2 * 16 * 24) + 2 * 5 * 5 * 16 * 2
ATTENTION = nn.MultiheadAttention(16, 4, batch_first=True).eval()
ATTENTION_MACS = 2 * 5 * 4 * 16 * 16 + 2 * 5 * 5 * 16 * 2
SEQUENCE = (2, 5, 16)
HEADS = (2, 3, 5, 8)

LAYERS = [
    Case("conv1d", layer(nn.Conv1d(4, 6, 3)), (2, 4, 10), 2 * 6 * 8 * 4 * 3),
    Case("conv2d", layer(nn.Conv2d(4, 6, 3, stride=2, padding=1)), (2, 4, 9, 8), 2 * 6 * 20 * 36),
    Case("conv3d", layer(nn.Conv3d(4, 6, (1, 3, 3))), (2, 4, 5, 6, 7), 2 * 6 * 5 * 4 * 5 * 36),
    Case("grouped", layer(nn.Conv2d(4, 8, 3, groups=2)), (1, 4, 6, 6), 8 * 16 * 2 * 9),
    Case("depthwise", layer(nn.Conv2d(4, 4, 3, groups=4)), (1, 4, 6, 6), 4 * 16 * 9),
    Case("dilated", layer(nn.Conv2d(4, 6, 3, dilation=2)), (1, 4, 8, 8), 6 * 16 * 36),
    Case("same", layer(nn.Conv2d(4, 6, 4, padding="same")), (1, 4, 8, 8), 6 * 64 * 64),
    Case("transposed 1d", layer(nn.ConvTranspose1d(4, 6, 3)), (2, 4, 7), 2 * 4 * 7 * 6 * 3),
    Case(
        "transposed 2d",
        layer(nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2)),
        (2, 4, 5, 5),
        2 * 4 * 25 * 3 * 9,
    ),
    Case("transposed 3d", layer(nn.ConvTranspose3d(4, 6, 2)), (1, 4, 3, 3, 3), 4 * 27 * 6 * 8),
    Case("linear", layer(nn.Linear(16, 7)), SEQUENCE, 2 * 5 * 16 * 7),
    Case("linear without bias", layer(nn.Linear(16, 7, bias=False)), SEQUENCE, 2 * 5 * 16 * 7),
    Case("lstm", layer(nn.LSTM(16, 8, batch_first=True)), SEQUENCE, 10 * 32 * 24),
    Case(
        "deep lstm",
        layer(nn.LSTM(16, 8, 2, bidirectional=True)),
        SEQUENCE,
        10 * 2 * (32 * 24 + 32 * 24),
    ),
    Case("projected lstm", layer(nn.LSTM(16, 8, proj_size=3)), SEQUENCE, 10 * (32 * 19 + 24)),
    Case("gru", layer(nn.GRU(16, 8, bidirectional=True)), SEQUENCE, 10 * 2 * 24 * 24),
    Case("rnn", layer(nn.RNN(16, 8, 2)), SEQUENCE, 10 * (8 * 24 + 8 * 16)),
    Case("relu rnn", layer(nn.RNN(16, 8, nonlinearity="relu")), SEQUENCE, 10 * 8 * 24),
    Case("lstm cell", layer(nn.LSTMCell(16, 8)), (3, 16), 3 * 32 * 24),
    Case("gru cell", layer(nn.GRUCell(16, 8)), (3, 16), 3 * 24 * 24),
    Case("rnn cell", layer(nn.RNNCell(16, 8)), (3, 16), 3 * 8 * 24),
    Case("attention", lambda x: ATTENTION(x, x, x)[0], SEQUENCE, ATTENTION_MACS),
    Case(
        "attention without weights",
        lambda x: ATTENTION(x, x, x, need_weights=False)[0],
        SEQUENCE,
        ATTENTION_MACS,
    ),
    Case(
        "cross attention",
        lambda x: ATTENTION(x[:, :2], x, x)[0],
        SEQUENCE,
        2 * (2 * 2 + 5 * 2) * 16 * 16 + 2 * 2 * 5 * 16 * 2,
    ),
    Case("encoder layer", ENCODER, SEQUENCE, ENCODER_MACS),
    Case(
        "batch norm and pooling are free",
        layer(nn.Sequential(nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())),
        (2, 4, 6, 6),
        0,
    ),
]
MAPS = [case for case in LAYERS if len(case.size) >= 4]

PRODUCTS = [
    Case("mm", lambda x: x[0] @ x[0].t(), SEQUENCE, 25 * 16),
    Case("mv", lambda x: torch.mv(x[0], x[0, 0]), SEQUENCE, 80),
    Case("dot", lambda x: torch.dot(x[0, 0], x[0, 1]), SEQUENCE, 16),
    Case("addmm", lambda x: torch.addmm(x[0, 0, :5], x[0], x[1].t()), SEQUENCE, 25 * 16),
    Case("addmv", lambda x: torch.addmv(x[0, :, 0], x[0], x[0, 0]), SEQUENCE, 80),
    Case("bmm", lambda x: torch.bmm(x, x.mT), SEQUENCE, 2 * 25 * 16),
    Case("baddbmm", lambda x: torch.baddbmm(x[..., :5], x, x.mT), SEQUENCE, 2 * 25 * 16),
    Case("addbmm", lambda x: torch.addbmm(x[0, :, :5], x, x.mT), SEQUENCE, 2 * 25 * 16),
    Case("matmul, broadcast", lambda x: x[:1] @ x[0].t(), SEQUENCE, 25 * 16),
    Case("matmul of 4", lambda x: x @ x[:1].mT, HEADS, 2 * 3 * 25 * 8),
    Case("einsum", lambda x: torch.einsum("bik,bjk->bij", x, x), SEQUENCE, 2 * 25 * 16),
    Case("tensordot", lambda x: torch.tensordot(x, x[0], [[2], [1]]), SEQUENCE, 10 * 5 * 16),
    Case("cdist", lambda x: torch.cdist(x, x), SEQUENCE, 2 * 25 * 16),
    Case("sdpa", lambda x: F.scaled_dot_product_attention(x, x, x), HEADS, 6 * 25 * 16),
    Case(
        "masked sdpa",
        lambda x: F.scaled_dot_product_attention(x, x, x, attn_mask=torch.zeros(5, 5)),
        HEADS,
        6 * 25 * 16,
    ),
    Case(
        "grouped sdpa, wide values",
        lambda x: F.scaled_dot_product_attention(
            x, x[:, :1], torch.cat([x, x], -1)[:, :1], enable_gqa=True
        ),
        HEADS,
        6 * 25 * (8 + 16),
    ),
    Case(
        "affine grid",
        lambda x: F.affine_grid(x[0, :2, :3][None], [1, 3, 4, 4], align_corners=False),
        SEQUENCE,
        16 * 2 * 3,
    ),
]


@contextlib.contextmanager
def fast_path_off() -> Iterator[None]:
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(True)


MODES: dict[str, Callable[[], contextlib.AbstractContextManager[object]]] = {
    "with gradients": torch.enable_grad,
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
}
SETTINGS: dict[str, Callable[[], contextlib.AbstractContextManager[object]]] = {
    "as it is": contextlib.nullcontext,
    "no mkldnn": lambda: torch.backends.mkldnn.flags(enabled=False),
    "no fast path": fast_path_off,
    "bf16 autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "sdpa by math": lambda: torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("case", LAYERS + PRODUCTS, ids=lambda case: case.name)
def test_count_is_the_closed_form(case: Case, mode: str, setting: str) -> None:
    if "lstm" in case.name and setting == "bf16 autocast":
        _skip_where_torch_cannot(case, mode, setting)
    with MODES[mode](), SETTINGS[setting](), MacCounter() as counter:
        case.run(torch.randn(case.size))
    assert counter.total == case.macs


def _skip_where_torch_cannot(case: Case, mode: str, setting: str) -> None:
    """Skip what PyTorch itself refuses: oneDNN's LSTM in bfloat16 wants a processor that has it."""
    try:
        with MODES[mode](), SETTINGS[setting]():
            case.run(torch.randn(case.size))
    except RuntimeError as fault:
        if "could not create a primitive" not in str(fault):
            raise
        pytest.skip("this processor has no LSTM in bfloat16")


@pytest.mark.parametrize("case", MAPS, ids=lambda case: case.name)
@pytest.mark.parametrize("mode", MODES)
def test_channels_last_changes_nothing(case: Case, mode: str) -> None:
    layout = torch.channels_last if len(case.size) == 4 else torch.channels_last_3d
    with MODES[mode](), MacCounter() as counter:
        case.run(torch.randn(case.size).to(memory_format=layout))
    assert counter.total == case.macs
