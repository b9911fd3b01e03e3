"""One shard of a frame store: the frames of a few videos in one flat file.

A shard is the unit of work, of resuming and of hashing. Its bytes are on the disk before the
description beside it, so a description proves a whole shard. Whoever writes it, and however many
write at once, the bytes are the same.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from benchmark.data.frames.frame_table import pack_frames
from benchmark.data.frames.jpeg import encode_jpegs, jpeg_coder
from benchmark.data.frames.recipe import SamplingRecipe
from benchmark.data.frames.resize import fit_short_side, resize_short_side, rounded
from benchmark.data.shard_files import ShardFacts, finished
from benchmark.data.video_io.decoding import (
    DecodingError,
    decode_frames,
    is_fault_of_the_machine,
    readers,
)
from benchmark.data.video_io.picture_stream import NotAVideoError
from benchmark.data.video_io.time_stamps import Timeline, UnfitError, read_timeline
from benchmark.files.sealed import file_sha256, write_sealed
from benchmark.files.writing import digest_of, replace_when_complete

__all__ = [
    "Shard",
    "ShardJob",
    "StoredVideo",
    "VideoFile",
    "finished_shard",
    "prepare",
    "write_shard",
]

_FORMAT_VERSION = 2  # raise it whenever the same videos and recipe give other bytes


@dataclass(frozen=True)
class VideoFile:
    """A video to decode, as the manifest knows it."""

    video_id: str
    path: Path
    sha256: str
    num_frames: int
    fps: float
    height: int
    width: int


@dataclass(frozen=True)
class ShardJob:
    """What a shard is made of."""

    folder: Path
    number: int
    videos: tuple[VideoFile, ...]
    recipe: SamplingRecipe

    @property
    def name(self) -> str:
        """Name of the data file."""
        return f"shard-{self.number:05d}.bin"

    @property
    def key(self) -> str:
        """Digest of all that the bytes depend on: videos, recipe, coders; not where they lie."""
        videos = [(v.video_id, v.sha256, v.num_frames, v.fps) for v in self.videos]
        coders = [*readers(self.recipe.reader), *([self.coder] if self.coder else [])]
        return digest_of([_FORMAT_VERSION, videos, self.recipe.facts(), coders])

    @property
    def coder(self) -> str:
        """Name and version of what encodes the frames; empty for raw ones."""
        return jpeg_coder() if self.recipe.jpeg_quality is not None else ""


class StoredVideo(BaseModel):
    """Where a video's P frames lie in their shard, see `data.frame_table`: uint8 RGB, or JPEG.

    Attributes:
        num_frames: frames of the video itself.
        table_digest: of the table before the frames, which holds a digest of each.
        reader: name and version of what decoded it.
        rejected: the reader that the recipe names and why it was not used; empty if it was.
        source_frames: `[P]` index in the video of each frame, of a video of varying rate; empty
            where the rate is constant, as the recipe then tells them.
        moments_s: `[P]` seconds from the first frame of the video to each, likewise.
        failure: why no reader could decode it; then there are no positions.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    video_id: str
    num_frames: int
    fps: float
    offset: int
    num_positions: int = 0
    height: int = 0
    width: int = 0
    table_digest: int = 0
    reader: str = ""
    rejected: str = ""
    source_frames: tuple[int, ...] = ()
    moments_s: tuple[float, ...] = ()
    failure: str = ""


class Shard(ShardFacts):
    """The description of a whole shard."""

    videos: tuple[StoredVideo, ...]
    coder: str = ""


def finished_shard(job: ShardJob) -> Shard | None:
    """Return the shard that an earlier run has finished, unless it was made of something else."""
    return finished(job.folder / job.name, job.key, Shard)


def write_shard(job: ShardJob) -> Shard:
    """Decode the videos of a shard, each once, and write their frames and the description."""
    whole, offset, stored = hashlib.sha256(), 0, []
    data = job.folder / job.name
    data.with_suffix(".json").unlink(missing_ok=True)
    with replace_when_complete(data) as partial, partial.open("wb") as file:
        for video in job.videos:
            entry, content = _decoded(video, job.recipe, offset)
            file.write(content)
            whole.update(content)
            offset += len(content)
            stored.append(entry)
    shard = Shard(
        file=job.name,
        key=job.key,
        num_bytes=offset,
        sha256=whole.hexdigest(),
        videos=tuple(stored),
        coder=job.coder,
    )
    write_sealed(data.with_suffix(".json"), shard)
    return shard


def prepare(frame: npt.NDArray[np.uint8], recipe: SamplingRecipe) -> npt.NDArray[np.uint8]:
    """Return a decoded frame `[H, W, 3]` at the size at which it is stored."""
    size = recipe.short_side
    if size is None:
        return frame
    if recipe.scaling == "fit":
        return fit_short_side(frame, size)
    if min(frame.shape[:2]) <= size:
        return frame
    smaller: npt.NDArray[np.uint8] = rounded(resize_short_side(frame[None], size))[0]
    return smaller


def _decoded(video: VideoFile, recipe: SamplingRecipe, offset: int) -> tuple[StoredVideo, bytes]:
    entry = StoredVideo(
        video_id=video.video_id, num_frames=video.num_frames, fps=video.fps, offset=offset
    )
    try:
        if file_sha256(video.path) != video.sha256:
            raise DecodingError("the file has changed since the manifest was built")
        timeline = _timeline(video)
        varies = not timeline.has_constant_rate()
        grid = recipe.source_frames(
            video.num_frames, video.fps, timeline.times_s if varies else None
        )
        decoded = decode_frames(
            video.path,
            timeline,
            grid,
            lambda frame: prepare(frame, recipe),
            reader=recipe.reader,
        )
    except (DecodingError, OSError) as error:
        if is_fault_of_the_machine(error):
            raise
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return entry.model_copy(update={"failure": reason}), b""
    frames, quality = decoded.frames, recipe.jpeg_quality
    num_positions, height, width = frames.shape[:3]
    coded = [f.tobytes() for f in frames] if quality is None else encode_jpegs(frames, quality)
    content, table_digest = pack_frames(coded)
    found: dict[str, object] = {"num_positions": num_positions, "height": height, "width": width}
    found |= {"table_digest": table_digest, "reader": decoded.reader, "rejected": decoded.rejected}
    if varies:
        found["source_frames"] = tuple(grid.tolist())
        found["moments_s"] = tuple(timeline.times_s[grid].tolist())
    return entry.model_copy(update=found), content


def _timeline(video: VideoFile) -> Timeline:
    """Return when the frames of a video are shown, if it is the video that the manifest knows."""
    import av  # noqa: PLC0415  (jobs that only read stored frames start without it)

    try:
        timeline = read_timeline(video.path)
    except (NotAVideoError, UnfitError) as error:
        raise DecodingError(str(error)) from error
    except av.FFmpegError as error:
        if is_fault_of_the_machine(error):
            raise
        raise DecodingError(error.strerror or type(error).__name__) from error
    height, width = timeline.first_picture.shape[:2]
    found = f"{timeline.num_frames} frames of {width} x {height}"
    known = f"{video.num_frames} frames of {video.width} x {video.height}"
    if found != known:
        raise DecodingError(f"the file holds {found} pixels, the manifest says {known}")
    return timeline
