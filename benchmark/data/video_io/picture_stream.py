"""Opening a video, and the one choice of the stream that holds its pictures.

A file may hold two cameras, a preview beside the main stream, or the cover picture of a song. Every
stage asks here which stream it reads, so that a manifest never describes one stream while the
frames come from another. Files that a decoder would open although they are no video (a photograph,
a text, a list of other files) are told apart here too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.sidedata.sidedata import SideDataContainer
    from av.video.stream import VideoStream

__all__ = ["NotAVideoError", "open_video", "picture_stream", "rgb"]

_STILL_BRANDS = ("avif", "heic", "heix", "mif1")
_STILLS = ("image2", "ico", "svg")
_TEXTS = ("tty", "bin", "xbin", "adf", "idf")
_PLAYLISTS = ("concat", "concatf", "hls", "dash", "imf", "sdp")


class NotAVideoError(Exception):
    """A file is readable and is no video; the message says what it is instead."""


@contextmanager
def open_video(path: Path) -> Iterator[InputContainer]:
    """Open a video for reading.

    Raises:
        NotAVideoError: for stills, texts and playlists.
        av.FFmpegError: if the file cannot be opened.
    """
    import av  # noqa: PLC0415  (jobs that only read stored frames start without it)

    with av.open(str(path)) as container:
        name = container.format.name
        if (
            name in _STILLS
            or name.endswith("_pipe")
            or container.metadata.get("major_brand", "").strip() in _STILL_BRANDS
        ):
            raise NotAVideoError("a still picture, not a video")
        if name in _TEXTS:
            raise NotAVideoError("a text, not a video")
        if name in _PLAYLISTS:
            raise NotAVideoError("a playlist of other files, not a video")
        yield container


def picture_stream(container: InputContainer) -> VideoStream:
    """Return the stream that every stage reads: the container's default, else the largest.

    Of several streams that are marked as default, or of several where none is, the one with the
    most pixels is taken, and of equally large ones the first. Cover pictures never count.

    Raises:
        NotAVideoError: if the file holds no stream of pictures.
    """
    from av.stream import Disposition  # noqa: PLC0415

    covers = Disposition.attached_pic | Disposition.timed_thumbnails
    moving = [stream for stream in container.streams.video if not stream.disposition & covers]
    if not moving:
        if container.streams.video:
            raise NotAVideoError("sound with a cover picture, not a video")
        if container.streams.audio:
            raise NotAVideoError("sound without pictures, not a video")
        if container.streams.subtitles:
            raise NotAVideoError("a text, not a video")
        raise NotAVideoError("no picture stream")
    known = [stream for stream in moving if stream.codec_context is not None] or moving
    marked = [stream for stream in known if stream.disposition & Disposition.default] or known
    return max(marked, key=lambda stream: (_num_pixels(stream), -stream.index))


def _num_pixels(stream: VideoStream) -> int:
    context = stream.codec_context
    return context.width * context.height if context is not None else 0


def rgb(picture: VideoFrame) -> npt.NDArray[np.uint8]:
    """Return a decoded picture upright: `[H, W, 3]`, turned as its display matrix says."""
    pixels = np.asarray(picture.to_ndarray(format="rgb24"), dtype=np.uint8)
    matrix = _display_matrix(picture)
    if matrix is None:
        return pixels
    (a, b), (c, d) = matrix
    # A point (x, y) of the picture is shown at (a x + c y, b x + d y).
    if abs(a) < abs(b):
        pixels, a, d = pixels.transpose(1, 0, 2), c, b
    return np.ascontiguousarray(pixels[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1])


def _display_matrix(picture: VideoFrame) -> list[list[int]] | None:
    """Return the upper left 2 x 2 of the display matrix (ffmpeg, `libavutil/display.h`)."""
    # PyAV 18 annotates the mapping of all side data as one entry.
    data = cast("SideDataContainer", picture.side_data).get("DISPLAYMATRIX")
    if data is None:
        return None
    matrix = np.frombuffer(data, dtype="<i4", count=9).reshape(3, 3)
    part: list[list[int]] = matrix[:2, :2].tolist()
    return part
