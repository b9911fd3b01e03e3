"""Decoding the wanted frames of a video in one pass, and proof that they are the wanted ones.

PyAV is the reference: it states the time stamp of each picture that it returns, and only pictures
at the asked stamps are taken. A profile may name decord or torchcodec instead. Each is held to the
same rule, and where it cannot be shown to return exactly the asked frames of a file, PyAV reads
that file and the reason is recorded. decord 0.6 states time stamps that it has from the container,
not from the pictures: on MPEG-TS with B-frames it begins at the second key frame and repeats the
last picture at the end (dmlc/decord#83, #310). So its first picture is compared with PyAV's, and
a repeated picture at the end counts against it.

PyAV and decord read on from the first frame. decord's own seeking returns neighbouring frames of
packed MPEG-4 (every clip of UT-Interaction), and never ends at the end of some files
(dmlc/decord#373). torchcodec seeks by itself, but says the time stamp of each picture.

Milliseconds for the wanted frames of three clips that tests/performance/readers.py makes (H.264:
100 and 250 frames of 320 x 240, ten of them wanted; 500 frames of 1280 x 720, 21 wanted). Medians
of five rounds on two idle cores; torchcodec's last figure had other work beside it:

| every frame converted, decord | 144 | 337 | 8110 |
| decord, get_batch             | 105 | 259 | 6144 |
| PyAV, wanted frames           | 121 | 249 | 6499 |
| the same with two threads     |  76 | 152 | 3653 |
| list of time stamps           |  13 |  15 |  106 |
| reader: pyav, checked         | 118 | 250 | 6475 |
| reader: decord, checked       | 127 | 294 | 7174 |
| reader: torchcodec, checked   | 107 | 263 | 6292 |

The list of time stamps comes on top of the last three. Videos are extracted by one process a core,
so each decodes in one thread: more threads would only take cores from the other processes.
"""

from __future__ import annotations

import errno
import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from benchmark.config.datasets import ReaderName
from benchmark.data.video_io.picture_stream import open_video, rgb
from benchmark.data.video_io.time_stamps import MAX_UNDECODED_TAIL, Timeline
from benchmark.errors import BenchmarkError

__all__ = [
    "READERS",
    "DecodedFrames",
    "DecodingError",
    "decode_frames",
    "is_fault_of_the_machine",
    "readers",
]

READERS: tuple[ReaderName, ...] = get_args(ReaderName)

_Frame = npt.NDArray[np.uint8]
_Prepare = Callable[[_Frame], _Frame]
_Reader = Callable[[Path, Timeline, npt.NDArray[np.int64], _Prepare], list[_Frame]]

# Readers convert colours in slightly different ways; another picture differs by more than this
# mean of grey levels, or is so like the first that nothing tells them apart.
_SAME_PICTURE = 1.0
_PICTURES_AT_ONCE = 16
_FAULTS_OF_THE_MACHINE = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO)


class DecodingError(Exception):
    """No reader could decode a video; the message holds each reader's reason."""


@dataclass(frozen=True)
class DecodedFrames:
    """Frames of one video.

    Attributes:
        frames: `[K, H, W, 3]` uint8, RGB, upright.
        reader: name and version of what decoded them.
        rejected: which reader was named by the profile but not used, and why; empty if it was.
    """

    frames: npt.NDArray[np.uint8]
    reader: str
    rejected: str = ""


def decode_frames(
    path: Path,
    timeline: Timeline,
    indices: npt.NDArray[np.int64],
    prepare: _Prepare = lambda frame: frame,
    *,
    reader: ReaderName = "pyav",
) -> DecodedFrames:
    """Decode some frames of a video, in one pass.

    Args:
        path: the video.
        timeline: its frames, as `benchmark.data.video_io.time_stamps.read_timeline` returns them.
        indices: `[K]` frame indices, ascending, repetitions allowed.
        prepare: applied to each frame `[H, W, 3]` as it comes, so that no long video lies in
            memory at its full size.
        reader: that is used first; PyAV reads what it cannot be trusted with.

    Raises:
        DecodingError: if no reader returns the frames at exactly these time stamps.
        BenchmarkError: if the reader is not installed.
    """
    if indices[-1] >= timeline.num_frames:
        asked = f"frame {indices[-1]} was asked for"
        raise DecodingError(f"the video has {timeline.num_frames} frames, {asked}")
    wanted, repeats = np.unique(timeline.pictures[indices], return_inverse=True)
    size = timeline.first_picture.shape

    def checked(frame: _Frame) -> _Frame:
        if frame.shape != size:
            (height, width), (h, w) = size[:2], frame.shape[:2]
            raise DecodingError(f"a picture has {w} x {h} pixels, the first {width} x {height}")
        return prepare(frame)

    reasons = []
    for name, read in readers(reader).items():
        try:
            frames = np.stack(read(path, timeline, wanted, checked))
        except Exception as error:  # decoders raise what they like; all of it is a reason
            if is_fault_of_the_machine(error):
                raise
            reasons.append(f"{name.split()[0]}: {_reason(error, path)}")
        else:
            return DecodedFrames(frames[repeats], name, "; ".join(reasons))
    raise DecodingError("; ".join(reasons))


@cache
def readers(first: ReaderName = "pyav") -> dict[str, _Reader]:
    """Return readers by name and version, in the order of their use: the named one, then PyAV.

    Raises:
        BenchmarkError: if the named reader is not installed.
    """
    found: dict[str, _Reader] = {}
    if first == "decord":
        decord = _imported("decord")
        decord.logging.set_level(decord.logging.QUIET)
        found[f"decord {decord.__version__}"] = _read_with_decord
    elif first == "torchcodec":
        _imported("torchcodec.decoders")
        version = importlib.import_module("torchcodec").__version__
        found[f"torchcodec {version}"] = _read_with_torchcodec
    found[f"pyav {_imported('av').__version__}"] = _read_with_pyav
    return found


