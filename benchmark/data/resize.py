"""Resizing as the reference method's released code does it, so that stored frames fit its weights.

The released transform resizes the short side with plain bilinear interpolation, without the
antialiasing that image libraries apply, then crops the centre (Qualcomm-AI-research/FrameExit,
`dataset/transform.py`). torch is imported on first use: many jobs read frames without it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["centre_crop", "resize_short_side"]


def resize_short_side(frames: npt.NDArray[np.uint8], size: int) -> npt.NDArray[np.uint8]:
    """Resize so that the short side is `size`, rounding to whole grey values.

    Args:
        frames: `[K, H, W, 3]`.
        size: pixels; the long side keeps the proportion, truncated.

    Returns:
        `[K, H', W', 3]`; the input itself where it fits already.
    """
    height, width = frames.shape[1:3]
    if min(height, width) == size:
        return frames
    import torch  # noqa: PLC0415 - a second of start-up that only resizing needs
    from torch.nn.functional import interpolate  # noqa: PLC0415

    if width < height:
        target = (int(size * height / width), size)
    else:
        target = (size, int(size * width / height))
    with torch.inference_mode():
        pixels = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2).float()
        resized = interpolate(pixels, target, mode="bilinear", align_corners=False)
        whole = resized.round_().clamp_(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
        result: npt.NDArray[np.uint8] = whole.contiguous().numpy()
    return result


def centre_crop(frames: npt.NDArray[np.uint8], size: int) -> npt.NDArray[np.uint8]:
    """Cut `[K, size, size, 3]` from the centre of `[K, H, W, 3]`, both sides at least `size`."""
    height, width = frames.shape[1:3]
    top, left = round((height - size) / 2), round((width - size) / 2)
    return frames[:, top : top + size, left : left + size]
