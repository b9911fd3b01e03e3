"""Five sentences for a reader who reads no more, made from the results alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from benchmark.evaluation.result import Result
from benchmark.experiment.layout import RunKey
from benchmark.experiment.plan import Plan
from benchmark.reporting.figures.pareto import on_front
from benchmark.reporting.tables.rows import TableRow
from benchmark.reporting.tables.wide import METRIC_NAMES

__all__ = ["summary"]

_VERDICTS = ("reproduced", "contradicted", "inconclusive", "not applicable")


def summary(
    plan: Plan,
    results: Mapping[RunKey, Result],
    rows: Sequence[TableRow],
    claims: Sequence[Mapping[str, str]],
) -> list[str]:
    """Return the sentences.

    Args:
        plan: the profile's.
        results: by run.
        rows: of Table 1.
        claims: the lines of the claims' csv.
    """
    return [
        _what_ran(plan, results),
        _against_reference(plan, rows),
        _front(plan, rows),
        _verdicts(claims),
        _reservations(plan, results),
    ]


def _what_ran(plan: Plan, results: Mapping[RunKey, Result]) -> str:
    statuses = [result.status for result in results.values()]
    num_variants = sum(len(variants) for variants in plan.variants.values())
    broken = [f"{statuses.count(s)} {s}" for s in ("failed", "skipped", "missing") if s in statuses]
    num_missing = sum(len(plan.runs(*pair)) for pair in plan.variants) - len(results)
    if num_missing:
        broken.append(f"{num_missing} without a result")
    evaluated = {key.dataset: 0 for key in results}
    for key, result in results.items():
        evaluated[key.dataset] = max(evaluated[key.dataset], result.num_videos.evaluated)
    videos = ", ".join(f"{number:,} of {dataset}" for dataset, number in evaluated.items())
    num_methods = len({method for _, method in plan.variants})
    return (
        f"{num_methods} methods ran in {num_variants} settings with "
        f"{_count(len(plan.config.seeds), 'seed')} on the same test videos ({videos}), charged by "
        f"one rule; {statuses.count('ok'):,} runs gave numbers"
        + (f", {' and '.join(broken)}." if broken else ", none failed.")
    )


def _against_reference(plan: Plan, rows: Sequence[TableRow]) -> str:
    """Say for each dataset which cheaper rows are not shown to be less accurate."""
    name = plan.paper.tables["table1"].reference
    parts = []
    for dataset, here in _measured(plan, rows).items():
        reference = next((row for row in here if row.row == name), None)
        if reference is None or reference.measured is None:
            continue
        cost = reference.measured.gflops
        cheaper = [r for r in here if r.difference and r.measured and r.measured.gflops < cost]
        as_good = [r for r in cheaper if r.difference and r.difference.high >= 0]
        best = min(as_good, key=_gflops, default=None)
        said = "each is less accurate"
        if best is not None and best.difference is not None:
            d = best.difference
            said = (
                f"{len(as_good)} {'is' if len(as_good) == 1 else 'are'} not shown to be less "
                f"accurate, the cheapest '{best.label}' at {_gflops(best):.3g} GFLOPs "
                f"({d.points:+.1f} points [{d.low:+.1f}, {d.high:+.1f}])"
            )
        parts.append(
            f"on {dataset} '{reference.label}' reaches {_spelled(reference)}, and of "
            f"{_count(len(cheaper), 'cheaper row')} {said}"
        )
    if not parts:
        return "The row that Table 1 compares with has no number here."
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _front(plan: Plan, rows: Sequence[TableRow]) -> str:
    """Name the rows that no other beats in both accuracy and cost."""
    parts = []
    for dataset, here in _measured(plan, rows).items():
        are_best = on_front([(_gflops(row), _percent(row)) for row in here])
        front = [row for row, is_best in zip(here, are_best, strict=True) if is_best]
        names = [f"{row.label} ({_spelled(row)})" for row in sorted(front, key=_gflops)]
        parts.append(f"on {dataset} {', '.join(names)}")
    if not parts:
        return "Table 1 has no number here."
    return f"No other row of Table 1 is both as accurate and as cheap as {'; '.join(parts)}."


def _verdicts(claims: Sequence[Mapping[str, str]]) -> str:
    numbers: dict[str, list[str]] = defaultdict(list)
    for line in claims:
        if line["claim"] not in numbers[line["verdict"]]:
            numbers[line["verdict"]].append(line["claim"])
    total = sum(len(found) for found in numbers.values())
    parts = [
        f"{len(numbers[v])} {'is' if len(numbers[v]) == 1 else 'are'} {v} ({', '.join(numbers[v])})"
        for v in _VERDICTS
        if numbers[v]
    ]
    return f"Of the paper's {total} claims {', '.join(parts)}."


def _reservations(plan: Plan, results: Mapping[RunKey, Result]) -> str:
    each = [set(result.labels) for result in results.values() if result.status == "ok"]
    common = set.intersection(*each) if each else set()
    others = sorted(set().union(*each) - common)
    backbone = plan.config.backbone
    said = f" ({'; '.join(sorted(common))})" if common else ""
    papers = "" if plan.config.profile == "paper" else ", which are not the paper's"
    some = f"; some rows are labelled '{'; '.join(others)}'" if others else ""
    return (
        f"All of this holds for this data{said} and backbone ({backbone.network}, "
        f"{backbone.weights} weights){papers}{some}."
    )


def _measured(plan: Plan, rows: Sequence[TableRow]) -> dict[str, list[TableRow]]:
    """Return the rows with numbers by dataset, but for the bound, which reads the labels."""
    bound = plan.paper.figures["figure6"].bound
    found: dict[str, list[TableRow]] = defaultdict(list)
    for row in rows:
        if row.measured is not None and row.row != bound:
            found[row.dataset].append(row)
    return found


def _gflops(row: TableRow) -> float:
    assert row.measured is not None
    return row.measured.gflops


def _percent(row: TableRow) -> float:
    assert row.measured is not None
    return row.measured.percent


def _spelled(row: TableRow) -> str:
    return f"{_percent(row):.1f} {METRIC_NAMES[row.metric]} at {_gflops(row):.3g} GFLOPs"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
