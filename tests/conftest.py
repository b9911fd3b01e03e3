"""What tests of several packages share: method folders written from strings, videos in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmark.cost.meter import Meter
from benchmark.methods import MethodFolder, discover
from benchmark.seeds import video_keys
from benchmark.videos import Videos

ROOT = Path(__file__).parent.parent
MACS_PER_FRAME = 1_000_003


class MemoryFeatures:
    """Features held in memory; the backbone's cost is a number that nothing else divides by."""

    def __init__(self, features: Tensor) -> None:
        self.table, self.num_features = features, features.shape[-1]

    def features(
        self, videos: Tensor, positions: Tensor, meter: Meter | None, rows: Tensor
    ) -> Tensor:
        if meter is not None:
            meter.add("backbone", rows, MACS_PER_FRAME * positions.shape[1])
        return self.table[videos[:, None], positions]


@dataclass(frozen=True)
class MemoryVideos:
    """N videos of L frames each.

    Attributes:
        features: `[N, L, D]`.
        targets: `[N]` or `[N, C]`.
    """

    features: Tensor
    targets: Tensor | None = None
    seed: int = 11

    @property
    def ids(self) -> list[str]:
        return [f"video{number}" for number in range(len(self.features))]

    def batch(self, rows: Sequence[int] | None = None, meter: Meter | None = None) -> Videos:
        """Return some of the videos as a method sees them."""
        chosen = np.arange(len(self.features)) if rows is None else np.asarray(rows)
        indices = torch.from_numpy(chosen)
        return Videos(
            MemoryFeatures(self.features),
            indices,
            video_keys(self.ids)[chosen],
            np.full(len(chosen), self.features.shape[1]),
            self.seed,
            targets=None if self.targets is None else self.targets[indices],
            meter=meter,
        )


@pytest.fixture
def memory_videos() -> Callable[..., MemoryVideos]:
    """Return a function that makes videos with random features, and labels."""

    def make(
        num: int = 24, length: int = 21, num_features: int = 6, num_classes: int = 5, *, multi=False
    ) -> MemoryVideos:
        draw = torch.Generator().manual_seed(num)
        features = torch.randn(num, length, num_features, generator=draw)
        targets = torch.randint(num_classes, (num,), generator=draw)
        hot = torch.nn.functional.one_hot(targets, num_classes).float()
        return MemoryVideos(features, hot if multi else targets)

    return make


@pytest.fixture(scope="session")
def methods() -> dict[str, MethodFolder]:
    """Return the repository's methods by name."""
    return discover([ROOT / "methods"])


@pytest.fixture
def write_method(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a method's folder and returns the folder of methods."""

    def write(name: str, manifest: str, code: str = "", root: str = "mine") -> Path:
        folder = tmp_path / root / name
        folder.mkdir(parents=True)
        (folder / "method.yaml").write_text(manifest)
        (folder / "method.py").write_text(code)
        return folder.parent

    return write
