"""A table as a reader sees it: one line a row, cells as text, and a caption that hides nothing.

Markdown, LaTeX and the terminal show the same cells; only their layout differs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.config.datasets import PAPER_DATASETS
from benchmark.config.profile import Config
from benchmark.experiment.paper import TableSpec
from benchmark.reporting.tables.measurements import NOT_RUN, Measurement
from benchmark.reporting.tables.rows import TableRow, group_here

__all__ = [
    "MEASURED_COLUMNS",
    "METRIC_NAMES",
    "PAPER_COLUMNS",
    "Line",
    "Part",
    "WideTable",
    "widen",
]

MEASURED_COLUMNS = ("difference", "GFLOPs", "frames", "videos")
PAPER_COLUMNS = ("paper", "paper GFLOPs")
METRIC_NAMES = {"map": "mAP", "top1": "top-1", "": "accuracy"}
_REASON_LENGTH = 60
# Below this many points one decimal would hide which side of zero an interval lies on.
_SMALL_POINTS = 0.5


@dataclass(frozen=True)
class Part:
    """The cells of a line for one role.

    Attributes:
        status: why there is no number; empty where there is one.
        measured: metric, then the cells of `MEASURED_COLUMNS`; empty without a number.
        paper: the cells of `PAPER_COLUMNS`.
    """

    status: str
    measured: tuple[str, ...]
    paper: tuple[str, str]


@dataclass(frozen=True)
class Line:
    """A row of the table over all roles, below a section's heading."""

    section: str
    label: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class WideTable:
    """A table ready to be printed.

    Attributes:
        title: number and title.
        roles: heading of each role's columns.
        metrics: heading of each role's metric.
        lines: the rows.
        caption: sentences.
    """

    id: str
    title: str
    roles: tuple[str, ...]
    metrics: tuple[str, ...]
    lines: tuple[Line, ...]
    caption: tuple[str, ...]


def widen(config: Config, spec: TableSpec, rows: Sequence[TableRow]) -> WideTable:
    """Set a table's tidy rows side by side, a role beside the other."""
    by_role = [[row for row in rows if row.role == role] for role in spec.roles]
    digits = [_gflops_digits(part) for part in by_role]
    common = _common_labels(rows)
    return WideTable(
        id=spec.id,
        title=f"Table {spec.id.removeprefix('table')}. {spec.title}",
        roles=tuple(_role(part[0]) for part in by_role),
        metrics=tuple(METRIC_NAMES[p[0].metric] for p in by_role),
        lines=tuple(
            Line(
                section=_section(config, spec, beside[0]),
                label=_label(beside, common),
                parts=tuple(_part(row, d) for row, d in zip(beside, digits, strict=True)),
            )
            for beside in zip(*by_role, strict=True)
        ),
        caption=tuple(_caption(config, spec, by_role, common)),
    )


def _role(row: TableRow) -> str:
    return f"{row.dataset or 'no dataset'}; paper: {PAPER_DATASETS[row.role]}"


def _section(config: Config, spec: TableSpec, row: TableRow) -> str:
    here = f"here: {config.backbone.network}"
    if not row.in_paper:
        return f"not in the paper; {here}"
    return f"paper: {row.group}" + (f"; {here}" if row.group == group_here(config, spec) else "")


def _label(beside: Sequence[TableRow], common: tuple[str, ...]) -> str:
    said = [label for row in beside if row.measured for label in row.measured.labels]
    own = [label for label in dict.fromkeys(said) if label not in common]
    return beside[0].label + (f" [{', '.join(own)}]" if own else "")


def _part(row: TableRow, digits: int) -> Part:
    paper = _paper_cells(row)
    found = row.measured
    if found is None:
        short = row.status[: _REASON_LENGTH - 1] + "…"
        return Part(row.status if len(row.status) <= _REASON_LENGTH else short, (), paper)
    gflops = f"{found.gflops:.{digits}f}"
    if found.gflops_std:  # neither one seed nor a cost that no seed changes
        gflops += f" ± {found.gflops_std:.{digits}f}"
    cells = (
        _percent(found),
        _difference(row),
        gflops,
        f"{found.frames:.1f}",
        str(found.counts.evaluated),
    )
    return Part("", cells, paper)


def _paper_cells(row: TableRow) -> tuple[str, str]:
    published = row.published
    if published is None:
        return ("-", "-") if row.in_paper else ("", "")
    cells = [
        "-" if value is None else f"{value:.1f}" + (f" ± {std:g}" if std is not None else "")
        for value, std in (
            (published.percent, published.percent_std),
            (published.gflops, published.gflops_std),
        )
    ]
    return cells[0], cells[1] + (" (one clip)" if published.clips else "")


