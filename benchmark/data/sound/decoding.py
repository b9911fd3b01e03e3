"""The sound of a video: one channel at 16 kHz, exactly as long as its pictures.

Sample n belongs to second n / 16,000 after the first frame that is shown, which the manifest knows:
pictures and sound have one clock. Samples are therefore placed by
their time stamps, as a player does: a track that begins late, or has a hole, is silent there.
Without this a hole would shift all that follows it against the pictures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from av import AudioFrame, AudioResampler, FFmpegError, Packet
    from av.audio.stream import AudioStream
    from av.container import InputContainer

__all__ = ["NO_TRACK", "RATE_HZ", "Sound", "decode_sound", "sound_reader"]

RATE_HZ = 16_000
NO_TRACK = "no sound track"
# Time stamps of some containers are rounded to a millisecond, and those of resampled pieces to a
# sample: what begins this near to where the last piece ended follows it without a click.
_JOINED_SAMPLES = RATE_HZ // 50


@dataclass(frozen=True)
class Sound:
    """The sound of one video.

    Attributes:
        samples: `[N]` int16, or `[0]` for a video from which nothing could be decoded.
        fault: why it is silent, or what of it could not be decoded; empty if all is well.
    """

    samples: npt.NDArray[np.int16]
    fault: str = ""


def sound_reader() -> str:
    """Return name and version of what decodes sound: other versions may give other samples."""
    import av  # noqa: PLC0415  (jobs that only read stored sound start without it)

    return f"pyav {av.__version__}"


def decode_sound(path: Path, duration_s: float, start_s: float) -> Sound:
    """Decode the first sound track of a video, mixed down to one channel.

    A packet that is damaged leaves a hole. A track that cannot be decoded at all is as good as
    none: the pictures are still there, so the video is kept, and the reason is recorded.

    Args:
        path: the video.
        duration_s: of its pictures; sound that goes on after them is left out.
        start_s: when the first of them appears, in seconds of the container's clock.

    Raises:
        av.FFmpegError: if the file cannot be opened.
    """
    import av  # noqa: PLC0415

    samples = np.zeros(round(duration_s * RATE_HZ), dtype=np.int16)
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return Sound(samples[:0], NO_TRACK)
        stream, track = container.streams.audio[0], _Track()
        for start, piece in track.pieces(container, stream, start_s):
            first, last = max(start, 0), min(start + len(piece), len(samples))
            if first < last:
                samples[first:last] = piece[first - start : last - start]
    if not track.num_pieces:
        return Sound(samples[:0], f"no sound could be decoded: {track.reason or 'it is empty'}")
    if track.num_damaged:
        return Sound(samples, f"{track.num_damaged} packets of sound could not be decoded")
    return Sound(samples)


class _Track:
    """One pass over a sound track, and what went wrong on the way."""

    def __init__(self) -> None:
        self.num_pieces, self.num_damaged, self.reason = 0, 0, ""

    def pieces(
        self, container: InputContainer, stream: AudioStream, start_s: float
    ) -> Iterator[tuple[int, npt.NDArray[np.int16]]]:
        """Yield the place of each resampled piece, in samples from the first picture, and it."""
        end = None
        for frame in self._resampled(container, stream):
            if frame.pts is None or frame.time_base is None:
                start = end or 0
            else:
                start = round((float(frame.pts * frame.time_base) - start_s) * RATE_HZ)
            if end is not None and abs(start - end) <= _JOINED_SAMPLES:
                start = end
            self.num_pieces, end = self.num_pieces + 1, start + frame.samples
            yield start, frame.to_ndarray().astype(np.int16).reshape(-1)

    def _resampled(self, container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
        resampler, made_for = None, None
        for frame in self._decoded(container, stream):
            kind = (frame.format.name, frame.layout.name, frame.sample_rate)
            if resampler is None or kind != made_for:  # a track may change its kind on the way
                yield from _rest_of(resampler)
                resampler, made_for = _new_resampler(), kind
            yield from resampler.resample(frame)
        yield from _rest_of(resampler)

    def _decoded(self, container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
        import av  # noqa: PLC0415

        if stream.codec_context is None:
            self.reason = "no decoder for it"
            return
        stream.codec_context.thread_count = 1
        try:
            for packet in container.demux(stream):
                yield from self._frames_of(packet)
        except av.FFmpegError as error:  # the container ends in the middle of a packet
            self._damaged(error)

    def _frames_of(self, packet: Packet[AudioStream]) -> list[AudioFrame]:
        import av  # noqa: PLC0415

        try:
            return packet.decode()
        except av.FFmpegError as error:
            self._damaged(error)
            return []

    def _damaged(self, error: FFmpegError) -> None:
        self.num_damaged += 1
        self.reason = error.strerror or type(error).__name__


def _new_resampler() -> AudioResampler:
    import av  # noqa: PLC0415

    return av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)


def _rest_of(resampler: AudioResampler | None) -> list[AudioFrame]:
    return [] if resampler is None else resampler.resample(None)
