"""The parts of published methods, built without weights and counted when asked.

Parts run on PyTorch's meta device, which executes the same ops on sizes alone, so that the whole
literature is counted in seconds; tests compare it with real execution.
"""

from __future__ import annotations

from functools import cache

import torch
import torchvision
from torch import nn

from benchmark.cost.counter import MacCounter
from benchmark.cost.networks import Size, build_network, parse_size

__all__ = [
    "conv2d",
    "features",
    "gru_cell",
    "linear",
    "listen_to_look_audio",
    "lstm_cell",
    "network",
]


def count_on_sizes(module: nn.Module, size: Size) -> int:
    """Return the MACs of `module`, which is on the meta device, for one input of `size`."""
    with torch.inference_mode(), MacCounter() as counter:
        module.eval()(torch.empty(1, *size, device="meta"))
    return counter.total


@cache
def network(name: str, size: str) -> int:
    """Return the MACs of a whole network, classifier included, e.g. ('resnet50', '3x224x224')."""
    return count_on_sizes(_on_meta(name, size), parse_size(size))


@cache
def features(name: str, size: str) -> int:
    """Return the MACs of a network without its classifier, the last linear layer."""
    module = _on_meta(name, size)
    last = [path for path, part in module.named_modules() if isinstance(part, nn.Linear)][-1]
    module.set_submodule(last, nn.Identity())
    return count_on_sizes(module, parse_size(size))


def linear(num_inputs: int, num_outputs: int) -> int:
    """Return the MACs of a linear layer for one vector."""
    with torch.device("meta"):
        return count_on_sizes(nn.Linear(num_inputs, num_outputs), (num_inputs,))


def lstm_cell(num_inputs: int, num_units: int) -> int:
    """Return the MACs of one step of an LSTM."""
    with torch.device("meta"):
        return count_on_sizes(nn.LSTMCell(num_inputs, num_units), (num_inputs,))


def gru_cell(num_inputs: int, num_units: int) -> int:
    """Return the MACs of one step of a GRU."""
    with torch.device("meta"):
        return count_on_sizes(nn.GRUCell(num_inputs, num_units), (num_inputs,))


def conv2d(num_inputs: int, num_outputs: int, side: int) -> int:
    """Return the MACs of a 1 x 1 convolution of a `side` x `side` map."""
    with torch.device("meta"):
        return count_on_sizes(nn.Conv2d(num_inputs, num_outputs, 1), (num_inputs, side, side))


def listen_to_look_audio() -> int:
    """Return the MACs of Listen-to-Look's audio network for a 101 x 40 log-mel spectrogram.

    A ResNet-18 with one input channel and a stem of stride 1 (models/networks.py of its release;
    the spectrogram's size is a secondary note).
    """
    with torch.device("meta"):
        audio: nn.Module = torchvision.models.resnet18(weights=None)
        audio.conv1 = nn.Conv2d(1, 64, kernel_size=7, stride=1, padding=3, bias=False)
        audio.fc = nn.Identity()
        return count_on_sizes(audio, (1, 101, 40))


def _on_meta(name: str, size: str) -> nn.Module:
    with torch.device("meta"):
        return build_network(name, parse_size(size))
