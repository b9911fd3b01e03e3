"""Videos whose frames carry their number as a bar code, so that a test reads off which it got."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.stream import Disposition

__all__ = [
    "CORNERS",
    "corners_of",
    "cut_transport_stream",
    "number_of",
    "numbered_picture",
    "write_numbered",
    "write_two_streams",
]

_BITS = 8
CORNERS = ("red", "green", "blue", "yellow")
"""Colours of the corners of an upright frame, row by row."""
_RGB = {
    "red": (220, 30, 30),
    "green": (30, 200, 40),
    "blue": (30, 40, 220),
    "yellow": (230, 220, 40),
}


def numbered_picture(number: int, width: int = 128, height: int = 96) -> npt.NDArray[np.uint8]:
    """Return a picture with a bar for each bit of its number, and four coloured corners."""
    picture = np.full((height, width, 3), 20, np.uint8)
    for bit in range(_BITS):
        if number >> bit & 1:
            picture[:, bit * width // _BITS : (bit + 1) * width // _BITS] = 235
    for corner, colour in enumerate(CORNERS):
        rows = slice(height // 4) if corner < 2 else slice(-(height // 4), None)
        columns = slice(width // 2) if corner % 2 == 0 else slice(width // 2, None)
        picture[rows, columns] = _RGB[colour]
    return picture


def number_of(picture: npt.NDArray[np.uint8]) -> int:
    """Read the number of an upright picture."""
    height, width = picture.shape[:2]
    bars = picture[height // 2 - 2 : height // 2 + 2].mean(axis=(0, 2))
    return sum(1 << bit for bit in range(_BITS) if bars[int((bit + 0.5) * width / _BITS)] > 128)


def corners_of(picture: npt.NDArray[np.uint8]) -> tuple[str, ...]:
    """Name the colours of a picture's corners, row by row."""
    found = [picture[y, x].astype(int) for y in (4, -5) for x in (4, -5)]
    return tuple(min(_RGB, key=lambda c: np.abs(f - _RGB[c]).sum()) for f in found)


def write_numbered(
    path: Path,
    numbers: Sequence[int] = range(60),
    *,
    stamps: Sequence[int] | None = None,
    clock: int = 1000,
    rate: int = 10,
    codec: str = "libx264",
    size: tuple[int, int] = (128, 96),
    options: dict[str, str] | None = None,
    rotation: int = 0,
    form: str | None = None,
) -> Path:
    """Write numbered frames.

    Args:
        path: of the file.
        numbers: of the frames.
        stamps: when each frame is shown, in ticks of `clock`; evenly by `rate` where None. A frame
            that AVI leaves out is written as an empty one.
        clock: ticks a second.
        rate: frames a second.
        codec: encoder.
        size: width and height.
        options: of the encoder; by default key frames stand 20 apart, with B-frames between.
        rotation: degrees that the pictures are turned by before a player turns them back.
        form: of the container, where the name does not tell it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"g": "20", "bf": "2"} if options is None else options
    with av.open(str(path), "w", format=form) as container:
        stream = container.add_stream(codec, rate=rate, options=options)
        turned = np.rot90(numbered_picture(0, *size), -rotation // 90)
        stream.height, stream.width = turned.shape[:2]
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        if stamps is not None:
            stream.codec_context.time_base = Fraction(1, clock)
        if rotation:
            stream.set_display_rotation(rotation)
        for place, number in enumerate(numbers):
            picture = np.rot90(numbered_picture(number, *size), -rotation // 90)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            if stamps is not None:
                frame.pts, frame.time_base = stamps[place], Fraction(1, clock)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def cut_transport_stream(source: Path, target: Path, share: float) -> Path:
    """Leave out the beginning of an MPEG transport stream, in whole packets of 188 bytes."""
    content = source.read_bytes()
    target.write_bytes(content[int(len(content) * share) // 188 * 188 :])
    return target


def write_two_streams(
    path: Path, sizes: Sequence[tuple[int, int]], default: int | None = None
) -> Path:
    """Write 20 numbered frames in each of two streams, those of the second from 100 on.

    Args:
        path: of the file.
        sizes: width and height of each stream.
        default: index of the only stream that is marked as the default; if None, both are.
    """
    with av.open(str(path), "w") as container:
        streams = []
        for index, (width, height) in enumerate(sizes):
            stream = container.add_stream("libx264", rate=10, options={"g": "10"})
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            marked = default is None or index == default
            stream.disposition = Disposition.default if marked else Disposition.dub
            streams.append(stream)
        for number in range(20):
            for index, stream in enumerate(streams):
                picture = numbered_picture(number + 100 * index, stream.width, stream.height)
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode(None))
    return path
