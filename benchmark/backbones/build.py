"""Builds the networks that `benchmark.config.networks` lists, with random weights.

Another library is imported only where its network is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from benchmark.backbones.audio_networks import audio_resnet18, tiny_audio
from benchmark.backbones.small_cnn import SmallCnn, SmallCnn3d
from benchmark.config.networks import Network
from benchmark.data.sound.log_mel import LOG_MEL_SHAPE

__all__ = ["build_network", "input_shape"]


def build_network(network: Network) -> nn.Module:
    """Build a network without its classifier."""
    return _BUILDERS[network.builder](*network.arguments)


def input_shape(network: Network) -> tuple[int, ...]:
    """Return the shape of one input, colours last: a frame, a clip or a spectrogram."""
    if network.is_audio:
        return (*LOG_MEL_SHAPE, 1)
    clip = () if network.num_frames == 1 else (network.num_frames,)
    return (*clip, network.size, network.size, 3)


def _timm_network(name: str) -> nn.Module:
    """Build a network of timm without its classifier."""
    import timm  # noqa: PLC0415  (half of the start-up of a job that needs no such network)

    network: nn.Module = timm.create_model(name, pretrained=False, num_classes=0)
    return network


def _r3d_18() -> nn.Module:
    """Build torchvision's 3D-ResNet18 without its classifier."""
    from torchvision.models.video import r3d_18 as whole  # noqa: PLC0415

    network: nn.Module = whole(weights=None)
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


_BUILDERS: dict[str, Callable[..., nn.Module]] = {
    "audio_resnet18": audio_resnet18,
    "r3d_18": _r3d_18,
    "small_cnn": SmallCnn,
    "small_cnn_3d": SmallCnn3d,
    "timm_network": _timm_network,
    "tiny_audio": tiny_audio,
    "x3d_s": _x3d_s,
}
