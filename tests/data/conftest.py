"""Videos for the tests of manifests, decoding and the frame store."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import av
import numpy as np
import pytest

from benchmark.data.manifest.build import build_from_csv
from benchmark.data.manifest.listing import Columns
from benchmark.data.manifest.manifest import Manifest
from benchmark.files.repository import REPOSITORY


class WriteVideo(Protocol):
    def __call__(
        self,
        path: Path,
        *,
        num_frames: int = 12,
        width: int = 48,
        height: int = 48,
        fps: int = 10,
        seed: int = 0,
        codec: str = "libx264",
        sound: bool = False,
        faststart: bool = False,
    ) -> Path: ...


@pytest.fixture(scope="session")
def toy_manifest() -> Callable[..., Manifest]:
    """Return a function that builds the manifest of the videos in a folder's `labels.csv`."""

    def build(root: Path, **changes) -> Manifest:
        given = {"dataset": "toy", "task": "single_label", **changes}
        columns = Columns(split="split")
        return build_from_csv(root / "labels.csv", root=root, columns=columns, **given)

    return build


@pytest.fixture(scope="session")
def write_video() -> WriteVideo:
    """Return a function that writes a moving picture, every frame another one."""

    def write(
        path,
        *,
        num_frames=12,
        width=48,
        height=48,
        fps=10,
        seed=0,
        codec="libx264",
        sound=False,
        faststart=False,
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        start = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
        options = {"movflags": "faststart"} if faststart else {}
        with av.open(str(path), "w", options=options) as container:
            stream = container.add_stream(codec, rate=fps, options={"g": "5", "bf": "2"})
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            voice = container.add_stream("aac", rate=16000, layout="mono") if sound else None
            for number in range(num_frames):
                picture = np.roll(start, 3 * number, axis=1)
                picture[:8, :8] = 20 * number % 256
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode(None))
            if voice is not None:
                samples = av.AudioFrame.from_ndarray(
                    np.zeros((1, 4096), np.float32), format="fltp", layout="mono"
                )
                samples.sample_rate = 16000
                container.mux(voice.encode(samples))
                container.mux(voice.encode(None))
        return path

    return write


@pytest.fixture(scope="session")
def clips_root() -> Path:
    """Return the folder of the real clips, or skip the test."""
    default = REPOSITORY.parent / "shared" / "data"
    root = Path(os.environ.get("CLIPS_ROOT", default))
    if not (root / "tank_wagon").is_dir():
        pytest.skip(f"no real clips in {root}: set CLIPS_ROOT")
    return root


@pytest.fixture(scope="session")
def decoded_by_pyav():
    """Return a function that decodes all frames of a file with PyAV: `[N, H, W, 3]`."""

    def decode(path: Path) -> np.ndarray:
        with av.open(str(path)) as container:
            return np.stack([f.to_ndarray(format="rgb24") for f in container.decode(video=0)])

    return decode
