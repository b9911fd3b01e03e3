"""How fast videos are decoded and JPEG is read here, and how much of the disk pictures take."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from benchmark.data.decoding import DecodingError, decode_frames
from benchmark.data.jpeg import decode_jpegs, encode_jpegs
from benchmark.data.resize import centre_crop, resize_short_side
from benchmark.planning.videos import Example

__all__ = ["PictureRates", "measure_pictures"]

_MADE_UP = ((640, 360), (1280, 720))
_MADE_UP_FRAMES = 60
_DECODING_SECONDS = 15.0  # after which no further video is begun
# At quality 90: 0.23 and 0.29 in the tables of `benchmark.data.jpeg`, 0.15 to 0.38 for single clips
# of profile `clips`; with room for noisier and smoother ones.
_UNKNOWN_JPEG = (0.12, 0.5)


class PictureRates(BaseModel):
    """Speeds of one core, and sizes.

    Attributes:
        decoded_frames: low and high, frames of a video a second.
        hashed_bytes: a second, from memory.
        jpeg_pixels: a second, read and resized to 224.
        jpeg_bytes: low and high, of a pixel.
        origin: what was measured, in a sentence.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    decoded_frames: tuple[float, float]
    hashed_bytes: float
    jpeg_pixels: float
    jpeg_bytes: tuple[float, float]
    origin: str


def measure_pictures(examples: Sequence[Example], quality: int) -> PictureRates:
    """Decode some videos, and code and read some of their frames; made-up ones if need be.

    Args:
        examples: videos of the user.
        quality: of JPEG.
    """
    with tempfile.TemporaryDirectory() as folder:
        made = [] if examples else [_write_video(Path(folder), *size) for size in _MADE_UP]
        speeds, frames = _decoded(examples or made)
        origin = f"Decoding and JPEG were measured on {len(speeds)} of your videos."
        if not speeds:  # none of the user's can be decoded
            made = [_write_video(Path(folder), *size) for size in _MADE_UP]
            speeds, frames = _decoded(made)
    sizes, pixels = zip(*(_coded(frame, quality) for frame in frames), strict=True)
    spread = (float(min(sizes)), float(max(sizes)))
    if made:
        spread = _UNKNOWN_JPEG
        origin = (
            "No video of yours could be decoded: decoding was measured on made-up ones of "
            f"{' and '.join(f'{w} x {h}' for w, h in _MADE_UP)}, so take it for a guess; sizes of "
            f"JPEG are {spread[0]} to {spread[1]} bytes a pixel, as seen on other clips."
        )
    start, block = time.process_time(), bytes(1 << 26)
    hashlib.sha256(block).digest()
    hashed = len(block) / (time.process_time() - start)
    return PictureRates(
        decoded_frames=(min(speeds), max(speeds)),
        hashed_bytes=hashed,
        jpeg_pixels=float(np.median(pixels)),
        jpeg_bytes=spread,
        origin=origin,
    )


def _decoded(videos: Sequence[Example]) -> tuple[list[float], list[npt.NDArray[np.uint8]]]:
    """Return frames a second of each video, and its middle frame."""
    speeds, frames, begun = [], [], time.process_time()
    for video in videos:
        if time.process_time() - begun > _DECODING_SECONDS:
            break
        last, start = video.num_frames - 1, time.process_time()
        try:
            found = decode_frames(video.path, np.array([last // 2, last])).frames
        except (DecodingError, OSError):
            continue  # extraction will say so
        speeds.append(video.num_frames / (time.process_time() - start))
        frames.append(found[0])
    return speeds, frames


def _coded(frame: npt.NDArray[np.uint8], quality: int) -> tuple[float, float]:
    """Return the bytes of a coded pixel, and the pixels that are read and resized a second."""
    coded = np.frombuffer(encode_jpegs(frame[None], quality), dtype=np.uint8)
    num_pixels = frame.shape[0] * frame.shape[1]
    taken = []
    for _ in range(5):
        start = time.process_time()
        centre_crop(resize_short_side(decode_jpegs(coded, 0, 1, [0]), 224), 224)
        taken.append(time.process_time() - start)
    return len(coded) / num_pixels, num_pixels / min(taken)


def _write_video(folder: Path, width: int, height: int) -> Example:
    """Write a smooth picture that moves."""
    import av  # noqa: PLC0415
    from PIL import Image  # noqa: PLC0415

    rough = np.random.default_rng(0).integers(0, 256, (height // 20, width // 20, 3), np.uint8)
    picture = np.asarray(Image.fromarray(rough).resize((width, height), Image.Resampling.BICUBIC))
    path = folder / f"{height}.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(30))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(_MADE_UP_FRAMES):
            moved = np.roll(picture, (number, 3 * number), axis=(0, 1))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(moved, format="rgb24")))
        container.mux(stream.encode(None))
    return Example(path, _MADE_UP_FRAMES, 30.0)
