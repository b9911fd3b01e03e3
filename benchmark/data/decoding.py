"""Decoding a video once, with decord, and with PyAV where decord cannot.

Both readers decode from the first frame on and count. Seeking and skipping are avoided on
purpose: on MPEG-4 files with packed B-frames (every clip of UT-Interaction) decord 0.6 then
returns neighbouring frames, while frames read one after the other equal PyAV's bit for bit.
Reading on also never meets decord's endless loop at the end of a file (dmlc/decord#373).
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from av import VideoFrame

__all__ = ["MAX_UNDECODED_TAIL", "DecodedFrames", "DecodingError", "decode_frames", "readers"]

# Containers of packed MPEG-4 count one to three frames that no decoder returns (measured on all
# 120 clips of UT-Interaction). decord repeats the last frame there, and so does the second reader.
MAX_UNDECODED_TAIL = 3

_Frame = npt.NDArray[np.uint8]
_Prepare = Callable[[_Frame], _Frame]
_Reader = Callable[[Path, npt.NDArray[np.int64], _Prepare], list[_Frame]]


class DecodingError(Exception):
    """No reader could decode a video; the message holds each reader's reason."""


@dataclass(frozen=True)
class DecodedFrames:
    """Frames of one video.

    Attributes:
        frames: `[K, H, W, 3]` uint8, RGB.
        reader: name and version of what decoded them.
    """

    frames: npt.NDArray[np.uint8]
    reader: str


def decode_frames(
    path: Path, indices: npt.NDArray[np.int64], prepare: _Prepare = lambda frame: frame
) -> DecodedFrames:
    """Decode some frames of a video, in one pass.

    Args:
        path: the video.
        indices: `[K]` frame indices, ascending, repetitions allowed.
        prepare: applied to each frame `[H, W, 3]` as it comes, so that no long video lies in
            memory at its full size.

    Raises:
        DecodingError: if no reader can decode the file up to the last index.
    """
    wanted, repeats = np.unique(indices, return_inverse=True)
    reasons = []
    for name, read in readers().items():
        try:
            frames = np.stack(read(path, wanted, prepare))
        except Exception as error:  # decoders raise what they like; all of it is a reason
            reasons.append(f"{name.split()[0]}: {_reason(error, path)}")
        else:
            return DecodedFrames(frames[repeats], name)
    raise DecodingError("; ".join(reasons))


@cache
def readers() -> dict[str, _Reader]:
    """Return the readers that are installed, by name and version, in the order of their use."""
    found: dict[str, _Reader] = {}
    try:
        decord = importlib.import_module("decord")
    except ImportError:
        pass
    else:
        decord.logging.set_level(decord.logging.QUIET)
        found[f"decord {decord.__version__}"] = _read_with_decord
    av = importlib.import_module("av")
    found[f"pyav {av.__version__}"] = _read_with_pyav
    return found


def _read_with_decord(path: Path, wanted: npt.NDArray[np.int64], prepare: _Prepare) -> list[_Frame]:
    decord = importlib.import_module("decord")
    video = decord.VideoReader(str(path), num_threads=1)
    last = int(wanted[-1])
    if last >= len(video):
        raise DecodingError(f"has {len(video)} frames, frame {last} was asked for")
    chosen = set(wanted.tolist())
    frames = []
    for index in range(last + 1):
        picture = video.next()
        if index in chosen:
            array = picture.asnumpy()
            height, width = array.shape[:2]
            # Of narrow videos decord 0.6 shows the padding of a row as a fourth colour.
            picture = array.reshape(height, -1)[:, : 3 * width].reshape(height, width, 3)
            frames.append(prepare(picture))
    return frames


def _read_with_pyav(path: Path, wanted: npt.NDArray[np.int64], prepare: _Prepare) -> list[_Frame]:
    av = importlib.import_module("av")
    last = int(wanted[-1])
    chosen = set(wanted.tolist())
    frames: list[_Frame] = []
    picture, num_decoded = None, 0
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        for picture in container.decode(stream):
            if num_decoded in chosen:
                frames.append(prepare(_rgb(picture)))
            num_decoded += 1
            if num_decoded > last:
                return frames
    if picture is None or last - num_decoded >= MAX_UNDECODED_TAIL:
        raise DecodingError(f"ends after {num_decoded} frames, frame {last} was asked for")
    return frames + [prepare(_rgb(picture))] * (len(wanted) - len(frames))


def _reason(error: Exception, path: Path) -> str:
    """Return a reader's message without the time of day and folder, the same in every run."""
    text = re.sub(r"\[\d\d:\d\d:\d\d\] \S+: ", "", str(error)).replace(str(path), path.name)
    return text.strip().splitlines()[0] if text.strip() else type(error).__name__


def _rgb(picture: VideoFrame) -> _Frame:
    return np.asarray(picture.to_ndarray(format="rgb24"), dtype=np.uint8)
