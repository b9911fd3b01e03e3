"""What the counter sees and refuses, and that no count touches another."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence
from torch.utils.checkpoint import checkpoint
from torch.utils.mkldnn import to_mkldnn

from benchmark.cost.counter import MacCounter
from benchmark.errors import BenchmarkError

MODES = {
    "with gradients": torch.enable_grad,
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
}
NET = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 5)).eval()
FRAMES = (2, 3, 8, 8)
NET_MACS = 2 * (4 * 36 * 27 + 4 * 36 * 5)


def test_only_the_forward_pass_is_counted() -> None:
    frames = torch.randn(FRAMES, requires_grad=True)
    with MacCounter() as counter:
        NET(frames).sum().backward()
    assert counter.total == NET_MACS
    with MacCounter() as counter:  # recomputed for the backward pass, in it
        checkpoint(NET, frames, use_reentrant=False).sum().backward()
    assert counter.total == NET_MACS


def test_packed_sequences_are_charged_for_their_real_lengths() -> None:
    lstm = nn.LSTM(16, 8, batch_first=True)
    packed = pack_padded_sequence(torch.randn(3, 5, 16), [5, 3, 2], batch_first=True)
    for mode in MODES.values():
        with mode(), MacCounter() as counter:
            lstm(packed)
        assert counter.total == (5 + 3 + 2) * 32 * 24


@pytest.mark.filterwarnings("ignore")
def test_padding_mask_makes_the_fast_path_cheaper_and_the_count_says_so() -> None:
    layer = nn.TransformerEncoderLayer(16, 4, 24, batch_first=True)
    encoder = nn.TransformerEncoder(layer, 2).eval()
    tokens, padding = torch.randn(2, 5, 16), torch.tensor([[False] * 5, [False] * 3 + [True] * 2])
    with torch.no_grad(), MacCounter() as counter:
        encoder(tokens, src_key_padding_mask=padding)
    each_token = 4 * 16 * 16 + 2 * 16 * 24
    assert counter.total == 2 * ((5 + 3) * each_token + (25 + 9) * 16 * 2)


@pytest.mark.filterwarnings("ignore")
def test_mkldnn_networks_are_counted() -> None:
    converted = to_mkldnn(NET)
    for mode in (torch.no_grad, torch.inference_mode):
        with mode(), MacCounter() as counter:
            converted(torch.randn(FRAMES).to_mkldnn()).to_dense()
        assert counter.total == NET_MACS


@pytest.mark.filterwarnings("ignore")
def test_scripted_and_compiled_networks_are_counted() -> None:
    frames = torch.randn(FRAMES)
    for form in (torch.jit.script(NET), torch.compile(NET, backend="eager")):
        with torch.no_grad():
            form(frames)
        with torch.no_grad(), MacCounter() as counter:
            form(frames)
        assert counter.total == NET_MACS


class Spectrum(nn.Module):
    def forward(self, sound: Tensor) -> Tensor:
        return torch.fft.rfft(sound).abs()


class Listener(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.ears = nn.ModuleList([nn.Identity(), Spectrum()])

    def forward(self, sound: Tensor) -> Tensor:
        return self.ears[1](self.ears[0](sound))


@pytest.mark.parametrize("mode", MODES)
def test_unknown_op_is_an_error_that_names_op_and_module(mode: str) -> None:
    with (
        pytest.raises(BenchmarkError, match=r"^Listener\.ears\.1 \(Spectrum\): op aten\._fft_r2c"),
        MODES[mode](),
        MacCounter(),
    ):
        Listener()(torch.randn(2, 16))


@pytest.mark.parametrize("mode", MODES)
def test_failed_count_changes_no_later_one(mode: str) -> None:
    linear, counter = nn.Linear(16, 7), MacCounter()
    for fault in (Listener(), linear):
        with pytest.raises((BenchmarkError, RuntimeError)), MODES[mode](), counter:
            fault(linear(torch.randn(4, 16)))
        counted = counter.total
        linear(torch.randn(100, 16))  # outside: the counter that failed is not listening
        assert counter.total == counted == 4 * 16 * 7
        for later in (counter, MacCounter()):
            with MODES[mode](), later:
                linear(torch.randn(2, 16))
            assert later.total == 2 * 16 * 7


class Fork(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.narrow, self.wide = nn.Linear(16, 4), nn.Linear(16, 64)

    def forward(self, x: Tensor) -> Tensor:
        return self.wide(x) if x.mean() > 0 else self.narrow(x)


def test_remembered_sizes_do_not_hide_another_path() -> None:
    fork, counts = Fork(), []
    for sign in (-1, 1, -1, 1):  # the module sees the same shape every time
        with torch.inference_mode(), MacCounter() as counter:
            fork(torch.full((2, 16), float(sign)))
        counts.append(counter.total)
    assert counts == [2 * 16 * 4, 2 * 16 * 64] * 2


def test_nested_counters_both_see_what_runs() -> None:
    with torch.no_grad(), MacCounter() as outer, MacCounter() as inner:
        nn.Linear(16, 7)(torch.randn(2, 16))
    assert outer.total == inner.total == 2 * 16 * 7
