"""Every number that the paper's tables print, beside ours: one line each, none left out.

A cost needs no training: it is counted from the paper's own networks. An accuracy is ours only
where a profile ran the paper's videos with the paper's backbone; anything else stands in a column
of its own, under its own name. A profile says `paper_dataset` of its datasets, and its results then
fill the lines that they belong to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from benchmark.config.datasets import PAPER_DATASETS, Role
from benchmark.cost.literature.frameexit import PAPER_BACKBONES
from benchmark.cost.literature.row import AGREES_WITHIN, agrees
from benchmark.cost.literature.table import LiteratureRow, literature_table
from benchmark.experiment.paper import PaperRow, Published, TableSpec, load_paper
from benchmark.reporting.ledger.runs import FilledCell, Filler, fill

__all__ = [
    "COST_AFTER_TRAINING",
    "POINTS",
    "STATUSES",
    "UNKNOWN",
    "LedgerLine",
    "Status",
    "cell_name",
    "computed_costs",
    "ledger_lines",
]

Status = Literal[
    "agrees",
    "differs",
    "account agrees",
    "account differs",
    "not run",
    "not comparable",
    "failed",
    "not implemented",
]
STATUSES: dict[Status, str] = {
    "agrees": "ours lies within the tolerance",
    "differs": "ours lies outside it, for the reason given",
    "account agrees": "a cost at the mean number of frames that the paper's own cost implies lies "
    "within the tolerance: the account is tested, not the exits",
    "account differs": "the same lies outside it, for the reason given",
    "not run": "no profile with the paper's videos and backbone has run it",
    "not comparable": "a profile with the paper's videos ran it, but not as the paper did",
    "failed": "such a profile tried, and the run failed, was skipped or did not end",
    "not implemented": "no method of the benchmark has this row",
}

POINTS = 1.0
"""Of accuracy; the paper's own runs scatter by up to 0.9 (Table 3)."""
COST_AFTER_TRAINING = 0.05
"""Share of ours, where decisions are learned: the account's share and twice Table 3's 1.5 %."""
UNKNOWN = "reason unknown"
_NOT_IN_FULL = "its networks and sizes are not published in full"


@dataclass(frozen=True)
class LedgerLine:
    """One printed number.

    Attributes:
        table: its name.
        row: of the table.
        label: of the row.
        backbone: the paper's.
        dataset: the paper's.
        quantity: 'accuracy', in percent, or 'GFLOPs', a video.
        paper: what is printed.
        paper_std: printed behind ±.
        ours: computed, or measured by a profile that may fill the line.
        difference: ours less the paper's.
        tolerance: largest absolute difference that counts as agreement.
        reason: why the status is what it is, where the status does not say all.
        ours_from: what ours was computed from, or which profile measured it.
        fills: the profile that could fill the line with a measured number; empty where none can.
        filled_by: the profile that has.
        here: what this profile measured for the same row on its own videos, no number of ours.
        here_label: what those are.
    """

    table: str
    row: str
    label: str
    backbone: str
    dataset: str
    quantity: Literal["accuracy", "GFLOPs"]
    paper: float
    paper_std: float | None
    ours: float | None
    difference: float | None
    tolerance: float
    status: Status
    reason: str
    ours_from: str
    fills: str
    filled_by: str
    here: float | None
    here_label: str


@dataclass(frozen=True)
class _Cell:
    """A row of a table on a dataset, with what is known about it."""

    spec: TableSpec
    row: PaperRow
    role: Role
    published: Published
    filled: FilledCell
    computed: LiteratureRow | None


def ledger_lines(own: Filler, others: Sequence[Filler] = ()) -> list[LedgerLine]:
    """Return a line for each number of the paper's tables, in the paper's order.

    Args:
        own: the profile that the ledger is written for.
        others: further profiles on the paper's datasets; the first that may fill a line does.

    Raises:
        BenchmarkError: if a result cannot be read.
    """
    costs = computed_costs()
    return [
        line
        for spec in load_paper().tables.values()
        for cell in _cells(spec, own, others, costs)
        for line in _lines(cell)
    ]


def computed_costs() -> dict[str, LiteratureRow]:
    """Return what was counted without training, by the cell that prints it; takes seconds."""
    return {cell: row for row in literature_table() for cell in row.cells}


def cell_name(table: str, row: PaperRow, role: Role) -> str:
    """Return the name of a row's cell: table/row/backbone/role."""
    return f"{table}/{row.id}/{row.group}/{role}"


