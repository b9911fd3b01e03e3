"""When each frame of a video is shown: the one list that every reader is held against.

The packets of a file are walked without decoding them. That tells the number of frames and their
time stamps, but for three things that packets alone do not tell:

- A recording may begin before its first key frame. So packets are decoded until the first picture
  comes out, and frames that would have been shown before it are not counted.
- Some packets hold no frame that is shown: those that an edit list hides (`ffmpeg -ss T -c copy`
  keeps all since the last key frame so), and the hidden reference frames of VP8 and VP9.
- AVI has no time stamps. A frame is shown at the place of its packet, and an empty packet, which
  the demultiplexer passes over, means that the frame before it is shown once more. Decoders return
  the frames of such a file in order, so they are told apart by counting.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from benchmark.data.video_io.picture_stream import open_video, picture_stream, rgb

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

__all__ = ["MAX_UNDECODED_TAIL", "Timeline", "UnfitError", "read_timeline", "walk"]

# Of packed MPEG-4 in AVI the container counts one to three frames that no decoder returns
# (measured on all 120 clips of UT-Interaction); the last frame is repeated in their place.
MAX_UNDECODED_TAIL = 3
# Stamps are rounded to a millisecond in some containers, and a clip's last picture may be late.
_RATES_AGREE = 0.01
# A video counts as one of constant rate if no frame is further from its place than this share of
# the time between two frames, and one tick of the container's clock.
_JITTER = 0.1
_VP8 = ("vp8", "libvpx")
_WITH_HIDDEN_FRAMES = (*_VP8, "vp9", "libvpx-vp9")
_NO_TIME_STAMPS = 0x80  # AVFMT_NOTIMESTAMPS of ffmpeg's `libavformat/avformat.h`


class UnfitError(Exception):
    """Why a file that opens is no readable video."""


@dataclass(frozen=True, eq=False)
class Timeline:
    """When the frames of a video are shown.

    Attributes:
        stream: index of the stream in the container.
        ticks: `[N]` when each frame appears, ascending, in ticks of the container's clock.
        pictures: `[N]` which of the pictures that a decoder returns, in order, each frame is;
            AVI may repeat one.
        tick_s: seconds of a tick.
        is_timed: whether the container states the time stamp of each picture; if not, pictures
            are told apart by counting.
        stated_rate: frames a second as the header states them.
        first_picture: the first picture, upright: `[H, W, 3]` uint8.
        end_s: when the last packet of all streams ends, or minus infinity.
    """

    stream: int
    ticks: npt.NDArray[np.int64]
    pictures: npt.NDArray[np.int64]
    tick_s: Fraction
    is_timed: bool
    stated_rate: Fraction
    first_picture: npt.NDArray[np.uint8]
    end_s: float

    @property
    def num_frames(self) -> int:
        """N, the frames that are shown."""
        return len(self.ticks)

    @property
    def num_pictures(self) -> int:
        """Pictures that a decoder returns, apart from an undecoded tail of AVI."""
        return int(self.pictures[-1]) + 1

    @property
    def start_s(self) -> float:
        """When the first frame appears, in seconds of the container's clock."""
        return float(self.ticks[0] * self.tick_s)

    @cached_property
    def times_s(self) -> npt.NDArray[np.float64]:
        """Seconds from the first frame to each: `[N]`."""
        times: npt.NDArray[np.float64] = (self.ticks - self.ticks[0]) * float(self.tick_s)
        return times

    @property
    def picture_ticks(self) -> npt.NDArray[np.int64]:
        """When each picture of the decoder first appears: `[num_pictures]`."""
        return self.ticks[np.unique(self.pictures, return_index=True)[1]]

    @cached_property
    def rate(self) -> float:
        """Mean frames a second: as the header states, unless the time stamps disagree."""
        if self.num_frames < 2:
            return float(self.stated_rate)
        seen = (self.num_frames - 1) / float((self.ticks[-1] - self.ticks[0]) * self.tick_s)
        stated = float(self.stated_rate)
        return stated if abs(seen - stated) <= _RATES_AGREE * stated else seen

    def has_constant_rate(self) -> bool:
        """Return whether frame n is shown at second n / rate."""
        even = np.arange(self.num_frames) / self.rate
        allowed = _JITTER / self.rate + float(self.tick_s)
        return bool(np.abs(self.times_s - even).max() <= allowed)


