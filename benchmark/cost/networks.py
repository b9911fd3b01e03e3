"""Networks by name, without weights: what the field's tables are made of.

Names are those of torchvision, then x3d_xs to x3d_l as PyTorchVideo builds them, then timm's.
"""

from __future__ import annotations

from collections.abc import Iterator

import timm
import torchvision
from torch import nn

from benchmark.errors import BenchmarkError, did_you_mean

__all__ = ["Size", "build_network", "network_names", "parse_size"]

Size = tuple[int, ...]
"""Size of one input without the batch: [3, H, W] or [3, T, H, W]."""

_X3D_DEPTHS = {"x3d_xs": 2.2, "x3d_s": 2.2, "x3d_m": 2.2, "x3d_l": 5.0}


def parse_size(text: str) -> Size:
    """Return the input size that `text` says, e.g. '3x224x224' or '3x13x160x160'.

    Raises:
        BenchmarkError: if it is not three or four positive numbers joined by 'x'.
    """
    parts = text.lower().split("x")
    if not all(part.isdecimal() and int(part) for part in parts) or len(parts) not in (3, 4):
        raise BenchmarkError(
            f"'{text}' is not an input size",
            where="--input",
            fix="channels x height x width, or channels x frames x height x width, "
            "e.g. 3x224x224 or 3x13x160x160",
        )
    return tuple(int(part) for part in parts)


def network_names() -> list[str]:
    """Return all names that `build_network` knows."""
    return sorted({*_torchvision_names(), *_X3D_DEPTHS, *timm.list_models()})


def build_network(name: str, size: Size) -> nn.Module:
    """Return a network for inputs of `size`, in evaluation mode, with random weights.

    Raises:
        BenchmarkError: if nobody knows the name; the message says the nearest one.
    """
    if name in _X3D_DEPTHS:
        return _x3d(name, size).eval()
    if name in set(_torchvision_names()):
        network: nn.Module = torchvision.models.get_model(name, weights=None)
        return network.eval()
    if timm.is_model(name):
        timm_network: nn.Module = timm.create_model(name, pretrained=False)
        return timm_network.eval()
    raise BenchmarkError(
        f"there is no network '{name}'{_nearest(name)}",
        where="benchmark cost",
        fix="use a name of torchvision.models, of timm, or x3d_xs, x3d_s, x3d_m, x3d_l",
    )


def _nearest(name: str) -> str:
    hint = did_you_mean(name, network_names())
    return "" if "known:" in hint else hint  # more than a thousand are known


def _torchvision_names() -> Iterator[str]:
    for family in (torchvision.models, torchvision.models.video):
        yield from torchvision.models.list_models(module=family)


def _x3d(name: str, size: Size) -> nn.Module:
    # PyTorchVideo's head pools windows of the crop that it is built for (as its hub does).
    from pytorchvideo.models.x3d import create_x3d  # noqa: PLC0415

    if len(size) != 4:
        raise BenchmarkError(
            f"{name} takes clips, not {'x'.join(map(str, size))}",
            where="--input",
            fix="give channels x frames x height x width, e.g. 3x13x160x160",
        )
    _, num_frames, height, _ = size
    network: nn.Module = create_x3d(
        input_clip_length=num_frames, input_crop_size=height, depth_factor=_X3D_DEPTHS[name]
    )
    return network
