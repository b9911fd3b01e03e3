"""Derives every number of a finished profile again, and names the tables that are stale."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmark.errors import BenchmarkError
from benchmark.evaluation.evaluate import Evaluator
from benchmark.experiment.layout import RunKey
from benchmark.experiment.plan import Plan
from benchmark.reporting.artefacts import Artefact, artefacts_of
from benchmark.verification.data import DataChecks
from benchmark.verification.files import Hashes
from benchmark.verification.runs import RunChecks
from benchmark.verification.tables import check_artefact

__all__ = ["verify"]

_REASONS_SHOWN = 3


def verify(plan: Plan, *, quick: bool = False) -> int:
    """Check the whole chain of a finished profile and print what is found.

    Returns:
        1 if any table or figure is stale, else 0.
    """
    start, layout = time.monotonic(), plan.layout
    hashes = Hashes(layout.root)
    runs = RunChecks(plan, DataChecks(plan.config, hashes, quick=quick), hashes)
    for dataset in plan.config.datasets:
        evaluator = _evaluator(plan, dataset)
        for owner, method in plan.variants:
            if owner == dataset:
                runs.check(dataset, method, evaluator)
    counts, num_stale = Counter(runs.counts), 0
    all_artefacts = artefacts_of(plan.config)
    artefacts = [one for one in all_artefacts if not one.on_request or one.is_there(layout)]
    for artefact in artefacts:
        own, num_numbers = check_artefact(plan, artefact, hashes)
        counts["shown numbers"] += num_numbers
        reasons = [*_of_runs(plan, runs, artefact), *own]
        num_stale += bool(reasons)
        found = f"STALE: {_brief(reasons)}" if reasons else "agrees"
        print(f"{artefact.name:<14} {found}")
    for path in _left_over(plan):
        print(f"ignored: {path} belongs to no run of the plan")
    said = ", ".join(f"{number:,} {name}" for name, number in counts.items())
    print(
        f"{len(artefacts) - num_stale} of {len(artefacts)} tables and figures agree; "
        f"derived again: {said}; "
        f"hashed: {hashes.num_read:,} files of {hashes.num_bytes / 1e6:,.0f} MB; "
        f"{time.monotonic() - start:.0f} s"
    )
    return int(num_stale > 0)


def _evaluator(plan: Plan, dataset: str) -> Evaluator | None:
    """Return what works out a dataset's numbers; none where its videos cannot be read."""
    try:
        return Evaluator(plan, dataset)
    except BenchmarkError:
        return None  # said of the data


def _of_runs(plan: Plan, runs: RunChecks, artefact: Artefact) -> list[str]:
    """Return what is wrong with the runs behind an artefact, and with those that these re-read."""
    try:
        keys = artefact.maker.runs_behind(plan, artefact.name)
    except BenchmarkError:
        return []  # said of the artefact itself
    found = [fault for key in keys for fault in runs.faults[key]]
    for key in keys:
        source = plan.methods[key.method].manifest.source
        for variant in {source.variant, source.budget or source.variant} if source else ():
            assert source is not None, "there is a variant of it"
            found += runs.faults[RunKey(key.dataset, source.method, variant, key.seed)]
    return found


def _brief(reasons: Sequence[str]) -> str:
    different = [" ".join(reason.split()) for reason in dict.fromkeys(reasons)]
    more = len(different) - _REASONS_SHOWN
    return "; ".join(different[:_REASONS_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def _left_over(plan: Plan) -> Iterator[Path]:
    """Yield the folders of results that the plan does not have."""
    folder = plan.layout.runs
    known = {key.folder(folder) for pair in plan.variants for key in plan.runs(*pair)}
    for path in sorted(folder.glob("*/*/*/seed*/result.json")):
        if path.parent not in known:
            yield path