def _imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except (ImportError, OSError, RuntimeError) as error:
        package = name.partition(".")[0]
        needs = ", and FFmpeg's shared libraries" if package == "torchcodec" else ""
        raise BenchmarkError(
            f"the reader {package} cannot be imported: {str(error).strip().splitlines()[0]}",
            where=f"sampling: reader: {package}",
            fix=f"install the package {package}{needs}, or name another reader, such as pyav",
        ) from error


def _read_with_pyav(
    path: Path, timeline: Timeline, wanted: npt.NDArray[np.int64], prepare: _Prepare
) -> list[_Frame]:
    asked = timeline.picture_ticks[wanted].tolist() if timeline.is_timed else wanted.tolist()
    frames: list[_Frame] = []
    picture, num_decoded = None, 0
    with open_video(path) as container:
        stream = next(s for s in container.streams.video if s.index == timeline.stream)
        # Videos are decoded side by side by as many processes as there are cores.
        stream.codec_context.thread_count = 1
        pictures = (picture for packet in container.demux(stream) for picture in packet.decode())
        for picture in pictures:
            stamp = picture.pts if timeline.is_timed else num_decoded
            num_decoded += 1
            if stamp is None or stamp < asked[len(frames)]:
                continue
            if stamp > asked[len(frames)]:
                break
            frames.append(prepare(rgb(picture)))
            if len(frames) == len(asked):
                return frames
    missing = asked[len(frames)]
    if timeline.is_timed:
        second = float((missing - timeline.ticks[0]) * timeline.tick_s)
        raise DecodingError(f"the frame at second {second:.3f} cannot be decoded")
    if picture is None or asked[-1] - num_decoded >= MAX_UNDECODED_TAIL:
        raise DecodingError(f"ends after {num_decoded} pictures, {asked[-1] + 1} are wanted")
    return frames + [prepare(rgb(picture))] * (len(asked) - len(frames))


def _read_with_decord(
    path: Path, timeline: Timeline, wanted: npt.NDArray[np.int64], prepare: _Prepare
) -> list[_Frame]:
    video = importlib.import_module("decord").VideoReader(str(path), num_threads=1)
    if len(video) != timeline.num_pictures:
        raise DecodingError(f"counts {len(video)} frames, not {timeline.num_pictures}")
    if timeline.is_timed:
        stamps_s = video.get_frame_timestamp(np.arange(len(video)))[:, 0]
        if np.abs(stamps_s - timeline.times_s).max() > 0.5 / timeline.rate:
            raise DecodingError("states other time stamps than the container")
    tail = 0 if timeline.is_timed else MAX_UNDECODED_TAIL
    chosen = set(wanted.tolist())
    frames: list[_Frame] = []
    before = np.zeros(0, dtype=np.uint8)
    for index in range(len(video)):
        picture = video.next().asnumpy()
        height, width = picture.shape[:2]
        # Of narrow videos decord 0.6 shows the padding of a row as a fourth colour.
        picture = picture.reshape(height, -1)[:, : 3 * width].reshape(height, width, 3)
        if index == 0:
            _check_first(picture, timeline)
        elif index == len(video) - 1 - tail and np.array_equal(picture, before):
            raise DecodingError("the last picture comes twice, as where frames are missing")
        if index in chosen:
            frames.append(prepare(picture))
        before = picture
    return frames


def _read_with_torchcodec(
    path: Path, timeline: Timeline, wanted: npt.NDArray[np.int64], prepare: _Prepare
) -> list[_Frame]:
    if not timeline.is_timed:
        raise DecodingError("the container has no time stamps to hold its frames against")
    decoders = importlib.import_module("torchcodec.decoders")
    video = decoders.VideoDecoder(
        str(path), stream_index=timeline.stream, dimension_order="NHWC", num_ffmpeg_threads=1
    )
    tick_s = float(timeline.tick_s)
    stamps_s = timeline.picture_ticks * tick_s
    _check_first(video.get_frame_played_at(stamps_s[0] + tick_s / 2).data.numpy(), timeline)
    frames: list[_Frame] = []
    for start in range(0, len(wanted), _PICTURES_AT_ONCE):
        asked_s = stamps_s[wanted[start : start + _PICTURES_AT_ONCE]]
        batch = video.get_frames_played_at((asked_s + tick_s / 2).tolist())
        if np.abs(batch.pts_seconds.numpy() - asked_s).max() > tick_s:
            raise DecodingError("returns frames at other time stamps than were asked for")
        frames += map(prepare, batch.data.numpy())
    return frames


def _check_first(picture: _Frame, timeline: Timeline) -> None:
    """Compare a reader's first picture with that of the reference reader."""
    first = timeline.first_picture
    if picture.shape != first.shape:
        (height, width), (h, w) = first.shape[:2], picture.shape[:2]
        raise DecodingError(f"its pictures have {w} x {h} pixels, not {width} x {height}")
    difference = np.abs(picture.astype(np.int16) - first).mean()
    if difference > _SAME_PICTURE:
        raise DecodingError("its first picture is not the first of the video")


def is_fault_of_the_machine(error: Exception) -> bool:
    """Return whether an error tells of the machine (no memory, no handles), not of the video."""
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, OSError) and error.errno in _FAULTS_OF_THE_MACHINE


def _reason(error: Exception, path: Path) -> str:
    """Return a reader's message without the time of day and folder, the same in every run."""
    text = re.sub(r"\[\d\d:\d\d:\d\d\] \S+: ", "", str(error)).replace(str(path), path.name)
    return text.strip().splitlines()[0] if text.strip() else type(error).__name__
