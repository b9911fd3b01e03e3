"""Feature extractors: networks without their classifiers, with weights from where a profile says.

A backbone maps stored frames, uint8 `[N, H, W, 3]` at its own size, to features `[N, D]`; a clip
network maps clips of L frames, `[N, L, H, W, 3]`, and one that listens maps log-mel spectrograms,
`[N, time, frequency, 1]` float32. What the weights are is said in every table.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from benchmark.backbones.build import build_network
from benchmark.backbones.weights import load_package, load_stored
from benchmark.config.learning import NetworkConfig
from benchmark.config.networks import Network

__all__ = ["Backbone", "build_backbone"]


class Backbone(nn.Module):
    """A network that takes grey values as they are stored, or as resizing leaves them."""

    mean: Tensor
    std: Tensor

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        # In this layout a view of the stored frames is fed, without a copy.
        layout = torch.channels_last if network.num_frames <= 1 else torch.channels_last_3d
        self.body = build_network(network).to(memory_format=layout)
        scale = 1 if network.is_audio else 255
        self.register_buffer("mean", torch.tensor(network.mean) * scale, persistent=False)
        self.register_buffer("std", torch.tensor(network.std) * scale, persistent=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map frames, clips or spectrograms to features.

        Args:
            inputs: `[N, *input_shape(network)]`; frames and clips hold grey values 0..255, uint8 as
                they are stored or float32 where they were resized; spectrograms are float32.

        Returns:
            `[N, D]` float32, also where autocast computes in fewer bits.
        """
        on_device = inputs.to(self.mean.device, non_blocking=True)
        scaled = (on_device.to(self.mean.dtype) - self.mean) / self.std
        features: Tensor = self.body(scaled.movedim(-1, 1)).to(self.mean.dtype)
        return features


def build_backbone(config: NetworkConfig, weights_file: Path | None, seed: int) -> Backbone:
    """Build a network with its weights, in evaluation mode.

    Args:
        config: the network's settings.
        weights_file: what the job of its weights wrote, where they come from one.
        seed: for `weights: random`.

    Raises:
        BenchmarkError: for an unknown network, or weights that are missing or do not fit.
    """
    torch.manual_seed(seed)
    backbone = Backbone(config.entry)
    if config.weights == "package":
        load_package(backbone.body)
    elif config.weights != "random":
        load_stored(backbone.body, weights_file)
    return backbone.eval()
