"""Compares the readers of videos: how long each takes for the wanted frames of a clip.

    python tests/performance/readers.py [--long] [video …]

Without videos three are made: two of 320 x 240 and, with --long, one of 20 s at 720p. Each reader
gets the frames of a grid, and they are compared with those of a full decode. Readers take turns,
and the median of five rounds is printed, in milliseconds. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import decord
import numpy as np
import numpy.typing as npt
from PIL import Image

from benchmark.data.frames.recipe import SamplingRecipe
from benchmark.data.video_io.decoding import READERS, decode_frames, readers
from benchmark.data.video_io.time_stamps import Timeline, read_timeline
from benchmark.errors import BenchmarkError

_ROUNDS = 5

Frames = npt.NDArray[np.uint8]
Read = Callable[[Path, npt.NDArray[np.int64]], Frames]


def decord_one_by_one(path: Path, grid: npt.NDArray[np.int64]) -> Frames:
    """Convert every frame up to the last wanted one, as the harness once did."""
    video, wanted = decord.VideoReader(str(path), num_threads=1), set(grid.tolist())
    shown = [(index, video.next()) for index in range(int(grid[-1]) + 1)]
    return np.stack([picture.asnumpy() for index, picture in shown if index in wanted])


def decord_batch(path: Path, grid: npt.NDArray[np.int64]) -> Frames:
    """Let decord seek."""
    frames: Frames = decord.VideoReader(str(path), num_threads=1).get_batch(grid).asnumpy()
    return frames


def pyav_with(num_threads: int) -> Read:
    """Return a reader that converts the wanted frames alone, with so many decoding threads."""

    def read(path: Path, grid: npt.NDArray[np.int64]) -> Frames:
        wanted, frames = set(grid.tolist()), []
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = num_threads
            for index, picture in enumerate(container.decode(stream)):
                if index in wanted:
                    frames.append(picture.to_ndarray(format="rgb24"))
                if index == grid[-1]:
                    break
        return np.stack(frames)

    return read


def walk(path: Path, grid: npt.NDArray[np.int64]) -> Frames:
    """List the time stamps, which every reader is held against; decodes one frame."""
    return np.stack([read_timeline(path).first_picture] * len(grid))


def checked(name: str, timelines: dict[Path, Timeline]) -> Read:
    """Return a reader of the harness, with its checks but without the list of time stamps."""

    def read(path: Path, grid: npt.NDArray[np.int64]) -> Frames:
        decoded = decode_frames(path, timelines[path], grid, reader=name)
        assert decoded.rejected == "", decoded.rejected
        return decoded.frames

    return read


def make_video(path: Path, width: int, height: int, num_frames: int) -> Path:
    """Write a smooth picture that moves, with some noise."""
    draw = np.random.default_rng(0)
    rough = draw.integers(0, 256, (height // 20, width // 20, 3), np.uint8)
    picture = np.asarray(Image.fromarray(rough).resize((width, height), Image.Resampling.BICUBIC))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(25), options={"crf": "20"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(num_frames):
            moved = np.roll(picture, (number, 3 * number), axis=(0, 1)) // 2
            moved += draw.integers(0, 24, moved.shape, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(moved, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def compare(path: Path, num_positions: int) -> None:
    """Print how long each reader takes for one video."""
    timelines = {path: read_timeline(path)}
    timeline = timelines[path]
    grid = np.unique(
        SamplingRecipe(num_positions, None).source_frames(timeline.num_frames, timeline.rate)
    )
    ways: dict[str, Read] = {
        "decord, one by one": decord_one_by_one,
        "decord, get_batch": decord_batch,
        "PyAV, wanted frames, 1 thread": pyav_with(1),
        "PyAV, wanted frames, 2 threads": pyav_with(2),
        "list of time stamps": walk,
    }
    for name in READERS:
        try:
            readers(name)
        except BenchmarkError as error:
            print(error)
        else:
            ways[f"reader: {name}, checked"] = checked(name, timelines)
    whole = ways["PyAV, wanted frames, 1 thread"](path, grid)
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(_ROUNDS):
        for name, read in ways.items():  # in turn, so that what else runs here disturbs all alike
            start = time.perf_counter()
            frames = read(path, grid)
            taken[name].append(time.perf_counter() - start)
            same = name == "list of time stamps" or np.array_equal(frames, whole)
            if not same and len(taken[name]) == 1:
                print(f"{name}: other pixels")
    size = f"{whole.shape[2]} x {whole.shape[1]}"
    print(f"{path.name}: {len(grid)} of {timeline.num_frames} frames of {size}")
    for name, seconds in taken.items():
        print(f"  {name:34}{1000 * statistics.median(seconds):8.1f} ms")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("videos", nargs="*", type=Path)
    parser.add_argument("--long", action="store_true", help="also 20 s at 720p")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        videos = args.videos or [
            make_video(Path(folder) / "short.mp4", 320, 240, 100),
            make_video(Path(folder) / "clip.mp4", 320, 240, 250),
        ]
        for video in videos:
            compare(video, 10)
        if args.long:
            compare(make_video(Path(folder) / "long.mp4", 1280, 720, 500), 21)


if __name__ == "__main__":
    main()
