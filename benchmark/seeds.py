"""Randomness that depends on names only, never on order, batch or machine.

Every seed derives from what it is for (dataset, method, params, seed, stage), so adding a method
changes no other method's numbers. Random choices about a video derive from the video's id, so
a video gets the same draw alone and in any batch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["derive_seed", "uniform_per_video", "video_keys"]


def derive_seed(*parts: object) -> int:
    """Return a 63-bit seed that depends on all parts and on their order."""
    text = "\x1f".join(map(str, parts))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def video_keys(video_ids: Sequence[str]) -> npt.NDArray[np.uint64]:
    """Return one 64-bit key a video, from its id alone: `[N]`."""
    return np.array([derive_seed("video", video) for video in video_ids], dtype=np.uint64)


def uniform_per_video(
    keys: npt.NDArray[np.uint64], seed: int, count: int
) -> npt.NDArray[np.float64]:
    """Draw `count` numbers in [0, 1) for each video: `[N, count]`.

    The counter-based SplitMix64 mixer (Steele, Lea, Flood, OOPSLA 2014) makes each number a
    function of (video, seed, index), which no batch composition can change.

    Args:
        keys: `[N]`, from `video_keys`.
        seed: names the purpose, from `derive_seed`.
        count: numbers for each video.
    """
    with np.errstate(over="ignore"):
        step = np.uint64(0x9E3779B97F4A7C15)
        counter = np.arange(1, count + 1, dtype=np.uint64) * step
        state = (keys[:, None] ^ np.uint64(seed)) * np.uint64(0xD1342543DE82EF95) + counter[None]
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state ^= state >> np.uint64(31)
    numbers: npt.NDArray[np.float64] = (state >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return numbers
