"""The table of measured time, spelled as every other table, and never among the MACs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from benchmark.evaluation.result import Result
from benchmark.evaluation.timing import time_runs, timed_keys
from benchmark.experiment.layout import Layout
from benchmark.experiment.plan import Plan
from benchmark.files.writing import write_text
from benchmark.reporting.sources import result_files, write_sources
from benchmark.reporting.tables.formats import to_csv, to_list

__all__ = ["TIMED_TABLES", "write_timings"]

TIMED_TABLES = ("table1", "table2")
_INTRODUCTION = (
    "**Measured time**, milliseconds a video (medians), on the machine named in each row. Exit "
    "controls run no network of their own and have no row, nor have methods without a result."
)


def write_timings(plan: Plan, folder: Path, progress: Callable[[int, int], None]) -> None:
    """Time the methods of Tables 1 and 2; write `timing.csv` and `.md`, and what they belong to."""
    config, runs = plan.config, Layout.of(plan.config).runs
    keys = [
        key
        for key in timed_keys(plan, TIMED_TABLES)
        if Result.load(key.folder(runs) / "result.json").status == "ok"
    ]
    records = [asdict(timing) for timing in time_runs(plan, keys, progress)]
    write_text(folder / "timing.csv", to_csv(records))
    write_text(folder / "timing.md", to_list(_INTRODUCTION, records, decimals=2))
    write_sources(config, folder, "timing", result_files(config, keys))
