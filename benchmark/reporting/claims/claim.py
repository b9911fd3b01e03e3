"""What one claim consists of, and the comparisons that claims are put together from."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from benchmark.config.datasets import Role
from benchmark.reporting.claims.hypotheses import Comparison, Hypothesis
from benchmark.reporting.claims.samples import ClaimRuns, NotApplicableError, Row, Sample

__all__ = ["Claim", "Evidence", "less_costly", "more_accurate"]


@dataclass(frozen=True)
class Evidence:
    """What the runs of a profile give for a claim.

    Attributes:
        hypothesis: the comparisons.
        remarks: what a reader must know of them.
    """

    hypothesis: Hypothesis
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Claim:
    """One of the paper's claims.

    Attributes:
        number: its place in the list.
        sentence: the paper's claim, in our words.
        hypothesis: what is tested, with its numbers.
        rows: all rows that it reads.
        roles: of the datasets.
        evidence: reads them.
    """

    number: int
    sentence: str
    hypothesis: str
    rows: tuple[Row, ...]
    roles: tuple[Role, ...]
    evidence: Callable[[ClaimRuns], Evidence]


def more_accurate(
    one: Sample, other: Sample, bound: float = 0.0, *, above: bool = True
) -> Comparison:
    """Compare the accuracy of two variants, in points.

    Raises:
        NotApplicableError: if they answered different videos.
    """
    _check_same_videos(one, other)
    return Comparison(
        text=f"{one.dataset}: accuracy of '{one.label}' less that of '{other.label}'",
        unit="points",
        quantity=one.accuracy - other.accuracy,
        bound=bound,
        above=above,
        runs=(one.name, other.name),
    )


def less_costly(one: Sample, other: Sample, factor: float = 1.0) -> Comparison:
    """Compare the mean MACs a video: the first must cost less by more than a factor.

    Raises:
        NotApplicableError: if they answered different videos.
    """
    _check_same_videos(one, other)
    return Comparison(
        text=f"{one.dataset}: cost of '{other.label}' over that of '{one.label}'",
        unit="factor",
        quantity=other.log_cost - one.log_cost,
        bound=math.log(factor),
        above=True,
        runs=(one.name, other.name),
    )


def _check_same_videos(one: Sample, other: Sample) -> None:
    if one.num_videos != other.num_videos:
        raise NotApplicableError(
            f"'{one.label}' answered {one.num_videos} videos of {one.dataset}, '{other.label}' "
            f"{other.num_videos}: they are not compared"
        )