def _percent(found: Measurement) -> str:
    said = f"{found.percent:.1f}"
    if found.percent_std is not None:
        digits = 2 if 0 < found.percent_std < 0.095 else 1
        said += f" ± {found.percent_std:.{digits}f}"
    if found.category_percent is not None:
        said += f" ({found.category_percent:.1f})"
    return said


def _difference(row: TableRow) -> str:
    found = row.difference
    if found is None:
        return ""
    values = (found.points, found.low, found.high)
    decimals = 1 if max(map(abs, values)) >= _SMALL_POINTS else 2
    points, low, high = (_signed(x, decimals) for x in values)
    return f"{points} [{low}, {high}]{'*' if found.excludes_zero else ''}"


def _signed(points: float, decimals: int) -> str:
    return f"{round(points, decimals) + 0.0:+.{decimals}f}"  # adding zero turns -0.0 into +0.0


def _gflops_digits(rows: Sequence[TableRow]) -> int:
    """Return the decimals that show three digits of a column's largest cost."""
    largest = max((row.measured.gflops for row in rows if row.measured), default=0.0)
    return max(1, 2 - math.floor(math.log10(largest))) if largest > 0 else 1


def _common_labels(rows: Sequence[TableRow]) -> tuple[str, ...]:
    labels = [row.measured.labels for row in rows if row.measured]
    return tuple(x for x in labels[0] if all(x in other for other in labels)) if labels else ()


def _caption(
    config: Config, spec: TableSpec, by_role: Sequence[Sequence[TableRow]], common: tuple[str, ...]
) -> list[str]:
    labels = f" ({', '.join(common)})" if common else ""
    backbone = config.backbone
    trained = "fine-tuned with each method" if backbone.finetune else "frozen"
    num_seeds = len(config.seeds)
    said = [
        spec.caption,
        f"Data: {config.description.strip().rstrip('.')}{labels}.",
        f"Backbone: {backbone.network}, {backbone.weights} weights, {trained}.",
        _seeds_sentence(num_seeds),
        "GFLOPs a video; 1 GFLOP is 10^9 multiply-accumulates.",
    ]
    if any(row.difference for rows in by_role for row in rows):
        over = "videos and seeds" if num_seeds > 1 else "videos"
        said.append(
            f"Difference: points against {_reference_label(spec)}, with the 95 % interval of a "
            f"paired bootstrap over {over} ({config.bootstrap.replicates} resamples); "
            "* where it excludes zero."
        )
    said += [sentence for rows in by_role for sentence in _counts_sentences(rows)]
    measured = [row.measured for rows in by_role for row in rows if row.measured]
    if any(found.category_percent is not None for found in measured):
        said.append("In brackets: mAP of each category of classes, averaged over the categories.")
    absent = [row for rows in by_role for row in rows if row.status == NOT_RUN]
    papers = [dataset.paper_dataset is not None for dataset in config.datasets.values()]
    if absent:
        said.append(f"'{NOT_RUN}': the paper's number alone.")
    if any(papers) and any(row.group != group_here(config, spec) for row in absent):
        said.append(
            "Rows beside another backbone are measured by the profile that has it; `ledger` "
            "gathers the numbers of all of them."
        )
    if not all(papers):
        said.append(
            "Videos and backbone are not the paper's, whose numbers stand in columns of their own."
        )
    return said


def _seeds_sentence(num_seeds: int) -> str:
    if num_seeds == 1:
        return "One seed."
    return f"Mean ± sample standard deviation over {num_seeds} seeds, in percent."


def _reference_label(spec: TableSpec) -> str:
    if spec.reference is None:
        return "the row above"
    return f"'{next(row.label for row in spec.rows if row.id == spec.reference)}'"


def _counts_sentences(rows: Sequence[TableRow]) -> list[str]:
    counts = dict.fromkeys(
        (c.evaluated, c.manifest, c.missing, c.unreadable, c.duplicate)
        for c in (row.measured.counts for row in rows if row.measured)
    )
    metric = {"map": "mAP, not interpolated", "top1": "top-1 accuracy", "": ""}[rows[0].metric]
    return [
        f"{rows[0].dataset}: {metric}; {evaluated} test videos evaluated; of all {manifest} in the "
        f"manifest, {missing} missing, {unreadable} unreadable, {duplicate} duplicate."
        for evaluated, manifest, missing, unreadable, duplicate in counts
    ]
