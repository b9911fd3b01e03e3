"""Facts about a video file that cost one pass over its bytes and the decoding of one picture.

A truncated file may open without complaint, since its header is whole. So every packet is walked:
a file is unreadable if one is cut short, if it holds fewer pictures than its header counts (mp4,
avi), or if it ends long before its header says (mkv and webm count no pictures). What only a
decoder can notice (damaged pictures) is found, and reported, at extraction.

Headers also say how many pictures a second there are. In mkv and webm that is a guess or a default,
so the time stamps of the packets decide where they disagree. `benchmark.data.video_io.time_stamps`
says what counts as a frame.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from benchmark.data.video_io.picture_stream import NotAVideoError, open_video, picture_stream
from benchmark.data.video_io.time_stamps import MAX_UNDECODED_TAIL, Timeline, UnfitError, walk
from benchmark.files.sealed import file_sha256
from benchmark.lifetime import process_pool

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

__all__ = ["FileFacts", "Progress", "probe_file", "probe_files"]

Progress = Callable[[int, int], None]
"""Called with (done, in all)."""
# Counts no pictures, but its header says how long the longest stream is.
_STATES_LENGTH = "matroska,webm"
_MISSING_S, _MISSING_SHARE = 1.0, 0.05


@dataclass(frozen=True)
class FileFacts:
    """What one video file is; all facts are empty unless `status` is 'ok'.

    Attributes:
        sha256: of the file's bytes; also known for an unreadable file.
        fps: mean frames a second.
        num_frames: frames that are shown.
        width: of the frames once they are upright.
        height: likewise.
        stream: index of the stream that holds the pictures.
        start_s: when the first frame appears, in seconds of the container's clock.
        constant_rate: whether frame n appears at second n / fps.
        status: 'missing' where there is no file; 'no_video' where it is another kind of file.
        reason: why the status is not 'ok'.
    """

    sha256: str = ""
    duration_s: float = 0.0
    fps: float = 0.0
    num_frames: int = 0
    width: int = 0
    height: int = 0
    has_audio: bool = False
    stream: int = 0
    start_s: float = 0.0
    constant_rate: bool = True
    status: Literal["ok", "missing", "unreadable", "no_video"] = "ok"
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
    except NotAVideoError as error:
        return FileFacts(sha256, status="no_video", reason=str(error))
    except (av.FFmpegError, OSError, UnfitError) as error:
        text = str(error) if isinstance(error, UnfitError) else error.strerror
        return FileFacts(sha256, status="unreadable", reason=text or type(error).__name__)


def _read_container(path: Path, sha256: str) -> FileFacts:
    with open_video(path) as container:
        stream = picture_stream(container)
        timeline = walk(container, stream)
        _check_whole(path, container, stream, timeline)
        height, width = timeline.first_picture.shape[:2]
        return FileFacts(
            sha256=sha256,
            duration_s=round(timeline.num_frames / timeline.rate, 6),
            fps=round(timeline.rate, 6),
            num_frames=timeline.num_frames,
            width=width,
            height=height,
            has_audio=bool(container.streams.audio),
            stream=timeline.stream,
            start_s=round(timeline.start_s, 9),
            constant_rate=timeline.has_constant_rate(),
        )


def _check_whole(
    path: Path, container: InputContainer, stream: VideoStream, timeline: Timeline
) -> None:
    stated = stream.frames
    if timeline.num_frames + MAX_UNDECODED_TAIL < stated:
        num_packets = _num_packets(path, stream.index)
        if max(num_packets, timeline.num_frames) + MAX_UNDECODED_TAIL < stated:
            raise UnfitError(f"truncated: {num_packets} of {stated} frames are there")
    if container.format.name != _STATES_LENGTH or container.duration is None:
        return
    stated_s = container.duration / 1e6
    if timeline.end_s < stated_s - max(_MISSING_S, _MISSING_SHARE * stated_s):
        raise UnfitError(f"truncated: {timeline.end_s:.1f} of {stated_s:.1f} s are there")


def _num_packets(path: Path, stream: int) -> int:
    """Return how many pictures are in a file, those that an edit list hides too."""
    import av  # noqa: PLC0415

    with av.open(str(path), options={"ignore_editlist": "1"}) as container:
        return sum(bool(packet.size) for packet in container.demux(container.streams[stream]))
