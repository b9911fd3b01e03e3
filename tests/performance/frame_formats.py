"""Compares formats for stored frames, in one run, on real clips at the released recipes.

    python tests/performance/frame_formats.py --root CLIPS

Frames are scaled as FrameExit's released extraction does it, short side 350 or 256. For each
format: bytes a frame; frames encoded and frames read a second of processor time, which holds on
a busy machine too; frames read a second with one thread and with all (10 equally spaced ones of
a random video, resized to 224 and cropped); the mean error of a pixel at 224; and how far the
features of an ImageNet network move, relative to their norm. Nothing here is asserted; what was
chosen by it is said in `benchmark/data/frames/jpeg.py`.
"""

from __future__ import annotations

import argparse
import io
import os
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch
from PIL import Image
from torchvision.io import ImageReadMode, decode_jpeg

from benchmark.backbones.registry import Backbone, build_backbone
from benchmark.config.learning import NetworkConfig
from benchmark.data.frames.recipe import SamplingRecipe
from benchmark.data.frames.resize import centre_crop, fit_short_side, resize_short_side
from benchmark.data.frames.shards import prepare
from benchmark.data.video_io.decoding import decode_frames
from benchmark.data.video_io.probe import probe_file
from benchmark.data.video_io.time_stamps import read_timeline

Frames = np.ndarray  # [P, H, W, 3] uint8


@dataclass(frozen=True)
class Format:
    """A way to store a video's frames: each frame by itself, or all of a video as one stream."""

    name: str
    encode: Callable[[Frames], list[bytes]]
    decode: Callable[[list[bytes], list[int]], list[np.ndarray]]


def _each(encode, decode):
    return (
        lambda frames: [encode(frame) for frame in frames],
        lambda parts, chosen: [decode(parts[i]) for i in chosen],
    )


def _pillow(kind: str, **options):
    def encode(frame: np.ndarray) -> bytes:
        file = io.BytesIO()
        Image.fromarray(frame).save(file, kind, **options)
        return file.getvalue()

    return encode


