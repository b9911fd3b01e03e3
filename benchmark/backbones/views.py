"""How a network's input is cut from stored frames: the centre, or a random place in training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from benchmark.data.frames.resize import Pixels, resize_short_side
from benchmark.data.frames.store import FrameStore
from benchmark.seeds import derive_seed, uniform_per_video, video_keys

__all__ = ["CENTRE", "CropFlip", "View"]

_MARGIN = 8 / 7  # a short side of 256 pixels for a crop of 224, as in AR-Net's training


class View(Protocol):
    """Reads frames and cuts squares from them."""

    def frames(self, store: FrameStore, video: str, positions: Sequence[int], size: int) -> Pixels:
        """Return `[K, size, size, 3]` of K stored positions, float32 where they were resized."""
        ...


@dataclass(frozen=True)
class _Centre:
    """The short side resized to the network's, and the centre cut out: the test-time view."""

    def frames(self, store: FrameStore, video: str, positions: Sequence[int], size: int) -> Pixels:
        """See `View`."""
        return np.array(store.frames(video, positions, size))


CENTRE = _Centre()


@dataclass(frozen=True)
class CropFlip:
    """A random crop and, for every second video, its mirror image: one choice a video and epoch.

    FrameExit does not state its augmentation. This is the least that the papers of the field share
    (AR-Net, `ops/dataset.py`, adds crops of several scales); all frames and all networks of a video
    see the same part of it, so that pooled features belong together.

    Attributes:
        seed: of the epoch.
    """

    seed: int

    def frames(self, store: FrameStore, video: str, positions: Sequence[int], size: int) -> Pixels:
        """See `View`."""
        drawn = uniform_per_video(video_keys([video]), derive_seed(self.seed, "crop_flip"), 3)[0]
        whole = resize_short_side(store.frames(video, positions), round(size * _MARGIN))
        height, width = whole.shape[1:3]
        top = int(drawn[0] * (height - size + 1))
        left = int(drawn[1] * (width - size + 1))
        cut = whole[:, top : top + size, left : left + size]
        return np.ascontiguousarray(cut[:, :, ::-1] if drawn[2] < 0.5 else cut)
