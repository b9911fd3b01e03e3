"""The Pareto front: what nothing else beats in accuracy and cost at once."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["on_front"]


def on_front(points: Sequence[tuple[float, float]]) -> list[bool]:
    """Say of each point (cost, accuracy) whether no other is as cheap and as accurate, and better.

    Of equal points all are on the front, or none.
    """
    return [not any(_beats(other, point) for other in points) for point in points]


def _beats(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one != other and one[0] <= other[0] and one[1] >= other[1]
