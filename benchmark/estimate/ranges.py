"""Numbers that are not known exactly: a low and a high bound that go through all arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ZERO", "Range", "exactly"]


@dataclass(frozen=True)
class Range:
    """A number of 0 or more between two bounds.

    Sums and products bound the result whatever the parts have in common.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        assert 0 <= self.low <= self.high, f"{self.low} to {self.high}"

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.high + other.high)

    def __mul__(self, other: Range | float) -> Range:
        by = other if isinstance(other, Range) else exactly(other)
        return Range(self.low * by.low, self.high * by.high)

    def __truediv__(self, other: Range | float) -> Range:
        by = other if isinstance(other, Range) else exactly(other)
        return Range(self.low / by.high, self.high / by.low)


def exactly(value: float) -> Range:
    """Return a number that is known."""
    return Range(value, value)


ZERO = exactly(0.0)
