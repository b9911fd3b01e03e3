"""How many videos or seeds would decide what the present ones cannot."""

from __future__ import annotations

import math
from typing import Literal

from scipy.special import nctdtr, ndtr, ndtri, stdtrit

from benchmark.reporting.claims.quantities import Parts

__all__ = ["POWER", "Vary", "needed", "power_of"]

POWER = 0.8
"""With which the numbers that are named would decide, were the truth as it was measured."""

Vary = Literal["videos", "seeds", "both"]
_LARGEST = {"videos": 1_000_000, "seeds": 1_000, "both": 1_000}
_NEARLY_NORMAL = 200.0


def power_of(
    parts: Parts, distance: float, level: float, num_videos: float, num_seeds: float
) -> float:
    """Return how often a one-sided test decides.

    Args:
        parts: the variance here.
        distance: of the truth from the bound, positive.
        level: of the test.
        num_videos: of the experiment that is planned.
        num_seeds: likewise.
    """
    variance, freedom = parts.at(num_videos, num_seeds)
    shift = distance / math.sqrt(variance)
    if freedom > _NEARLY_NORMAL:
        return float(ndtr(shift + ndtri(level)))
    critical = -float(stdtrit(freedom, level))
    if shift > critical + 20:  # where the noncentral t loses its digits
        return 1.0
    return 1 - float(nctdtr(freedom, shift, critical))


def needed(parts: Parts, distance: float, level: float, power: float, vary: Vary) -> float:
    """Return the fewest videos, or seeds, with which a test has the power; infinite if none does.

    The other number stays what it is; with 'both', the number of seeds is returned, and videos grow
    in proportion. A single seed does not show how seeds differ, so how many of them would do is not
    known.
    """
    if distance <= 0 or (vary != "videos" and parts.num_seeds == 1):
        return math.inf

    def enough(number: int) -> bool:
        seeds = parts.num_seeds if vary == "videos" else number
        videos: float = number if vary == "videos" else parts.num_videos
        if vary == "both":
            videos *= number / parts.num_seeds
        return power_of(parts, distance, level, videos, seeds) >= power

    low = parts.num_videos if vary == "videos" else parts.num_seeds
    if enough(low):
        return low
    high = 2 * low
    while not enough(high):
        if high > _LARGEST[vary]:
            return math.inf
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