def _open(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def _torch(data: bytes) -> np.ndarray:
    coded = torch.frombuffer(bytearray(data), dtype=torch.uint8)
    return decode_jpeg(coded, ImageReadMode.RGB).permute(1, 2, 0).numpy()


def _mjpeg(frame: np.ndarray) -> bytes:
    """Encode as `ffmpeg -qscale:v 2` does."""
    context = av.CodecContext.create("mjpeg", "w")
    context.height, context.width = frame.shape[:2]
    context.pix_fmt, context.time_base = "yuvj420p", Fraction(1, 25)
    context.qmin = context.qmax = 2
    picture = av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(format="yuvj420p")
    return b"".join(bytes(p) for p in [*context.encode(picture), *context.encode(None)])


def _av_jpeg(data: bytes) -> np.ndarray:
    context = av.CodecContext.create("mjpeg", "r")
    context.thread_count = 1
    pictures = [*context.decode(av.Packet(data)), *context.decode(None)]
    return pictures[0].to_ndarray(format="rgb24")


def _stream(gop: int, crf: int):
    """Return a coder of all frames as one H.264 stream with a key frame every `gop`."""

    def encode(frames: Frames) -> list[bytes]:
        file = io.BytesIO()
        with av.open(file, "w", format="mp4") as container:
            options = {"crf": str(crf), "g": str(gop), "preset": "medium", "bf": "0"}
            stream = container.add_stream("libx264", rate=25, options=options)
            stream.height, stream.width = frames.shape[1:3]
            stream.pix_fmt, stream.codec_context.thread_count = "yuv420p", 1
            for frame in frames:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            container.mux(stream.encode(None))
        return [file.getvalue()]

    def decode(parts: list[bytes], chosen: list[int]) -> list[np.ndarray]:
        found = {}
        with av.open(io.BytesIO(parts[0])) as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            step = int(1 / (stream.average_rate * stream.time_base))
            wanted, at = sorted(set(chosen)), -1
            for index in wanted:
                if at < 0 or index // gop != at // gop or index < at:
                    container.seek(index * step, stream=stream)
                    pictures = container.decode(stream)
                for picture in pictures:
                    at = picture.pts // step
                    if at == index:
                        found[index] = picture.to_ndarray(format="rgb24")
                        break
        return [found[index] for index in chosen]

    return encode, decode


def _jpeg(quality: int, colours: str, decode=_torch, **options):
    return _each(_pillow("JPEG", quality=quality, subsampling=colours, **options), decode)


FORMATS = [
    Format("raw", *_each(lambda frame: frame.tobytes(), lambda data: data)),
    Format("JPEG 85 4:2:0", *_jpeg(85, "4:2:0")),
    Format("JPEG 90 4:2:0", *_jpeg(90, "4:2:0")),
    Format("JPEG 95 4:2:0", *_jpeg(95, "4:2:0")),
    Format("JPEG 95 4:4:4", *_jpeg(95, "4:4:4")),
    Format("JPEG 95 4:2:0, optimised", *_jpeg(95, "4:2:0", optimize=True)),
    Format("JPEG 95 4:2:0, Pillow decodes", *_jpeg(95, "4:2:0", _open)),
    Format("JPEG 95 4:2:0, PyAV decodes", *_jpeg(95, "4:2:0", _av_jpeg)),
    Format("JPEG qscale 2 (released)", *_each(_mjpeg, _torch)),
    Format("WebP 95", *_each(_pillow("WEBP", quality=95), _open)),
    Format("WebP without loss", *_each(_pillow("WEBP", lossless=True, method=0), _open)),
    Format("PNG", *_each(_pillow("PNG", compress_level=1), _open)),
    Format("H.264 crf 12, key frames only", *_stream(1, 12)),
    Format("H.264 crf 12, key frame of 8", *_stream(8, 12)),
]


def load(paths: list[Path], fps: float, side: int) -> tuple[list[Frames], list[Frames]]:
    """Return the clips' frames on the recipe's grid: as decoded, and scaled as released.

    An odd row or column is cut off, since H.264 has none.
    """
    decoded, scaled = [], []
    for path in paths:
        facts = probe_file(path)
        grid = SamplingRecipe(None, fps).source_frames(facts.num_frames, facts.fps)
        frames = decode_frames(path, read_timeline(path), grid).frames
        decoded.append(frames)
        fitted = np.stack([fit_short_side(frame, side) for frame in frames])
        height, width = (length - length % 2 for length in fitted.shape[1:3])
        scaled.append(np.ascontiguousarray(fitted[:, :height, :width]))
    return decoded, scaled


def at_224(frames) -> Frames:
    """Stack frames as the test transform makes them."""
    return centre_crop(resize_short_side(np.stack(list(frames)), 224), 224)


def spaced(length: int) -> list[int]:
    """Return FrameExit's ten positions."""
    return [min(length - 1, int(i)) for i in np.linspace(0, length, 10)]


class Reader:
    """Reads ten frames of random videos, and remembers how fast it was at best."""

    def __init__(self, form: Format, videos: list[Frames]) -> None:
        start = time.process_time()
        self.stored = [form.encode(frames) for frames in videos]
        self.num_frames = sum(map(len, videos))
        self.built = self.num_frames / (time.process_time() - start)
        self.num_bytes = sum(len(part) for parts in self.stored for part in parts)
        self.form, self._shapes = form, [frames.shape for frames in videos]
        self.per_cpu_second, self.per_second = 0.0, defaultdict(float)

    def read(self, number: int) -> Frames:
        """Return ten frames of a video at 224."""
        shape = self._shapes[number]
        frames = self.form.decode(self.stored[number], spaced(shape[0]))
        if self.form.name == "raw":
            frames = [np.frombuffer(data, np.uint8).reshape(shape[1:]) for data in frames]
        return at_224(frames)

    def measure(self, threads: int, num_videos: int, seed: int) -> None:
        """Read some videos once more."""
        order = np.random.default_rng(seed).integers(len(self.stored), size=num_videos).tolist()
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            wall, cpu = time.perf_counter(), time.process_time()
            for _ in pool.map(self.read, order):
                pass
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        self.per_second[threads] = max(self.per_second[threads], 10 * num_videos / wall)
        if threads == 1:
            self.per_cpu_second = max(self.per_cpu_second, 10 * num_videos / cpu)


def distance(frames: Frames, others: Frames, backbone: Backbone) -> str:
    """Say how far frames, and their features, are from others."""
    difference = frames.astype(np.float32) - others
    power = (difference**2).mean()
    decibel = 10 * np.log10(255**2 / power) if power else np.inf
    with torch.inference_mode():
        own, other = (
            torch.cat([backbone(part) for part in torch.from_numpy(pixels).split(32)])
            for pixels in (frames, others)
        )
    moved = ((own - other).norm(dim=1) / other.norm(dim=1)).mean()
    return f"{np.abs(difference).mean():6.2f} {decibel:6.1f} {100 * moved:6.1f} %"


def compare(paths: list[Path], side: int, fps: float, args, backbone: Backbone) -> None:
    """Print the table of one recipe."""
    decoded, videos = load(paths, fps, side)
    readers = [Reader(form, videos) for form in FORMATS]
    threads = len(os.sched_getaffinity(0))
    for seed in range(args.repeats):
        for number in (1, threads):
            for reader in readers:  # in turn, so that what else runs here disturbs all alike
                reader.measure(number, args.reads, seed)
    print(f"\nshort side {side}, {fps:g} a second: {readers[0].num_frames} frames")
    columns = ("bytes", "built/cpu s", "read/cpu s", "read/s x1", f"read/s x{threads}")
    print("".join(f"{name:>12}" for name in columns), "  error   PSNR  features  format")
    pixels = np.concatenate([readers[0].read(i) for i in range(len(videos))])
    for reader in readers:
        mine = np.concatenate([reader.read(i) for i in range(len(videos))])
        numbers = (reader.num_bytes / reader.num_frames, reader.built, reader.per_cpu_second)
        numbers += (reader.per_second[1], reader.per_second[threads])
        row = "".join(f"{value:12.0f}" for value in numbers)
        print(row, distance(mine, pixels, backbone), "", reader.form.name, flush=True)
    unscaled, scaled = (
        np.concatenate(
            [at_224(prepare(frames[i], recipe) for i in spaced(len(frames))) for frames in decoded]
        )
        for recipe in (
            SamplingRecipe(None, fps, side),
            SamplingRecipe(None, fps, side, scaling="fit"),
        )
    )
    print(f"{'':60} {distance(unscaled, scaled, backbone)}  raw, never enlarged")


def main() -> None:
    """Print a table for each recipe."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder below which clips lie")
    parser.add_argument("--clips", type=int, default=24)
    parser.add_argument("--reads", type=int, default=24, help="videos that are read in a round")
    parser.add_argument("--repeats", type=int, default=5, help="rounds; the best counts")
    args = parser.parse_args()
    paths = sorted([*args.root.rglob("*.mp4"), *args.root.rglob("*.avi")])
    paths = paths[:: max(1, len(paths) // args.clips)][: args.clips]
    weights = NetworkConfig(network="tf_efficientnet_lite0", weights="package")
    backbone = build_backbone(weights, Path(), 0).eval()
    for side, fps in ((350, 1.0), (256, 5.0)):
        compare(paths, side, fps, args, backbone)


if __name__ == "__main__":
    main()
