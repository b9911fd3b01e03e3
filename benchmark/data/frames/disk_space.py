"""Whether the disk has room for a frame store, asked before the first video is decoded.

Raw frames have a known size. What a JPEG takes depends on the pictures, so a few frames from all
over some of the store's own videos are coded to see: long videos begin with titles.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmark.data.frames.frame_table import TABLE_BYTES_A_FRAME
from benchmark.data.frames.jpeg import SEEN_BYTES_A_PIXEL, encode_jpegs
from benchmark.data.frames.recipe import SamplingRecipe
from benchmark.data.frames.resize import fitted_size, resized_size
from benchmark.data.frames.shards import prepare
from benchmark.data.video_io.picture_stream import NotAVideoError, open_video, picture_stream, rgb
from benchmark.errors import BenchmarkError

__all__ = ["StoreSize", "check_free_disk", "estimate_size", "stored_pixels"]

_SAMPLED_VIDEOS = 12
_SAMPLED_POSITIONS = 8
# Of 248 clips of tank_wagon and the 120 of ut_interaction, 12 at random told the size of all of
# their set to -20 to +20 % (5,000 draws, at the recipes of ActivityNet and of Mini-Kinetics).
_MARGIN = 1.25


@dataclass(frozen=True)
class StoreSize:
    """What the frames of some videos take.

    Attributes:
        num_frames: to store.
        num_bytes: that they take, about.
        measured: whether the bytes were extrapolated from coded frames; otherwise they are exact
            unless videos fail.
    """

    num_frames: int
    num_bytes: int
    measured: bool

    @property
    def bytes_a_frame(self) -> float:
        """Mean size of a frame."""
        return self.num_bytes / self.num_frames if self.num_frames else 0.0


def estimate_size(videos: pd.DataFrame, root: Path, recipe: SamplingRecipe) -> StoreSize:
    """Return what a store of some videos takes.

    Args:
        videos: usable rows of a manifest.
        root: of the manifest.
        recipe: of the store.
    """
    num_frames, fps = videos["num_frames"].to_numpy(), videos["fps"].to_numpy()
    positions = recipe.num_positions(num_frames, fps)
    pixels = positions * stored_pixels(videos, recipe)
    num_positions, table = int(positions.sum()), TABLE_BYTES_A_FRAME * int(positions.sum())
    if recipe.jpeg_quality is None:
        return StoreSize(num_positions, table + 3 * int(pixels.sum()), measured=False)
    chosen = np.unique(np.linspace(0, len(videos) - 1, _SAMPLED_VIDEOS).astype(int))
    paths, quality = videos["path"].tolist(), recipe.jpeg_quality
    rates = []
    for i in chosen:
        grid = recipe.source_frames(int(num_frames[i]), float(fps[i]))
        spread = grid[np.linspace(0, len(grid) - 1, _SAMPLED_POSITIONS).astype(int)]
        rates += _bytes_a_pixel(root / paths[i], spread / fps[i], recipe, quality)
    rate = float(np.mean(rates)) if rates else SEEN_BYTES_A_PIXEL[1]
    return StoreSize(num_positions, table + round(rate * int(pixels.sum())), measured=True)


def check_free_disk(size: StoreSize, folder: Path) -> None:
    """Compare what is still to be written with the free disk at a folder that exists.

    Quotas of a user or project are not seen.

    Raises:
        BenchmarkError: if the disk has too little.
    """
    needed = round(size.num_bytes * (_MARGIN if size.measured else 1.0))
    free = shutil.disk_usage(folder).free
    if needed <= free:
        return
    raise BenchmarkError(
        f"{size.num_frames:,} frames of {size.bytes_a_frame / 1e3:,.1f} kB each are still to be "
        f"stored: {needed / 1e9:,.1f} GB{' with a margin' if size.measured else ''}, and "
        f"{free / 1e9:,.1f} GB are free",
        where=folder,
        fix="make room, or let --config results=DIR name a larger disk; what is stored already "
        "is kept",
    )


def stored_pixels(videos: pd.DataFrame, recipe: SamplingRecipe) -> npt.NDArray[np.int64]:
    """Return the pixels of a stored frame of each video."""
    size, known = recipe.short_side, dict[tuple[int, int], int]()
    sides = list(zip(videos["height"].tolist(), videos["width"].tolist(), strict=True))
    for height, width in set(sides):
        shape = (height, width)
        if size is not None and recipe.scaling == "fit":
            shape = fitted_size(height, width, size)
        elif size is not None and min(shape) > size:
            shape = resized_size(height, width, size)
        known[height, width] = shape[0] * shape[1]
    return np.array([known[side] for side in sides], dtype=np.int64)


def _bytes_a_pixel(
    path: Path, moments_s: npt.NDArray[np.float64], recipe: SamplingRecipe, quality: int
) -> list[float]:
    """Return what a coded pixel takes, of the pictures of a video that can be decoded.

    Decoding begins at the key frame before each moment, not at the start of the video. Where a
    container leads elsewhere the picture is another one, which does no harm here.
    """
    import av  # noqa: PLC0415

    coded: list[float] = []
    with suppress(av.FFmpegError, OSError, NotAVideoError), open_video(path) as container:
        stream = picture_stream(container)
        begin_s = float((stream.start_time or 0) * (stream.time_base or 0))
        for moment_s in (begin_s + moments_s).tolist():
            container.seek(int(moment_s * 1e6))
            for picture in container.decode(stream):
                if picture.time is None or picture.time >= moment_s - 1e-3:
                    frame = prepare(rgb(picture), recipe)
                    image = encode_jpegs(frame[None], quality)[0]
                    coded.append(len(image) / (frame.size // 3))
                    break
    return coded
