"""Claims, ledger and frontier as people read them, with links to the runs behind."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import replace

from benchmark.config.datasets import PAPER_DATASETS
from benchmark.experiment.plan import Plan
from benchmark.experiment.rows_of_tables import owners_of_rows
from benchmark.reporting.artefacts import artefacts_of
from benchmark.reporting.frontier.curves import exit_variants
from benchmark.reporting.report.chart import Series
from benchmark.reporting.report.html_table import Cell
from benchmark.reporting.report.markdown import Block, linked, read_markdown
from benchmark.reporting.report.run_list import anchor
from benchmark.reporting.sources import shown_file
from benchmark.reporting.tables.wide import METRIC_NAMES

__all__ = [
    "claims_document",
    "exit_series",
    "frontier_document",
    "further_documents",
    "ledger_document",
    "read_records",
]

_FURTHER = ("known_answers", "timing")


def read_records(plan: Plan, name: str) -> list[dict[str, str]]:
    """Return the lines of a table's csv."""
    path = shown_file(plan.config, f"tables/{name}.csv")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def claims_document(plan: Plan, records: Sequence[Mapping[str, str]]) -> list[Block]:
    """Return the claims; each comparison leads to the first of the runs that it reads."""
    compared = [record for record in records if record["comparison"]]

    def link(number: int, row: int, cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
        if number == 0:
            return cells
        first = compared[row]["runs"].split("; ")[0]
        return (cells[0], replace(cells[1], link=f"#{anchor(*first.split('/'))}"), *cells[2:])

    return linked(_read(plan, "claims"), link)


def ledger_document(plan: Plan, records: Sequence[Mapping[str, str]]) -> list[Block]:
    """Return the ledger; what was measured here leads to its runs."""
    datasets = {str(PAPER_DATASETS[d.role]): name for name, d in plan.config.datasets.items()}
    owners = {name: owners_of_rows(plan.methods, name) for name in plan.paper.tables}
    by_table = [[r for r in records if r["table"] == name] for name in plan.paper.tables]

    def link(number: int, row: int, cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
        record = by_table[number][row]
        if not record["here"]:
            return cells
        names = owners[record["table"]][record["row"]]
        return (
            *cells[:-1],
            replace(cells[-1], link=f"#{anchor(datasets[record['dataset']], *names)}"),
        )

    return linked(_read(plan, "ledger"), link)


def frontier_document(plan: Plan) -> list[Block]:
    """Return the frontier's two tables for each dataset; methods lead to their runs."""
    labels = {
        (dataset, plan.methods[method].manifest.label): anchor(dataset, method, variant)
        for dataset, method, variant in exit_variants(plan)
    }
    blocks = _read(plan, "frontier")
    datasets = [block.heading for block in blocks if block.heading]

    def link(number: int, row: int, cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
        where = labels[datasets[number // 2], cells[0].text]
        return (replace(cells[0], link=f"#{where}"), *cells[1:])

    return linked(blocks, link)


def further_documents(plan: Plan) -> Mapping[str, list[Block]]:
    """Return what else there is, by its title."""
    layout = plan.layout
    there = [one for one in artefacts_of(plan.config) if one.name in _FURTHER]
    return {one.title: _read(plan, one.name) for one in there if one.is_there(layout)}


def exit_series(plan: Plan) -> dict[tuple[str, str], Series]:
    """Return how the frontier's methods are drawn, by dataset and method."""
    metrics = {name: METRIC_NAMES[d.metric] for name, d in plan.config.datasets.items()}
    shown = {
        (dataset, method): (plan.methods[method].manifest.variants[variant].shown_in, variant)
        for dataset, method, variant in exit_variants(plan)
    }
    return {
        (dataset, method): Series(
            rows.get("figure6", method), anchor(dataset, method, variant), metrics[dataset]
        )
        for (dataset, method), (rows, variant) in shown.items()
    }


def _read(plan: Plan, name: str) -> list[Block]:
    path = shown_file(plan.config, f"tables/{name}.md")
    return read_markdown(path.read_text(encoding="utf-8"))
