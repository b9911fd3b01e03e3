"""Facts about a video file that cost one pass over its bytes and no decoding.

A truncated mp4 may open without complaint, since its header is whole. So every packet is walked:
one that is cut short, or a file that holds fewer packets than its header counts, is unreadable.
What only a decoder can notice (damaged pictures) is found, and reported, at extraction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

from benchmark.data.decoding import MAX_UNDECODED_TAIL

__all__ = ["FileFacts", "Progress", "file_sha256", "probe_file", "probe_files"]

Progress = Callable[[int, int], None]
"""Called with (done, in all)."""


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
        with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
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


def file_sha256(path: Path) -> str:
    """Return the hex SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
        num_frames = 0
        for packet in container.demux(stream):
            if packet.is_corrupt:
                raise _UnfitError(f"truncated: cut short after {num_frames} frames")
            num_frames += bool(packet.size) and not packet.is_discard
        if num_frames == 0 or num_frames + MAX_UNDECODED_TAIL < stream.frames:
            raise _UnfitError(f"truncated: {num_frames} of {stream.frames} frames are there")
        return FileFacts(
            sha256=sha256,
            duration_s=round(float(num_frames / rate), 6),
            fps=round(float(rate), 6),
            num_frames=num_frames,
            width=stream.codec_context.width,
            height=stream.codec_context.height,
            has_audio=bool(container.streams.audio),
        )
