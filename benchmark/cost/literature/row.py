"""One line of the re-derived literature, and how its verdict is found."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["AGREES_WITHIN", "LiteratureRow", "agrees"]

AGREES_WITHIN = 0.02
"""Share of our number: counters differ by as much in what they make of norms and pooling."""


def agrees(published: float, ours: float) -> bool:
    """Say whether a published cost is ours but for rounding and small operations."""
    return abs(published / ours - 1) <= AGREES_WITHIN


@dataclass(frozen=True)
class LiteratureRow:
    """A published cost beside ours.

    Attributes:
        what: method or part, with its input.
        source: where the published number stands.
        published_gflops: as published; None where only the parts are known.
        computed_from: the parts that ours is the sum of.
        ours_macs: MACs by our rule, counted when the row is made.
        reason: why the two differ, where that is known.
        cells: of FrameExit's tables that print the number, as table/row/backbone/role.
        read_back: whether a number of frames in ours comes from the published cost itself.
    """

    what: str
    source: str
    published_gflops: float | None
    computed_from: str
    ours_macs: int
    reason: str = ""
    cells: tuple[str, ...] = ()
    read_back: bool = False

    @property
    def ours_gflops(self) -> float:
        """Ours in the papers' unit, 1e9 MACs."""
        return self.ours_macs / 1e9

    @property
    def ratio(self) -> float | None:
        """Published over ours; None where nothing is published."""
        return None if self.published_gflops is None else self.published_gflops / self.ours_gflops

    @property
    def verdict(self) -> str:
        """'agrees' within 2 % of ours, else the reason."""
        if self.ratio is None:
            return self.reason or "not published"
        assert self.published_gflops is not None
        if agrees(self.published_gflops, self.ours_gflops):
            return "agrees"
        return self.reason or "differs, reason unknown"
