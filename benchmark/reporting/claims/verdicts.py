"""From p-values to verdicts, with the whole family of claims held to one error rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from benchmark.reporting.claims.hypotheses import (
    Comparison,
    Hypothesis,
    Side,
    decisive,
    holds,
    number_needed,
    p_value,
)
from benchmark.reporting.claims.sample_size import POWER, Vary

__all__ = ["FAMILY_LEVEL", "Verdict", "VerdictName", "holm", "judge"]

FAMILY_LEVEL = 0.05
"""Probability of any wrong verdict among all claims."""

VerdictName = Literal["reproduced", "contradicted", "inconclusive"]


@dataclass(frozen=True, eq=False)
class Verdict:
    """What the runs say of one claim.

    Attributes:
        name: the verdict.
        p: two-sided: twice the smaller of the p-values for and against.
        p_holm: the same, corrected for the number of claims.
        decisive: the comparison that decided, or that is the farthest from it.
        videos_needed: that would decide; infinite if no number would, 0 once it is decided.
        seeds_needed: likewise.
        seeds_needed_together: likewise, where videos grow in the same proportion.
    """

    name: VerdictName
    p: float
    p_holm: float
    decisive: Comparison
    videos_needed: float = 0
    seeds_needed: float = 0
    seeds_needed_together: float = 0


def judge(family: Mapping[str, Hypothesis]) -> dict[str, Verdict]:
    """Return the verdict of each claim of a family.

    A claim is called reproduced or contradicted where Holm's procedure rejects that its parts lie
    on their bounds, in the direction that the smaller p-value names.
    """
    sides = {name: _sides(hypothesis) for name, hypothesis in family.items()}
    two_sided = [min(1.0, 2 * min(ps.values())) for ps in sides.values()]
    adjusted = holm(two_sided)
    return {
        name: _verdict(family[name], sides[name], p, p_holm, len(family))
        for name, p, p_holm in zip(family, two_sided, adjusted, strict=True)
    }


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number (Holm, Scand. J. Statist. 6, 1979)."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted, so_far = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        so_far = max(so_far, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = so_far
    return adjusted


def _sides(hypothesis: Hypothesis) -> dict[Side, float]:
    return {"for": p_value(hypothesis, "for"), "against": p_value(hypothesis, "against")}


def _verdict(
    hypothesis: Hypothesis, sides: Mapping[Side, float], p: float, p_holm: float, num_claims: int
) -> Verdict:
    if p_holm <= FAMILY_LEVEL:
        side: Side = "for" if sides["for"] < sides["against"] else "against"
        name: VerdictName = "reproduced" if side == "for" else "contradicted"
        return Verdict(name, p, p_holm, decisive(hypothesis, side))
    side = "for" if holds(hypothesis) else "against"
    # The strictest level that the claim may meet in Holm's procedure.
    level = FAMILY_LEVEL / (2 * num_claims)
    varied: tuple[Vary, ...] = ("videos", "seeds", "both")
    numbers = [number_needed(hypothesis, side, level, POWER, vary) for vary in varied]
    return Verdict("inconclusive", p, p_holm, decisive(hypothesis, side), *numbers)
