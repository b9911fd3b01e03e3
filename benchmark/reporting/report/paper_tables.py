"""Tables 1 to 6 for the report: a table for each dataset, its numbers leading to their runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmark.experiment.paper import TableSpec
from benchmark.experiment.plan import Plan
from benchmark.experiment.rows_of_tables import owners_of_rows
from benchmark.reporting.report.html_table import Cell, HtmlTable, with_orders
from benchmark.reporting.report.run_list import anchor
from benchmark.reporting.tables.rows import TableRow
from benchmark.reporting.tables.wide import MEASURED_COLUMNS, PAPER_COLUMNS, Part, widen

__all__ = ["PaperTable", "paper_table"]


@dataclass(frozen=True)
class PaperTable:
    """A table of the paper.

    Attributes:
        name: 'table1'.
        title: number and title.
        parts: heading and table, by dataset.
        caption: sentences.
    """

    name: str
    title: str
    parts: tuple[tuple[str, HtmlTable], ...]
    caption: str


def paper_table(plan: Plan, spec: TableSpec, rows: Sequence[TableRow]) -> PaperTable:
    """Return a table as the report shows it.

    Args:
        plan: the profile's.
        spec: the table.
        rows: all its rows, as collected from the results.
    """
    owners = owners_of_rows(plan.methods, spec.id)
    wide = widen(plan.config, spec, rows)
    parts = []
    for place, role in enumerate(spec.roles):
        of_role = [row for row in rows if row.role == role]
        heads = ("row", "group", wide.metrics[place], *MEASURED_COLUMNS, *PAPER_COLUMNS)
        lines = tuple(
            (Cell(line.label), Cell(line.section), *_cells(line.parts[place], row, owners))
            for line, row in zip(wide.lines, of_role, strict=True)
        )
        parts.append((wide.roles[place], with_orders(HtmlTable(heads, lines))))
    return PaperTable(spec.id, wide.title, tuple(parts), " ".join(wide.caption))


def _cells(part: Part, row: TableRow, owners: Mapping[str, tuple[str, str]]) -> tuple[Cell, ...]:
    ours = part.measured or (row.status, *[""] * len(MEASURED_COLUMNS))
    runs = row.dataset and row.kind != "published"
    link = f"#{anchor(row.dataset, *owners[row.row])}" if runs else ""
    metric, difference, gflops, *rest = (Cell(text) for text in ours)
    measured = (Cell(metric.content, link), difference, Cell(gflops.content, link), *rest)
    return (*measured, *(Cell(text) for text in part.paper))
