"""Resizing as the reference method's released code does it, so that stored frames fit its weights.

Two steps, both of Qualcomm-AI-research/FrameExit. What it stores, ffmpeg has scaled so that the
frame just fills a square, with its default filter, bicubic (`inference.py: show_help`; ffmpeg's
`force_original_aspect_ratio=increase`): smaller frames are enlarged, by the letter of that
command, which moves features of clips with 240 rows as much as JPEG does
(tests/performance/frame_formats.py). What it reads, its transform resizes with plain bilinear
interpolation, without the antialiasing that image libraries apply, then crops the centre
(`dataset/transform.py`). What goes into a network is not rounded after that: rounding to grey
values moves features of ImageNet networks by 2.4 % (median), enough to change exits. Only what is
stored or shown is rounded.
torch and PyAV are imported on first use: many jobs read frames without them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = [
    "Pixels",
    "centre_crop",
    "fit_short_side",
    "fitted_size",
    "resize_short_side",
    "resized_size",
    "rounded",
]

Pixels = npt.NDArray[np.uint8 | np.float32]
"""Grey values 0..255: uint8 as stored, float32 where frames were resized on their way."""


def fitted_size(height: int, width: int, size: int) -> tuple[int, int]:
    """Return height and width of a frame whose short side is scaled to `size`, as ffmpeg rounds."""
    return (
        max(size, (2 * size * height + width) // (2 * width)),
        max(size, (2 * size * width + height) // (2 * height)),
    )


def fit_short_side(frame: npt.NDArray[np.uint8], size: int) -> npt.NDArray[np.uint8]:
    """Scale a frame `[H, W, 3]`, up or down, to a short side of `size`, with ffmpeg's bicubic."""
    height, width = fitted_size(frame.shape[0], frame.shape[1], size)
    if frame.shape[:2] == (height, width):
        return frame
    from av import VideoFrame  # noqa: PLC0415

    picture = VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
    scaled = picture.reformat(width=width, height=height, interpolation="BICUBIC")
    return np.asarray(scaled.to_ndarray(), dtype=np.uint8)


def resized_size(height: int, width: int, size: int) -> tuple[int, int]:
    """Return height and width of a frame after `resize_short_side`."""
    if width < height:
        return int(size * height / width), size
    return size, int(size * width / height)


def resize_short_side(frames: Pixels, size: int) -> Pixels:
    """Resize so that the short side is `size`.

    Args:
        frames: `[K, H, W, 3]`.
        size: pixels; the long side keeps the proportion, truncated.

    Returns:
        `[K, H', W', 3]` float32, not rounded; the input itself where it fits already.
    """
    height, width = frames.shape[1:3]
    if min(height, width) == size:
        return frames
    import torch  # noqa: PLC0415 - a second of start-up that only resizing needs
    from torch.nn.functional import interpolate  # noqa: PLC0415

    target = resized_size(height, width, size)
    with torch.inference_mode():
        # Each colour as an image of its own: of three at once torch rounds otherwise in one
        # thread than in several, so that pixels would depend on their number; it is slower, too.
        planes = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2)
        pixels = planes.reshape(-1, 1, height, width).float()
        resized = interpolate(pixels, target, mode="bilinear", align_corners=False)
        whole = resized.view(-1, 3, *target)
        result: npt.NDArray[np.float32] = whole.permute(0, 2, 3, 1).contiguous().numpy()
    return result


def rounded(frames: Pixels) -> npt.NDArray[np.uint8]:
    """Return whole grey values, to be stored or shown."""
    return frames.round().clip(0, 255).astype(np.uint8)


def centre_crop(frames: Pixels, size: int) -> Pixels:
    """Cut `[K, size, size, 3]` from the centre of `[K, H, W, 3]`, both sides at least `size`."""
    height, width = frames.shape[1:3]
    top, left = round((height - size) / 2), round((width - size) / 2)
    return frames[:, top : top + size, left : left + size]
