"""How fast videos become stored frames here, how fast those are read, and what they take.

Videos are stored as a frames job stores them, by the recipe of their own dataset.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from benchmark.data.frames.frame_table import TABLE_BYTES_A_FRAME, read_frames
from benchmark.data.frames.jpeg import SEEN_BYTES_A_PIXEL, decode_jpegs, encode_jpegs
from benchmark.data.frames.recipe import SamplingRecipe
from benchmark.data.frames.resize import centre_crop, resize_short_side
from benchmark.data.frames.shards import ShardJob, StoredVideo, VideoFile, write_shard
from benchmark.data.video_io.decoding import readers
from benchmark.estimate.videos import Example
from benchmark.files.sealed import file_sha256
from benchmark.machine import one_thread

__all__ = ["PictureRates", "measure_pictures"]

_MADE_UP = ((640, 360), (1280, 720))
_MADE_UP_FRAMES = 60
_SECONDS = 10.0  # of a dataset, after which no third video is begun


class PictureRates(BaseModel):
    """Speeds of one core, and sizes, of one dataset.

    Attributes:
        decoded_frames: low and high, frames of a video a second, of which those of the recipe are
            scaled, coded and stored.
        jpeg_pixels: a second, read and resized to 224; none of raw frames.
        stored_bytes: low and high, of a pixel.
        origin: what was measured, in a sentence.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    decoded_frames: tuple[float, float]
    jpeg_pixels: float | None
    stored_bytes: tuple[float, float]
    origin: str


@dataclass(frozen=True)
class _Stored:
    decoded_frames: float
    jpeg_pixels: float | None
    stored_bytes: float


def measure_pictures(
    examples: Mapping[str, Sequence[Example]], recipes: Mapping[str, SamplingRecipe]
) -> dict[str, PictureRates]:
    """Store some videos of each dataset, and read some of their frames; made-up ones if need be.

    Args:
        examples: videos of the user, by dataset.
        recipes: of the same datasets.
    """
    for recipe in recipes.values():
        readers(recipe.reader)  # imports are not part of the work
    encode_jpegs(np.zeros((1, 8, 8, 3), np.uint8), 90)
    # What a second thread spends on waiting for the first is no work.
    with one_thread(), tempfile.TemporaryDirectory() as folder:
        own = {name: _store(examples[name], recipes[name], Path(folder)) for name in recipes}
        made_up: list[Example] = []
        if not all(own.values()):
            made_up = [_write_video(Path(folder), *size) for size in _MADE_UP]
        return {
            name: _rates(found, is_made_up=False)
            if found
            else _rates(_store(made_up, recipes[name], Path(folder)), is_made_up=True)
            for name, found in own.items()
        }


def _rates(found: Sequence[_Stored], *, is_made_up: bool) -> PictureRates:
    speeds = [one.decoded_frames for one in found]
    sizes = [one.stored_bytes for one in found]
    pixels = [one.jpeg_pixels for one in found if one.jpeg_pixels is not None]
    spread = (min(sizes), max(sizes))
    origin = f"decoding and storing were measured on {len(found)} of your videos."
    if is_made_up:
        origin = (
            "no video of yours could be decoded: decoding and storing were measured on made-up "
            f"ones of {' and '.join(f'{w} x {h}' for w, h in _MADE_UP)}, so take them for a guess"
        )
        if pixels:
            spread = SEEN_BYTES_A_PIXEL
            origin += f"; sizes of JPEG are {spread[0]} to {spread[1]} bytes a pixel, as elsewhere"
        origin += "."
    return PictureRates(
        decoded_frames=(min(speeds), max(speeds)),
        jpeg_pixels=float(np.median(pixels)) if pixels else None,
        stored_bytes=spread,
        origin=origin,
    )


def _store(videos: Sequence[Example], recipe: SamplingRecipe, folder: Path) -> list[_Stored]:
    """Store videos one after the other, as far as they can be decoded and there is time."""
    found: list[_Stored] = []
    begun = time.process_time()
    for video in videos:
        stored = _stored(video, recipe, folder)
        if stored is not None:
            found.append(stored)
        if len(found) > 1 and time.process_time() - begun > _SECONDS:
            break
    return found


def _stored(video: Example, recipe: SamplingRecipe, folder: Path) -> _Stored | None:
    """Return what storing a video took; nothing where it cannot be decoded."""
    try:
        sha256 = file_sha256(video.path)
    except OSError:
        return None  # extraction will say so
    file = VideoFile("", video.path, sha256, video.num_frames, video.fps, video.height, video.width)
    start = time.process_time()
    shard = write_shard(ShardJob(folder, 0, (file,), recipe))
    taken = time.process_time() - start
    entry = shard.videos[0]
    if entry.failure:
        return None
    num_pixels = entry.height * entry.width
    return _Stored(
        decoded_frames=video.num_frames / taken,
        jpeg_pixels=None
        if recipe.jpeg_quality is None
        else _read_pixels(folder / shard.file, entry),
        stored_bytes=(shard.num_bytes / entry.num_positions - TABLE_BYTES_A_FRAME) / num_pixels,
    )


def _read_pixels(shard: Path, video: StoredVideo) -> float:
    """Return the pixels of a middle frame that are read and resized a second."""
    coded, taken = np.fromfile(shard, dtype=np.uint8), []
    place = (video.offset, video.num_positions, video.table_digest)
    for _ in range(20):
        start = time.process_time()
        frame = decode_jpegs(read_frames(coded, *place, [video.num_positions // 2]))
        centre_crop(resize_short_side(frame, 224), 224)
        taken.append(time.process_time() - start)
    return video.height * video.width / min(taken)


def _write_video(folder: Path, width: int, height: int) -> Example:
    """Write a smooth picture that moves."""
    import av  # noqa: PLC0415
    from PIL import Image  # noqa: PLC0415

    rough = np.random.default_rng(0).integers(0, 256, (height // 20, width // 20, 3), np.uint8)
    picture = np.asarray(Image.fromarray(rough).resize((width, height), Image.Resampling.BICUBIC))
    path = folder / f"{height}.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(30))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(_MADE_UP_FRAMES):
            moved = np.roll(picture, (number, 3 * number), axis=(0, 1))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(moved, format="rgb24")))
        container.mux(stream.encode(None))
    return Example(path, _MADE_UP_FRAMES, 30.0, height, width)
