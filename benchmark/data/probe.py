"""Facts about a video file that cost one pass over its bytes and no decoding.

A truncated file may open without complaint, since its header is whole. So every packet is walked:
a file is unreadable if one is cut short, if it holds fewer pictures than its header counts (mp4,
avi), or if it ends long before its header says (mkv and webm count no pictures). What only a
decoder can notice (damaged pictures) is found, and reported, at extraction.

Headers also say how many pictures a second there are. In mkv and webm that is a guess or a default,
so the time stamps of the packets decide where they disagree.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from benchmark.data.decoding import MAX_UNDECODED_TAIL
from benchmark.lifetime import process_pool
from benchmark.sealed import file_sha256

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

__all__ = ["FileFacts", "Progress", "probe_file", "probe_files"]

Progress = Callable[[int, int], None]
"""Called with (done, in all)."""
# Stamps are rounded to a millisecond in some containers, and a clip's last picture may be late.
_RATES_AGREE = 0.01
# Counts no pictures, but its header says how long the longest stream is.
_STATES_LENGTH = "matroska,webm"
_MISSING_S, _MISSING_SHARE = 1.0, 0.05


@dataclass(frozen=True)
class FileFacts:
    """What one video file is; all facts are empty unless `status` is 'ok'.

    Attributes:
        sha256: of the file's bytes; also known for an unreadable file.
        num_frames: pictures in the file, as its packets count them.
        status: 'missing' where there is no file.
        reason: why the status is not 'ok'.
    """

    sha256: str = ""
    duration_s: float = 0.0
    fps: float = 0.0
    num_frames: int = 0
    width: int = 0
    height: int = 0
    has_audio: bool = False
    status: Literal["ok", "missing", "unreadable"] = "ok"
    reason: str = ""


def probe_files(
    paths: Sequence[Path],
    *,
    workers: int = 1,
    progress: Progress | None = None,
    keep: Callable[[Path, FileFacts], None] | None = None,
) -> list[FileFacts]:
    """Probe many files, in this process or in several; the result does not depend on `workers`.

    Args:
        paths: of the files.
        workers: processes.
        progress: called with (files read, files to read).
        keep: called with each file's facts as soon as they are known.
    """
    facts: list[FileFacts] = []

    def collect(one: FileFacts) -> None:
        if keep is not None:
            keep(paths[len(facts)], one)
        facts.append(one)
        if progress is not None:
            progress(len(facts), len(paths))

    if workers <= 1 or len(paths) < 2:
        for path in paths:
            collect(probe_file(path))
    else:
        with process_pool(workers) as pool:
            for one in pool.map(probe_file, paths, chunksize=32):
                collect(one)
    return facts


def probe_file(path: Path) -> FileFacts:
    """Hash one file and read its container."""
    if not path.is_file():
        folder = path.parent
        reason = "no such file" if folder.is_dir() else f"no such folder: {folder.name}"
        return FileFacts(status="missing", reason=reason)
    if path.stat().st_size == 0:
        return FileFacts(status="unreadable", reason="the file is empty")
    sha256 = file_sha256(path)
    import av  # noqa: PLC0415  (jobs that only read stored frames start without it)

    try:
        return _read_container(path, sha256)
    except (av.FFmpegError, OSError, _UnfitError) as error:
        text = str(error) if isinstance(error, _UnfitError) else error.strerror
        return FileFacts(sha256, status="unreadable", reason=text or type(error).__name__)


class _UnfitError(Exception):
    """Why a container that opens is no readable video."""


def _read_container(path: Path, sha256: str) -> FileFacts:
    import av  # noqa: PLC0415

    with av.open(str(path)) as container:
        if not container.streams.video:
            raise _UnfitError("no picture stream")
        stream = container.streams.video[0]
        rate = stream.average_rate or stream.guessed_rate
        if not rate or not stream.codec_context.width:
            raise _UnfitError("no frame rate or size in the container")
        walked = _walk(container, stream)
        _check_whole(path, container, walked)
        fps = walked.rate(rate)
        return FileFacts(
            sha256=sha256,
            duration_s=round(float(walked.num_frames / fps), 6),
            fps=round(float(fps), 6),
            num_frames=walked.num_frames,
            width=stream.codec_context.width,
            height=stream.codec_context.height,
            has_audio=bool(container.streams.audio),
        )


@dataclass
class _Walked:
    """What the packets of a file say.

    Attributes:
        num_frames: pictures that are shown. An edit list hides others: `ffmpeg -ss T -c copy`,
            with which clips are cut out of films, keeps all since the last key frame so.
        first_s: when the first picture that is shown appears.
        last_s: when the last of them appears.
        end_s: when the last packet of all streams ends, if any packet says so.
    """

    num_frames: int = 0
    first_s: float = math.inf
    last_s: float = -math.inf
    end_s: float = -math.inf

    def rate(self, stated: Fraction) -> Fraction | float:
        """Return the pictures a second: as the header states, unless the time stamps disagree."""
        if self.num_frames < 2 or self.last_s <= self.first_s:
            return stated
        seen = (self.num_frames - 1) / (self.last_s - self.first_s)
        return stated if abs(seen - stated) <= _RATES_AGREE * stated else seen


def _walk(container: InputContainer, pictures: VideoStream) -> _Walked:
    """Read all packets, those of sound only for where they end."""
    walked = _Walked()
    for packet in container.demux():
        is_picture = packet.stream is pictures
        if is_picture and packet.is_corrupt:
            raise _UnfitError(f"truncated: cut short after {walked.num_frames} frames")
        if not packet.size:
            continue
        stamp = packet.dts if packet.pts is None else packet.pts
        base = packet.time_base
        start_s = None if stamp is None or base is None else float(stamp * base)
        if start_s is not None:
            walked.end_s = max(walked.end_s, start_s + float((packet.duration or 0) * base))
        if is_picture and not packet.is_discard:
            walked.num_frames += 1
            if start_s is not None:
                walked.first_s = min(walked.first_s, start_s)
                walked.last_s = max(walked.last_s, start_s)
    return walked


def _check_whole(path: Path, container: InputContainer, walked: _Walked) -> None:
    stated = container.streams.video[0].frames
    if walked.num_frames == 0 or walked.num_frames + MAX_UNDECODED_TAIL < stated:
        num_packets = _num_packets(path)
        if walked.num_frames == 0 or num_packets + MAX_UNDECODED_TAIL < stated:
            raise _UnfitError(f"truncated: {num_packets} of {stated} frames are there")
    if container.format.name != _STATES_LENGTH or container.duration is None:
        return
    stated_s = container.duration / 1e6
    if walked.end_s < stated_s - max(_MISSING_S, _MISSING_SHARE * stated_s):
        raise _UnfitError(f"truncated: {walked.end_s:.1f} of {stated_s:.1f} s are there")


def _num_packets(path: Path) -> int:
    """Return how many pictures are in a file, those that an edit list hides too."""
    import av  # noqa: PLC0415

    with av.open(str(path), options={"ignore_editlist": "1"}) as container:
        return sum(bool(packet.size) for packet in container.demux(container.streams.video[0]))
