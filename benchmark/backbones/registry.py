"""Feature extractors by name: a network without its classifier, and how its input is made.

A backbone maps stored frames, uint8 `[N, H, W, 3]` at its own size, to features `[N, D]`; a clip
network maps clips of L frames, `[N, L, H, W, 3]`, and one that listens maps log-mel spectrograms,
`[N, time, frequency, 1]` float32. Weights come from where the profile says, and what they are is
said in every table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.backbones.audio_networks import audio_resnet18, tiny_audio
from benchmark.backbones.small_cnn import SmallCnn, SmallCnn3d
from benchmark.backbones.weights import Hub, load_package, load_stored
from benchmark.config_learning import NetworkConfig
from benchmark.data.log_mel import LOG_MEL_SHAPE
from benchmark.errors import BenchmarkError, did_you_mean

__all__ = ["Backbone", "Network", "build_backbone", "network_of"]

_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_KINETICS = ((0.43216, 0.394666, 0.37645), (0.22803, 0.22145, 0.216989))  # torchvision's r3d_18
_X3D = (
    (0.45,) * 3,
    (0.225,) * 3,
)  # PySlowFast, X3D_S.yaml, and PyTorchVideo's zoo


@dataclass(frozen=True)
class Network:
    """An entry of the registry.

    Attributes:
        size: side of the square input in pixels; 0 for a network that listens.
        num_features: D.
        mean: of the input in 0..1, by colour; of a spectrogram as it is.
        std: of the same.
        build: makes the network with random weights.
        num_frames: L, consecutive stored frames of one input; 1 for a network on single frames, 0
            for one that listens: it is fed the sound around a stored frame and opens none.
        hub: the published weights that `weights: hub` means; None where there are none.
    """

    size: int
    num_features: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    build: Callable[[], nn.Module]
    num_frames: int = 1
    hub: Hub | None = None

    @property
    def listens(self) -> bool:
        """Whether its input is sound."""
        return self.num_frames == 0

    @property
    def step(self) -> int:
        """Stored frames from one input to the next."""
        return max(1, self.num_frames)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input, colours last."""
        if self.listens:
            return (*LOG_MEL_SHAPE, 1)
        clip = () if self.num_frames == 1 else (self.num_frames,)
        return (*clip, self.size, self.size, 3)


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


def _x3d_s() -> nn.Module:
    """Build X3D-S without its classifier, by PyTorchVideo.

    Of the head's parts only the last linear layer is the classifier; the convolutions to 432 and,
    after pooling, to 2,048 stay ('fc1' of X3D, Table 1), so that it gives 2,048 features as
    ResNet-50 does. So counted, FrameExit's 1.96 GFLOPs a clip hold. Pooling adapts to the input's
    size; at 13 x 160 x 160 it is PyTorchVideo's.
    """
    from pytorchvideo.models.x3d import create_x3d  # noqa: PLC0415

    whole: Any = create_x3d(input_clip_length=13, input_crop_size=160)
    head = whole.blocks[-1]
    head.pool.pool = nn.AdaptiveAvgPool3d(1)
    head.proj, head.dropout, head.activation = nn.Identity(), None, None
    network: nn.Module = whole
    return network


def _small(width: int) -> Network:
    # 64 pixels: the built-in videos' own size, so that nothing is resized.
    return Network(64, 8 * width, _HALF, _HALF, lambda: SmallCnn(width))


def _listening(num_features: int, build: Callable[[], nn.Module]) -> Network:
    return Network(0, num_features, (0.0,), (1.0,), build, num_frames=0)


def _on_imagenet(name: str, tag: str, num_features: int) -> Network:
    hub = Hub("timm", f"{name}.{tag}", "ImageNet-1k")
    return Network(224, num_features, *_IMAGENET, _timm(name), hub=hub)


_HALF = (0.5, 0.5, 0.5)
_R3D_18 = Network(
    *(112, 512, *_KINETICS, _r3d_18, 16),
    hub=Hub("torchvision", "R3D_18_Weights.KINETICS400_V1", "Kinetics-400"),
)
NETWORKS: dict[str, Network] = {
    "small_cnn": _small(16),
    "small_cnn_12": _small(12),
    "small_cnn_8": _small(8),
    "tiny_cnn": _small(4),
    "small_cnn_3d": Network(32, 64, _HALF, _HALF, lambda: SmallCnn3d(8), num_frames=8),
    # (x - 127) / 128, as the converted TensorFlow weights expect.
    "tf_efficientnet_lite0": Network(
        *(224, 1280, (127 / 255,) * 3, (128 / 255,) * 3, _timm("tf_efficientnet_lite0")),
        hub=Hub("timm", "tf_efficientnet_lite0.in1k", "ImageNet-1k"),
    ),
    # torchvision's first weights, which the papers' code loads, and not timm's later ones.
    "resnet18": _on_imagenet("resnet18", "tv_in1k", 512),
    "resnet34": _on_imagenet("resnet34", "tv_in1k", 512),
    "resnet50": _on_imagenet("resnet50", "tv_in1k", 2048),
    "resnet101": _on_imagenet("resnet101", "tv_in1k", 2048),
    "mobilenetv2_100": _on_imagenet("mobilenetv2_100", "ra_in1k", 1280),
    "efficientnet_b0": _on_imagenet("efficientnet_b0", "ra_in1k", 1280),
    "efficientnet_b1": _on_imagenet("efficientnet_b1", "ft_in1k", 1280),
    "efficientnet_b3": _on_imagenet("efficientnet_b3", "ra2_in1k", 1536),
    "r3d_18": _R3D_18,
    "r3d_18_8": replace(_R3D_18, num_frames=8),
    "x3d_s": Network(
        *(160, 2048, *_X3D, _x3d_s, 13), hub=Hub("pytorchvideo", "x3d_s", "Kinetics-400")
    ),
    "audio_resnet18": _listening(512, audio_resnet18),
    "tiny_audio": _listening(80, tiny_audio),
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
    """A network that takes grey values as they are stored, or as resizing leaves them."""

    mean: Tensor
    std: Tensor

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        # In this layout a view of the stored frames is fed, without a copy.
        layout = torch.channels_last if network.num_frames <= 1 else torch.channels_last_3d
        self.body = network.build().to(memory_format=layout)
        scale = 1 if network.listens else 255
        self.register_buffer("mean", torch.tensor(network.mean) * scale, persistent=False)
        self.register_buffer("std", torch.tensor(network.std) * scale, persistent=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map frames, clips or spectrograms to features.

        Args:
            inputs: `[N, *network.input_shape]`; frames and clips hold grey values 0..255, uint8 as
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
    backbone = Backbone(network_of(config))
    if config.weights == "package":
        load_package(backbone.body, config.network)
    elif config.weights != "random":
        load_stored(backbone.body, weights_file)
    return backbone.eval()
