"""Verdicts and comparisons in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from benchmark.config.profile import Config
from benchmark.reporting.claims.hypotheses import Comparison, Unit
from benchmark.reporting.claims.sample_size import POWER
from benchmark.reporting.claims.verdicts import FAMILY_LEVEL, Verdict
from benchmark.reporting.tables.formats import Value

__all__ = ["caption", "comparison_cells", "verdict_cells"]

_UNITS: dict[Unit, str] = {
    "points": " points",
    "factor": " times",
    "points a step": " points a step",
    "correlation": "",
}
_SMALLEST_P = 1e-4


def verdict_cells(verdict: Verdict | None, reason: str, remarks: Sequence[str]) -> dict[str, Value]:
    """Return a claim's cells: the verdict, what decided it, its p-values and the sizes."""
    said = f" ({'; '.join(remarks)})" if remarks else ""
    if verdict is None:
        cells: tuple[Value, ...] = (f"**not applicable here**: {reason}", "", "", "", "")
    else:
        decisive, quantity = verdict.decisive, verdict.decisive.quantity
        cells = (
            f"**{verdict.name}**{_what_would_decide(verdict)}{said}",
            f"{decisive.text}: {_measured(decisive)}; claimed {_claimed(decisive)}",
            _p(verdict.p),
            _p(verdict.p_holm),
            f"{quantity.num_videos:,} × {quantity.num_seeds}",
        )
    names = ("verdict", "decisive comparison", "p", "p (Holm)", "videos × seeds")
    return dict(zip(names, cells, strict=True))


def comparison_cells(comparison: Comparison) -> dict[str, Value]:
    """Return a comparison's cells."""
    return {
        "comparison": comparison.text,
        "measured [95 % interval]": _measured(comparison),
        "claimed": _claimed(comparison),
        "p for": _p(comparison.p("for")),
        "p against": _p(comparison.p("against")),
        "videos × seeds": f"{comparison.quantity.num_videos:,} × {comparison.quantity.num_seeds}",
    }


def caption(config: Config, num_tested: int) -> str:
    """Return what a reader of the table must know."""
    num_seeds = len(config.seeds)
    over = "videos and seeds" if num_seeds > 1 else "videos, of this one seed and no other"
    points = [
        f"Data: {config.description.strip().rstrip('.')}; backbone {config.backbone.network}.",
        "All bounds come from the paper's numbers and were fixed before any result was seen.",
        f"Intervals and p-values are over {over}: the variance over videos from the "
        f"{config.bootstrap.replicates} paired resamples of the tables, that over seeds from the "
        "seeds' own values, and a t distribution. They differ a little from the tables' intervals, "
        "which resample the few seeds.",
        "A claim of several comparisons is reproduced where all of them hold (an "
        "intersection-union test), and contradicted where one is refuted at a level divided by "
        "their number.",
        f"p is two-sided, twice the smaller of the p-values for and against; p (Holm) corrects it "
        f"for the {num_tested} claims tested. A verdict is given at {FAMILY_LEVEL:g}: "
        f"the probability of any wrong verdict, among all of them, is held to {FAMILY_LEVEL:.0%}, "
        "about: with five seeds that differ much, simulations gave up to 9 %.",
        f"The numbers of videos or seeds that would decide hold for a power of {POWER:.0%}, were "
        "the truth as measured here.",
        "The decisive comparison is the one that the p-value comes from.",
    ]
    grouped = [name for name, d in config.datasets.items() if d.csv and d.csv.group]
    if grouped:
        points.append(
            f"Videos of one group ({', '.join(grouped)}) are resampled as if independent; where "
            "they are alike, intervals are too narrow."
        )
    return " ".join(points)


def _what_would_decide(verdict: Verdict) -> str:
    if verdict.name != "inconclusive":
        return ""
    quantity = verdict.decisive.quantity
    choices = []
    if math.isfinite(verdict.videos_needed):
        number = _two_digits(verdict.videos_needed)
        choices.append(f"{number:,} videos (here {quantity.num_videos:,})")
    if math.isfinite(verdict.seeds_needed):
        choices.append(f"{int(verdict.seeds_needed):,} seeds (here {quantity.num_seeds})")
    if not choices and math.isfinite(verdict.seeds_needed_together):
        seeds = int(verdict.seeds_needed_together)
        videos = _two_digits(quantity.num_videos * seeds / quantity.num_seeds)
        here = f"here {quantity.num_videos:,} with {quantity.num_seeds}"
        return f": about {videos:,} videos with {seeds:,} seeds ({here}) would decide it"
    if not choices and verdict.decisive.distance == 0:
        return ": measured exactly on its bound, so no number of videos or seeds can be named"
    if not choices:
        return ": no number of videos or seeds that could be run would decide it"
    return f": about {' or '.join(choices)} would decide it"


def _two_digits(number: float) -> int:
    """Round up to two digits."""
    scale = int(10 ** max(0, math.floor(math.log10(number)) - 1))
    return math.ceil(number / scale) * scale


def _measured(comparison: Comparison) -> str:
    low, high = comparison.quantity.interval
    value = _spelled(comparison, comparison.quantity.mean)
    ends = f"[{_spelled(comparison, low)}, {_spelled(comparison, high)}]"
    return f"{value} {ends}{_UNITS[comparison.unit]}"


def _claimed(comparison: Comparison) -> str:
    side = "above" if comparison.above else "below"
    return f"{side} {comparison.natural(comparison.bound):.3g}"


def _spelled(comparison: Comparison, value: float) -> str:
    natural = comparison.natural(value)
    return f"{natural:.2f}" if comparison.unit == "factor" else f"{natural + 0.0:+.2f}"


def _p(value: float) -> str:
    return f"< {_SMALLEST_P:.4f}" if value < _SMALLEST_P else f"{value:.4f}"
