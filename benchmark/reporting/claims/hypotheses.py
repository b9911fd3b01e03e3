"""Hypotheses of several parts, and the tests of them.

That all parts hold is shown where every one is (an intersection-union test), and refuted where one
is refuted, at a level divided by their number. That any part holds is the mirror image.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from benchmark.reporting.claims.quantities import Quantity
from benchmark.reporting.claims.sample_size import Vary, needed

__all__ = [
    "AllOf",
    "AnyOf",
    "Comparison",
    "Hypothesis",
    "Side",
    "Unit",
    "comparisons",
    "decisive",
    "holds",
    "number_needed",
    "p_value",
]

Side = Literal["for", "against"]
Unit = Literal["points", "factor", "points a step", "correlation"]


@dataclass(frozen=True, eq=False)
class Comparison:
    """One number against its bound.

    Attributes:
        text: what is compared.
        unit: how it is read; a factor is held as its logarithm, a correlation as its artanh.
        quantity: what was measured.
        bound: in the same form.
        above: whether the claim puts the number above the bound, or below.
        runs: 'dataset/method/variant' of all that it reads.
    """

    text: str
    unit: Unit
    quantity: Quantity
    bound: float
    above: bool
    runs: tuple[str, ...]

    @property
    def distance(self) -> float:
        """From the bound, positive on the claim's side."""
        return (self.quantity.mean - self.bound) * (1 if self.above else -1)

    def p(self, side: Side) -> float:
        """Return the one-sided p-value for or against the claim."""
        above = self.above == (side == "for")
        return self.quantity.p_above(self.bound) if above else self.quantity.p_below(self.bound)

    def natural(self, value: float) -> float:
        """Return a value as it is read."""
        if self.unit == "factor":
            return math.exp(value)
        return math.tanh(value) if self.unit == "correlation" else value


@dataclass(frozen=True)
class AllOf:
    """Holds where all parts do."""

    parts: tuple[Hypothesis, ...]


@dataclass(frozen=True)
class AnyOf:
    """Holds where one part does."""

    parts: tuple[Hypothesis, ...]


Hypothesis = Comparison | AllOf | AnyOf


def p_value(hypothesis: Hypothesis, side: Side) -> float:
    """Return the one-sided p-value for or against a hypothesis."""
    if isinstance(hypothesis, Comparison):
        return hypothesis.p(side)
    found = [p_value(part, side) for part in hypothesis.parts]
    if _takes_every_part(hypothesis, side):
        return max(found)
    return min(1.0, len(found) * min(found))


def decisive(hypothesis: Hypothesis, side: Side) -> Comparison:
    """Return the comparison that the p-value comes from."""
    if isinstance(hypothesis, Comparison):
        return hypothesis

    def p(part: Hypothesis) -> float:
        return p_value(part, side)

    choose: Callable[..., Hypothesis] = max if _takes_every_part(hypothesis, side) else min
    return decisive(choose(hypothesis.parts, key=p), side)


def holds(hypothesis: Hypothesis) -> bool:
    """Say whether the measured numbers, taken for the truth, are as the claim says."""
    if isinstance(hypothesis, Comparison):
        return hypothesis.distance > 0
    found = [holds(part) for part in hypothesis.parts]
    return all(found) if isinstance(hypothesis, AllOf) else any(found)


def comparisons(hypothesis: Hypothesis) -> list[Comparison]:
    """Return all comparisons of a hypothesis."""
    if isinstance(hypothesis, Comparison):
        return [hypothesis]
    return [found for part in hypothesis.parts for found in comparisons(part)]


def number_needed(
    hypothesis: Hypothesis, side: Side, level: float, power: float, vary: Vary
) -> float:
    """Return how many videos, or seeds, would decide for or against; infinite if none would.

    Args:
        hypothesis: what is to be decided.
        side: where the measured numbers lie.
        level: of the one-sided test.
        power: of it, were the truth as measured.
        vary: what to have more of.
    """
    if isinstance(hypothesis, Comparison):
        distance = hypothesis.distance * (1 if side == "for" else -1)
        return needed(hypothesis.quantity.parts, distance, level, power, vary)
    parts: Sequence[Hypothesis] = hypothesis.parts
    if _takes_every_part(hypothesis, side):  # so that all of them together have the power
        power = 1 - (1 - power) / len(parts)
        return max(number_needed(part, side, level, power, vary) for part in parts)
    level = level / len(parts)
    return min(number_needed(part, side, level, power, vary) for part in parts)


def _takes_every_part(hypothesis: AllOf | AnyOf, side: Side) -> bool:
    return isinstance(hypothesis, AllOf) == (side == "for")
