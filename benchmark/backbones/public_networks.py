"""Networks that other libraries build: each is imported only where its network is asked for."""

from __future__ import annotations

from typing import Any

from torch import nn

__all__ = ["r3d_18", "timm_network", "x3d_s"]


def timm_network(name: str) -> nn.Module:
    """Build a network of timm without its classifier."""
    import timm  # noqa: PLC0415  (half of the start-up of a job that needs no such network)

    network: nn.Module = timm.create_model(name, pretrained=False, num_classes=0)
    return network


def r3d_18() -> nn.Module:
    """Build torchvision's 3D-ResNet18 without its classifier."""
    from torchvision.models.video import r3d_18 as whole  # noqa: PLC0415

    network: nn.Module = whole(weights=None)
    network.fc = nn.Identity()
    return network


def x3d_s() -> nn.Module:
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
