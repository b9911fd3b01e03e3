"""Frames as JPEG.

The format of a store at the paper's scale, chosen by tests/performance/frame_formats.py. On real
clips at FrameExit's released recipe for ActivityNet (1 frame a second, short side 350; error of a
pixel at 224 in dB, how far features of EfficientNet-Lite0 move; rates a second of one processor of
a busy machine, reading with resize to 224 and crop):

    format                        bytes a frame  built  read     PSNR  features
    raw                                 503,475   2874   573             0.0 %
    JPEG 90                              38,602   1048   425  43.3 dB   11.1 %
    JPEG 95                              54,511    899   401  45.1 dB    9.3 %
    ffmpeg's qscale 2 (released)         33,801    291   371  42.5 dB   13.4 %
    WebP 95                              40,430     40   175  45.3 dB    9.6 %
    WebP without loss                   155,884     30   188             0.0 %
    PNG                                 224,785     64   136             0.0 %
    H.264 crf 12, key frame of 8         14,893     68   218  42.3 dB   11.5 %

JPEG reads nearly as fast as raw frames of 13 times its size, and far faster than WebP, PNG or a
video. Quality 90 is nearer to the video than the release's own frames, and takes 29 % less than
95. At 5 a second and short side 256 the order is the same: 268,647, 25,699 and 36,127 bytes.

Encoder and decoders are libjpeg-turbo, in Pillow and in torchvision, whose pixels are equal;
torchvision decodes a fifth faster, and both let other threads run meanwhile (400 frames a second
in one thread and 758 in two, on a machine with two free processors).
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

__all__ = ["SEEN_BYTES_A_PIXEL", "decode_jpegs", "encode_jpegs", "jpeg_coder"]

SEEN_BYTES_A_PIXEL = (0.12, 0.5)
"""At quality 90: 0.23 and 0.29 in tables such as that above, 0.15 to 0.38 for single clips of
profile `clips`; with room for noisier and smoother videos."""


@cache
def jpeg_coder() -> str:
    """Return name and version of what encodes."""
    from PIL import __version__, features  # noqa: PLC0415  (raw stores do without)

    return f"pillow {__version__}, libjpeg-turbo {features.version('libjpeg_turbo')}"


def encode_jpegs(frames: npt.NDArray[np.uint8], quality: int) -> list[bytes]:
    """Return `[P, H, W, 3]` frames as P images.

    Colours are stored at half the resolution (4:2:0), as in the videos themselves.
    """
    from PIL import Image  # noqa: PLC0415

    images = []
    for frame in frames:
        file = io.BytesIO()
        Image.fromarray(frame).save(file, "JPEG", quality=quality, subsampling="4:2:0")
        images.append(file.getvalue())
    return images


def decode_jpegs(images: Sequence[npt.NDArray[np.uint8]]) -> npt.NDArray[np.uint8]:
    """Return K images of the same size, K of 1 or more, as `[K, H, W, 3]` RGB.

    Raises:
        RuntimeError: for bytes that are no JPEG.
    """
    import torch  # noqa: PLC0415  (a second of start-up)
    from torchvision.io import ImageReadMode, decode_jpeg  # noqa: PLC0415

    frames = torch.stack(
        [decode_jpeg(torch.from_numpy(np.array(image)), ImageReadMode.RGB) for image in images]
    )
    result: npt.NDArray[np.uint8] = frames.permute(0, 2, 3, 1).contiguous().numpy()
    return result
