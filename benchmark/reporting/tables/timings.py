"""The table of measured time, spelled as every other table, and never among the MACs."""

from __future__ import annotations

from dataclasses import asdict

from benchmark.evaluation.result import Result
from benchmark.evaluation.timing import time_runs, timed_keys
from benchmark.experiment.layout import RunKey
from benchmark.experiment.plan import Plan
from benchmark.reporting.made import Made, Work
from benchmark.reporting.tables.formats import to_csv, to_list

__all__ = ["make", "runs_behind"]

_TIMED_TABLES = ("table1", "table2")
_INTRODUCTION = (
    "**Measured time**, milliseconds a video (medians), on the machine named in each row. Exit "
    "controls run no network of their own and have no row, nor have methods without a result."
)


def make(plan: Plan, name: str, work: Work) -> Made:
    """Time the methods of Tables 1 and 2, and make `timing.csv` and `.md`."""
    records = [asdict(timing) for timing in time_runs(plan, runs_behind(plan, name), work.progress)]
    texts = {
        f"tables/{name}.csv": to_csv(records),
        f"tables/{name}.md": to_list(_INTRODUCTION, records, decimals=2),
    }
    return Made(texts)


def runs_behind(plan: Plan, name: str) -> list[RunKey]:
    """Return the runs that are timed: those with a number, since what has none has no time."""
    del name
    runs = plan.layout.runs
    return [
        key
        for key in timed_keys(plan, _TIMED_TABLES)
        if Result.load(key.folder(runs) / "result.json").status == "ok"
    ]
