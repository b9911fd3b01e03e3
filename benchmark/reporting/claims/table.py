"""The table of claims: a pure function of the runs of a profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmark.config.profile import Config
from benchmark.experiment.layout import RunKey
from benchmark.experiment.plan import Plan
from benchmark.methods.discovery import MethodFolder
from benchmark.reporting.claims.claim import Claim, Evidence
from benchmark.reporting.claims.claims_1_to_6 import CLAIMS_1_TO_6
from benchmark.reporting.claims.claims_7_to_12 import CLAIMS_7_TO_12
from benchmark.reporting.claims.hypotheses import comparisons
from benchmark.reporting.claims.samples import ClaimRuns, NotApplicableError, row_keys
from benchmark.reporting.claims.texts import caption, comparison_cells, verdict_cells
from benchmark.reporting.claims.verdicts import Verdict, judge
from benchmark.reporting.made import Made, Work
from benchmark.reporting.tables.formats import Value, to_csv, to_list

__all__ = ["CLAIMS", "Judged", "claims_texts", "judge_claims", "make", "runs_behind"]

CLAIMS = (*CLAIMS_1_TO_6, *CLAIMS_7_TO_12)


@dataclass(frozen=True)
class Judged:
    """A claim and what became of it: a verdict, or the reason why there is none."""

    claim: Claim
    evidence: Evidence | None
    verdict: Verdict | None
    reason: str


def make(plan: Plan, name: str, work: Work) -> Made:
    """Make `claims.csv` and `claims.md`.

    The csv has a line for each comparison, with its claim's verdict; a claim that cannot be tested
    has one line. The markdown has a line for each claim, and the comparisons below.

    Raises:
        BenchmarkError: if a file of a measured run cannot be read.
    """
    del name, work
    texts = claims_texts(plan.config, plan.methods)
    return Made({f"tables/{file}": text for file, text in texts.items()})


def runs_behind(plan: Plan, name: str) -> list[RunKey]:
    """Return the runs that the claims are tested on."""
    del name
    keys: set[RunKey] = set()
    for claim in CLAIMS:
        keys |= row_keys(plan.config, plan.methods, claim.rows, claim.roles)
    return sorted(keys)


def claims_texts(config: Config, methods: Mapping[str, MethodFolder]) -> dict[str, str]:
    """Return the text of both files, by name."""
    judged = judge_claims(config, methods)
    num_tested = sum(found.verdict is not None for found in judged)
    lines = [
        {
            "claim": str(found.claim.number),
            "the paper says": found.claim.sentence,
            "tested": found.claim.hypothesis,
            **verdict_cells(found.verdict, found.reason, _remarks(found)),
        }
        for found in judged
    ]
    details = [
        {"claim": str(found.claim.number), **comparison_cells(comparison)}
        for found in judged
        if found.evidence
        for comparison in comparisons(found.evidence.hypothesis)
    ]
    markdown = [
        to_list("### The paper's claims", lines, decimals=4),
        f"{caption(config, num_tested)}\n",
        to_list("#### All comparisons", details, decimals=4),
    ]
    return {
        "claims.csv": to_csv([record for found in judged for record in _records(found)]),
        "claims.md": "\n".join(markdown),
    }


def judge_claims(config: Config, methods: Mapping[str, MethodFolder]) -> list[Judged]:
    """Test all claims together.

    Raises:
        BenchmarkError: if a file of a measured run cannot be read.
    """
    runs = ClaimRuns(config, methods)
    found: dict[int, Evidence] = {}
    reasons: dict[int, str] = {}
    for claim in CLAIMS:
        try:
            found[claim.number] = claim.evidence(runs)
        except NotApplicableError as reason:
            reasons[claim.number] = " ".join(str(reason).split())
    verdicts = judge({str(number): evidence.hypothesis for number, evidence in found.items()})
    return [
        Judged(
            claim,
            found.get(claim.number),
            verdicts.get(str(claim.number)),
            reasons.get(claim.number, ""),
        )
        for claim in CLAIMS
    ]


def _remarks(found: Judged) -> tuple[str, ...]:
    return found.evidence.remarks if found.evidence else ()


def _records(found: Judged) -> list[dict[str, Value]]:
    claim, verdict = found.claim, found.verdict
    shared: dict[str, Value] = {
        "claim": claim.number,
        "sentence": claim.sentence,
        "hypothesis": claim.hypothesis,
        "verdict": verdict.name if verdict else "not applicable",
        "reason": found.reason or "; ".join(_remarks(found)),
        "p": verdict.p if verdict else None,
        "p_holm": verdict.p_holm if verdict else None,
        "videos_needed": _count(verdict.videos_needed) if verdict else None,
        "seeds_needed": _count(verdict.seeds_needed) if verdict else None,
        "seeds_needed_together": _count(verdict.seeds_needed_together) if verdict else None,
    }
    empty: dict[str, Value] = dict.fromkeys(_COMPARISON_COLUMNS)
    if found.evidence is None or verdict is None:
        return [{**shared, **empty}]
    records = []
    for comparison in comparisons(found.evidence.hypothesis):
        quantity, natural = comparison.quantity, comparison.natural
        low, high = map(natural, quantity.interval)
        values: tuple[Value, ...] = (
            comparison.text,
            comparison is verdict.decisive,
            comparison.unit,
            natural(quantity.mean),
            low,
            high,
            natural(comparison.bound),
            "above" if comparison.above else "below",
            comparison.p("for"),
            comparison.p("against"),
            quantity.num_videos,
            quantity.num_seeds,
            "; ".join(comparison.runs),
        )
        records.append({**shared, **dict(zip(_COMPARISON_COLUMNS, values, strict=True))})
    return records


_COMPARISON_COLUMNS = (
    "comparison",
    "decisive",
    "unit",
    "value",
    "low",
    "high",
    "bound",
    "claimed",
    "p_for",
    "p_against",
    "num_videos",
    "num_seeds",
    "runs",
)


def _count(number: float) -> int | None:
    """Return a number of videos or seeds, none where no number would do."""
    return int(number) if 0 < number < float("inf") else None
