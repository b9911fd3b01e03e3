"""The networks that a profile may name, and what is known of them without importing PyTorch.

A profile is checked before any job, and by every command; importing PyTorch alone takes longer than
that. `benchmark.backbones.build` makes the networks themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

__all__ = ["IN_PACKAGE", "NETWORKS", "Hub", "Network"]

IN_PACKAGE = "tf_efficientnet_lite0"
"""The network whose ImageNet weights a Python package carries."""

_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_KINETICS = ((0.43216, 0.394666, 0.37645), (0.22803, 0.22145, 0.216989))  # torchvision's r3d_18
_X3D = ((0.45,) * 3, (0.225,) * 3)  # PySlowFast, X3D_S.yaml, and PyTorchVideo's zoo


@dataclass(frozen=True)
class Hub:
    """Weights that a library publishes.

    Attributes:
        library: whose.
        name: of the weights there.
        trained_on: as its model zoo says it.
    """

    library: Literal["timm", "torchvision", "pytorchvideo"]
    name: str
    trained_on: str

    def url(self) -> str:
        """Return the address that the installed library gives for them."""
        if self.library == "timm":
            import timm  # noqa: PLC0415

            known: Any = timm.get_pretrained_cfg(self.name)
            return str(known.url)
        if self.library == "torchvision":
            import torchvision  # noqa: PLC0415

            return str(torchvision.models.get_weight(self.name).url)
        from pytorchvideo.models.hub.x3d import checkpoint_paths  # noqa: PLC0415

        return str(checkpoint_paths[self.name])


@dataclass(frozen=True)
class Network:
    """An entry of the registry.

    Attributes:
        size: side of the square input in pixels; 0 for a network that listens.
        num_features: D.
        mean: of the input in 0..1, by colour; of a spectrogram as it is.
        std: of the same.
        builder: name of the function that builds it, in `benchmark.backbones.build`.
        arguments: of that function.
        num_frames: L, consecutive stored frames of one input; 1 for a network on single frames, 0
            for one that listens: it is fed the sound around a stored frame and opens none.
        hub: the published weights that `weights: hub` means; None where there are none.
    """

    size: int
    num_features: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    builder: str
    arguments: tuple[object, ...] = ()
    num_frames: int = 1
    hub: Hub | None = None

    @property
    def is_audio(self) -> bool:
        """Whether its input is sound."""
        return self.num_frames == 0

    @property
    def step(self) -> int:
        """Stored frames from one input to the next."""
        return max(1, self.num_frames)


def _small(width: int) -> Network:
    # 64 pixels: the built-in videos' own size, so that nothing is resized.
    return Network(64, 8 * width, _HALF, _HALF, "small_cnn", (width,))


def _listening(num_features: int, name: str) -> Network:
    return Network(0, num_features, (0.0,), (1.0,), name, num_frames=0)


def _on_imagenet(name: str, tag: str, num_features: int) -> Network:
    hub = Hub("timm", f"{name}.{tag}", "ImageNet-1k")
    return Network(224, num_features, *_IMAGENET, "timm_network", (name,), hub=hub)


_HALF = (0.5, 0.5, 0.5)
_R3D_18 = Network(
    *(112, 512, *_KINETICS, "r3d_18"),
    num_frames=16,
    hub=Hub("torchvision", "R3D_18_Weights.KINETICS400_V1", "Kinetics-400"),
)
NETWORKS: dict[str, Network] = {
    "small_cnn": _small(16),
    "small_cnn_12": _small(12),
    "small_cnn_8": _small(8),
    "tiny_cnn": _small(4),
    "small_cnn_3d": Network(32, 64, _HALF, _HALF, "small_cnn_3d", (8,), num_frames=8),
    # (x - 127) / 128, as the converted TensorFlow weights expect.
    "tf_efficientnet_lite0": Network(
        *(224, 1280, (127 / 255,) * 3, (128 / 255,) * 3),
        *("timm_network", ("tf_efficientnet_lite0",)),
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
        *(160, 2048, *_X3D, "x3d_s"),
        num_frames=13,
        hub=Hub("pytorchvideo", "x3d_s", "Kinetics-400"),
    ),
    "audio_resnet18": _listening(512, "audio_resnet18"),
    "tiny_audio": _listening(80, "tiny_audio"),
}
