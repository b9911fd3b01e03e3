"""Tables 1 to 6, as texts and on the terminal: pure functions of the result files of a profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields

from benchmark.config.profile import Config
from benchmark.errors import BenchmarkError
from benchmark.evaluation.result import Counts
from benchmark.experiment.layout import Layout, RunKey
from benchmark.experiment.paper import Published, load_paper
from benchmark.experiment.plan import Plan
from benchmark.experiment.shown_runs import shown_keys
from benchmark.methods.discovery import MethodFolder
from benchmark.reporting.made import Made, Work
from benchmark.reporting.tables.formats import Value, to_csv, to_latex, to_markdown, to_terminal
from benchmark.reporting.tables.measurements import Difference, Measurement
from benchmark.reporting.tables.rows import TableRow, collect
from benchmark.reporting.tables.wide import widen

__all__ = ["flat", "make", "print_table", "runs_behind", "table_texts"]


def make(plan: Plan, name: str, work: Work) -> Made:
    """Make `<table>.csv`, `.md` and `.tex`.

    The csv is tidy: one line for each row and role, in full precision, with percent, points and
    GFLOPs named in the header. The others are one line a row, for people.

    Raises:
        BenchmarkError: if two variants claim a row, or a result cannot be read.
    """
    del work
    texts = table_texts(plan.config, plan.methods, name)
    return Made({f"tables/{file}": text for file, text in texts.items()})


def runs_behind(plan: Plan, name: str) -> list[RunKey]:
    """Return the runs of the table's rows."""
    return shown_keys(plan.config, plan.methods, name, plan.paper.tables[name].roles)


def table_texts(config: Config, methods: Mapping[str, MethodFolder], table: str) -> dict[str, str]:
    """Return the text of each of a table's files, by its name."""
    spec = load_paper().tables[table]
    rows = collect(config, methods, spec)
    wide = widen(config, spec, rows)
    return {
        f"{table}.csv": to_csv([flat(row) for row in rows]),
        f"{table}.md": to_markdown(wide),
        f"{table}.tex": to_latex(wide),
    }


def print_table(config: Config, methods: Mapping[str, MethodFolder], table: str) -> None:
    """Print a table for a terminal of 120 columns, with the results that are there.

    Raises:
        BenchmarkError: if there is none at all.
    """
    runs = Layout.of(config).runs
    if not any(runs.glob("*/*/*/seed*/result.json")):
        fix = f"run: snakemake --cores 2 --config profile={config.profile}"
        raise BenchmarkError("there are no results yet", where=runs, fix=fix)
    spec = load_paper().tables[table]
    print(to_terminal(widen(config, spec, collect(config, methods, spec))), end="")


def flat(row: TableRow) -> dict[str, Value]:
    """Return a row's numbers under the names of the csv's columns, empty where there is none."""
    named = ("table", "row", "label", "kind", "group", "role", "dataset", "metric", "status")
    measured = _values(Measurement, row.measured)
    counts = row.measured.counts.model_dump() if row.measured else {}
    published = row.published.model_dump() if row.published else {}
    return {
        **{name: getattr(row, name) for name in named},
        **{k: v for k, v in measured.items() if k not in ("counts", "labels")},
        **{f"num_{name}": counts.get(name) for name in Counts.model_fields},
        **{f"difference_{k}": v for k, v in _values(Difference, row.difference).items()},
        **{f"paper_{name}": published.get(name) for name in Published.model_fields},
        "labels": "; ".join(row.measured.labels) if row.measured else "",
    }


def _values(kind: type[Measurement] | type[Difference], found: object) -> dict[str, Value]:
    if found is None:
        return {field.name: None for field in fields(kind)}
    assert isinstance(found, Measurement | Difference)
    return asdict(found)