def read_timeline(path: Path) -> Timeline:
    """Walk the packets of a video.

    Raises:
        NotAVideoError: if the file holds no video.
        UnfitError: if it is cut short, or nothing of it can be decoded.
        av.FFmpegError: if it cannot be opened.
    """
    with open_video(path) as container:
        return walk(container, picture_stream(container))


def walk(container: InputContainer, stream: VideoStream) -> Timeline:
    """Walk the packets of an open container, from its beginning; errors of `read_timeline`."""
    rate = stream.average_rate or stream.guessed_rate
    if stream.codec_context is None:
        raise UnfitError("no decoder for its pictures")
    if not rate or not stream.codec_context.width or not stream.time_base:
        raise UnfitError("no frame rate or size in the container")
    is_timed = container.format.name != "avi" and not container.format.flags & _NO_TIME_STAMPS
    ticks, first, end_s = list[int](), None, -np.inf
    head = _Head(stream)
    for packet in container.demux():
        of_pictures = packet.stream is stream
        if of_pictures and packet.is_corrupt:
            raise UnfitError(f"truncated: cut short after {len(ticks)} frames")
        if of_pictures:
            first = head.first_of(packet)
        if not packet.size:
            continue
        end_s = max(end_s, _end_s(packet))
        if of_pictures and not packet.is_discard and not _is_hidden(packet, stream):
            ticks.append(_tick(packet, len(ticks), is_timed=is_timed))
    if not ticks:
        raise UnfitError("it holds no frames")
    if first is None:
        raise UnfitError("none of its frames can be decoded")
    shown = np.unique(np.array(ticks, dtype=np.int64))
    timeline = Timeline(
        stream=stream.index,
        ticks=shown,
        pictures=np.arange(len(shown)),
        tick_s=stream.time_base,
        is_timed=is_timed,
        stated_rate=Fraction(rate),
        first_picture=rgb(first),
        end_s=float(end_s),
    )
    if not is_timed:
        return _with_repeats(timeline, stream.frames)
    if first.pts is None:
        raise UnfitError("its first frame has no time stamp")
    later = shown[shown >= first.pts]
    return replace(timeline, ticks=later, pictures=np.arange(len(later)))


def _with_repeats(timeline: Timeline, num_stated: int) -> Timeline:
    """Fill the places of empty packets: the frame before is shown there once more."""
    places = timeline.ticks
    last = int(places[-1])
    if last < num_stated <= last + 1 + MAX_UNDECODED_TAIL:
        last = num_stated - 1
    ticks = np.arange(int(places[0]), last + 1)
    pictures = np.searchsorted(places, ticks, side="right") - 1
    return replace(timeline, ticks=ticks, pictures=pictures)


class _Head:
    """Decodes the beginning of a stream, up to the first picture that comes out."""

    def __init__(self, stream: VideoStream) -> None:
        stream.codec_context.thread_count = 1
        self._first: VideoFrame | None = None

    def first_of(self, packet: Packet[Any]) -> VideoFrame | None:
        """Return the first picture, if this packet or an earlier one gave it."""
        import av  # noqa: PLC0415

        if self._first is None:
            try:
                self._first = next(iter(packet.decode()), None)
            except av.FFmpegError:  # what comes before the first key frame is no picture
                self._first = None
        return self._first


def _tick(packet: Packet[Any], number: int, *, is_timed: bool) -> int:
    if is_timed:
        if packet.pts is None:
            raise UnfitError(f"frame {number} has no time stamp")
        return packet.pts
    return number if packet.dts is None else packet.dts


def _end_s(packet: Packet[Any]) -> float:
    stamp = packet.dts if packet.pts is None else packet.pts
    if stamp is None or packet.time_base is None:
        return -np.inf
    return float((stamp + (packet.duration or 0)) * packet.time_base)


def _is_hidden(packet: Packet[Any], stream: VideoStream) -> bool:
    """Return whether a packet of VP8 or VP9 holds a reference frame that is never shown.

    Sources: RFC 6386, 9.1 (`show_frame`); VP9 bitstream specification, 6.2 (`uncompressed_header`).
    """
    codec = stream.codec_context.codec.name
    if codec not in _WITH_HIDDEN_FRAMES:
        return False
    first = memoryview(packet)[0]
    if codec in _VP8:
        return not first >> 4 & 1
    if memoryview(packet)[packet.size - 1] >> 5 == 0b110:
        return False  # a superframe, which holds a frame that is shown
    bits = f"{first:08b}"
    at = 5 if bits[2:4] == "11" else 4  # profile 3 has one more bit
    shows_existing, is_shown = bits[at] == "1", bits[at + 2] == "1"
    return not shows_existing and not is_shown