def _cells(
    spec: TableSpec, own: Filler, others: Sequence[Filler], costs: Mapping[str, LiteratureRow]
) -> Iterator[_Cell]:
    filled = fill(spec, own, others)
    for role in spec.roles:
        for row in spec.rows:
            if published := row.published.get(role):
                computed = costs.get(cell_name(spec.id, row, role))
                its = filled[row.id, row.group, role]
                yield _Cell(spec, row, role, published, its, computed)


def _lines(cell: _Cell) -> Iterator[LedgerLine]:
    yield _line(cell, "accuracy", cell.published.percent, _accuracy(cell))
    if cell.published.gflops is not None:
        yield _line(cell, "GFLOPs", cell.published.gflops, _cost(cell, cell.published.gflops))


@dataclass(frozen=True)
class _Verdict:
    """What is said of a printed number."""

    status: Status
    reason: str
    tolerance: float
    ours: float | None = None
    ours_from: str = ""


def _accuracy(cell: _Cell) -> _Verdict:
    filled, printed = cell.filled, cell.published
    tolerance = max(POINTS, 2 * (printed.percent_std or 0.0))
    if not filled.counts:
        return _Verdict(*_without_number(filled), tolerance)
    assert filled.measured is not None
    ours = filled.measured.percent
    if abs(ours - printed.percent) <= tolerance:
        return _Verdict("agrees", "", tolerance, ours, filled.source)
    return _Verdict("differs", filled.deviations or UNKNOWN, tolerance, ours, filled.source)


def _cost(cell: _Cell, published: float) -> _Verdict:
    filled, computed = cell.filled, cell.computed
    # A cost for one clip is no cost of a run, which may see several.
    if filled.counts and not cell.published.clips:
        return _measured_cost(cell, published)
    if computed is None:
        status, reason = _without_number(filled)
        parts = ("depends on trained decisions" if filled.implemented else _NOT_IN_FULL, reason)
        return _Verdict(status, "; ".join(filter(None, parts)), COST_AFTER_TRAINING * published)
    ours, within = computed.ours_gflops, agrees(published, computed.ours_gflops)
    status = "agrees" if within else "differs"
    if computed.read_back:
        status = "account agrees" if within else "account differs"
    reason = "" if within else computed.reason or UNKNOWN
    return _Verdict(
        status, reason, AGREES_WITHIN * ours, ours, f"computed: {computed.computed_from}"
    )


def _measured_cost(cell: _Cell, published: float) -> _Verdict:
    filled, computed = cell.filled, cell.computed
    assert filled.measured is not None
    ours = filled.measured.gflops
    fixed = computed is not None and not computed.read_back
    tolerance = (AGREES_WITHIN if fixed else COST_AFTER_TRAINING) * ours
    if abs(published - ours) <= tolerance:
        return _Verdict("agrees", "", tolerance, ours, filled.source)
    known = filter(None, (computed.reason if computed else "", filled.deviations))
    return _Verdict("differs", "; ".join(known) or UNKNOWN, tolerance, ours, filled.source)


def _without_number(filled: FilledCell) -> tuple[Status, str]:
    if not filled.implemented:
        return "not implemented", ""
    if filled.failed:
        return "failed", filled.failed
    if filled.not_comparable:
        return "not comparable", filled.not_comparable
    return "not run", ""


def _line(
    cell: _Cell, quantity: Literal["accuracy", "GFLOPs"], paper: float, verdict: _Verdict
) -> LedgerLine:
    filled, is_cost = cell.filled, quantity == "GFLOPs"
    here, measured = filled.here, verdict.ours is not None and verdict.ours_from == filled.source
    network, dataset = PAPER_BACKBONES[cell.row.group].title, PAPER_DATASETS[cell.role]
    return LedgerLine(
        table=cell.spec.id,
        row=cell.row.id,
        label=cell.row.label,
        backbone=cell.row.group,
        dataset=dataset,
        quantity=quantity,
        paper=paper,
        paper_std=cell.published.gflops_std if is_cost else cell.published.percent_std,
        ours=verdict.ours,
        difference=None if verdict.ours is None else verdict.ours - paper,
        tolerance=verdict.tolerance,
        status=verdict.status,
        reason=verdict.reason,
        ours_from=verdict.ours_from,
        fills=f"paper with {dataset} and {network}" if filled.implemented else "",
        filled_by=filled.profile if measured else "",
        here=(here.gflops if is_cost else here.percent) if here else None,
        here_label=filled.here_label,
    )
