"""Which of a video's stored frames are candidates, and in which order they are visited.

Candidates follow FrameExit's released loader: T points from 0 to L inclusive, truncated and
clipped to L - 1, so the first and the last frame are always among them (Qualcomm-AI-research/
FrameExit, `dataset/dataset.py`). The coarse-to-fine order follows the paper's Appendix A,
Algorithm 1; the list that the authors ship for T = 10 differs from it and is kept beside it.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from benchmark.errors import BenchmarkError, did_you_mean
from benchmark.seeds import uniform_per_video

__all__ = [
    "ORDERS",
    "Order",
    "clip_positions",
    "coarse_to_fine",
    "equally_spaced",
    "visiting_order",
]

Order = Literal["coarse_to_fine", "released", "sequential", "random"]
ORDERS: tuple[Order, ...] = ("coarse_to_fine", "released", "sequential", "random")

_RELEASED_ORDER_OF_10 = (5, 0, 9, 2, 7, 4, 6, 3, 8, 1)


def equally_spaced(lengths: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    """Return `count` equally spaced positions of each video, in temporal order: `[N, count]`.

    Args:
        lengths: `[N]`, stored frames of each video.
        count: positions wanted; a video with fewer frames repeats some; one is the middle frame.
    """
    if count == 1:
        return ((lengths - 1) // 2)[:, None]
    points = np.linspace(0.0, 1.0, count)[None] * lengths[:, None]
    # A whole number that lies a rounding error below itself must not lose a frame.
    positions = np.floor(points + 1e-9).astype(np.int64)
    result: npt.NDArray[np.int64] = np.minimum(positions, lengths[:, None] - 1)
    return result


def clip_positions(
    starts: npt.NDArray[np.int64], num_frames: int, length: npt.NDArray[np.int64] | int
) -> npt.NDArray[np.int64]:
    """Return the stored positions of clips; past the video's end its last frame is repeated.

    Args:
        starts: `[...]`, first position of each clip.
        num_frames: L, of a clip.
        length: stored frames of each video, of a shape that fits `[..., L]`.

    Returns:
        `[..., L]`.
    """
    result: npt.NDArray[np.int64] = np.minimum(
        starts[..., None] + np.arange(num_frames), length - 1
    )
    return result


def coarse_to_fine(count: int) -> list[int]:
    """Return the paper's order of `count` frames: middle, first, last, then the middles of halves.

    FrameExit, Appendix A, Algorithm 1, in 0-indexed form: split 1..T into q intervals with floored
    equally spaced ends, visit the middles that are new, double q, until all are visited.
    """
    order = list(dict.fromkeys([(count + 1) // 2 - 1, 0, count - 1]))
    parts = 2
    while len(order) < count:
        ends = np.floor(np.linspace(1, count, parts + 1)).astype(int)
        middles = (ends[:-1] + ends[1:]) // 2 - 1
        order += [int(m) for m in dict.fromkeys(middles.tolist()) if m not in order]
        parts *= 2
    return order


def visiting_order(
    order: Order, count: int, keys: npt.NDArray[np.uint64], seed: int
) -> npt.NDArray[np.int64]:
    """Return the order in which each video's `count` candidates are visited: `[N, count]`.

    Args:
        order: 'coarse_to_fine', 'released' (T = 10 only), 'sequential', or 'random' (one
            permutation a video, from its key and the seed).
        count: T, the number of candidates.
        keys: `[N]`, from `benchmark.seeds.video_keys`.
        seed: used by 'random' only.

    Raises:
        BenchmarkError: for an unknown order, or 'released' with T other than 10.
    """
    if order == "random":
        permutations: npt.NDArray[np.int64] = np.argsort(
            uniform_per_video(keys, seed, count), axis=1, kind="stable"
        )
        return permutations
    if order == "released":
        if count != len(_RELEASED_ORDER_OF_10):
            raise BenchmarkError(
                f"the authors released an order for T = 10 only, not for T = {count}",
                where="params: order",
                fix="use order: coarse_to_fine, the published rule",
            )
        one = list(_RELEASED_ORDER_OF_10)
    elif order == "coarse_to_fine":
        one = coarse_to_fine(count)
    elif order == "sequential":
        one = list(range(count))
    else:
        raise BenchmarkError(
            f"unknown frame order '{order}'{did_you_mean(order, ORDERS)}", where="params: order"
        )
    return np.broadcast_to(np.array(one, dtype=np.int64), (len(keys), count))
