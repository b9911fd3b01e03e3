"""Which profile's runs may stand in the ledger as ours, and why others may not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from benchmark.config.datasets import Role
from benchmark.config.profile import Config
from benchmark.cost.literature.frameexit import HEAD_UNITS, PAPER_BACKBONES
from benchmark.experiment.paper import TableSpec
from benchmark.experiment.plan import Plan, make_plan
from benchmark.experiment.rows_of_tables import owners_of_rows
from benchmark.experiment.shown_runs import other_paper_profiles
from benchmark.methods.discovery import MethodFolder
from benchmark.reporting.tables.measurements import LEFT_OUT, MEASURED, NOT_RUN, Measurement
from benchmark.reporting.tables.rows import TableRow, collect

__all__ = ["FilledCell", "Filler", "fill", "other_fillers"]

_PAPER_METRICS: dict[Role, str] = {"long": "map", "short": "top1", "multi": "map"}
Key = tuple[str, str, Role]
"""Row, the paper's backbone, role."""


@dataclass(frozen=True)
class Filler:
    """A profile with its methods."""

    config: Config
    methods: Mapping[str, MethodFolder]

    @classmethod
    def of(cls, plan: Plan) -> Filler:
        """Return the profile of a plan."""
        return cls(plan.config, dict(plan.methods))


@dataclass(frozen=True)
class FilledCell:
    """What the profiles know about a row of a table on one of the paper's datasets.

    Attributes:
        implemented: whether a method has the row.
        profile: that ran it on the paper's videos; empty where none did.
        measured: what it measured.
        source: the profile and how much it ran.
        not_comparable: why its number is none of the paper's setting.
        failed: why it has no number.
        deviations: settings of that profile that are not the paper's, and do not rule it out.
        here: what the ledger's own profile measured, where that is none of the paper's numbers.
        here_label: what those are.
    """

    implemented: bool
    profile: str = ""
    measured: Measurement | None = None
    source: str = ""
    not_comparable: str = ""
    failed: str = ""
    deviations: str = ""
    here: Measurement | None = None
    here_label: str = ""

    @property
    def counts(self) -> bool:
        """Whether the number stands in the ledger as ours."""
        return self.measured is not None and not self.not_comparable


def other_fillers(own: Config) -> list[Filler]:
    """Return the other profiles in the same folder of results that ran a dataset of the paper's.

    Raises:
        BenchmarkError: if the settings or methods of one of them hold faults.
    """
    return [Filler.of(make_plan(config)) for config in other_paper_profiles(own)]


def fill(spec: TableSpec, own: Filler, others: Sequence[Filler]) -> dict[Key, FilledCell]:
    """Return what is known about each row of a table: of several profiles, the best.

    A number that counts comes before one that does not, and that before a failure.
    """
    owners = owners_of_rows(own.methods, spec.id)
    cells: dict[Key, FilledCell] = {
        (row.id, row.group, role): FilledCell(row.id in owners)
        for row in spec.rows
        for role in spec.roles
    }
    for filler in (own, *others):
        for row in collect(filler.config, filler.methods, spec):
            key = (row.row, row.group, row.role)
            if key not in cells:
                continue
            if _is_papers(filler.config, row):
                cells[key] = max(cells[key], _said(filler.config, row, cells[key]), key=_rank)
            if filler is own and row.measured and not cells[key].counts:
                label = _label(filler.config, row)
                cells[key] = replace(cells[key], here=row.measured, here_label=label)
    return cells


def _is_papers(config: Config, row: TableRow) -> bool:
    return bool(row.dataset) and config.datasets[row.dataset].paper_dataset is not None


def _rank(cell: FilledCell) -> int:
    if cell.measured:
        return 2 if cell.not_comparable else 3
    return int(bool(cell.failed))


def _said(config: Config, row: TableRow, before: FilledCell) -> FilledCell:
    if row.status in {NOT_RUN, LEFT_OUT}:
        return before
    if row.status != MEASURED or row.measured is None:
        return replace(before, profile=config.profile, failed=row.status)
    found = row.measured
    seeds = f"{found.num_seeds} seed{'s' if found.num_seeds > 1 else ''}"
    return replace(
        before,
        profile=config.profile,
        measured=found,
        source=f"measured: profile {config.profile}, {seeds}, {found.counts.evaluated} videos",
        not_comparable="; ".join(_obstacles(config, row, found)),
        failed="",
        deviations="; ".join(_deviations(config)),
    )


def _obstacles(config: Config, row: TableRow, found: Measurement) -> Iterator[str]:
    """Yield why a number on the paper's videos is none of the paper's setting."""
    backbone, papers = config.backbone, PAPER_BACKBONES[row.group]
    side = int(papers.size.split("x")[-1])
    if backbone.network.split(".")[0] != papers.network:
        yield f"backbone {backbone.network}, not {papers.title}"
    elif backbone.size not in (None, side):
        yield f"input of {backbone.size} pixels, not {side}"
    if row.metric != _PAPER_METRICS[row.role]:
        yield f"metric {row.metric}, not {_PAPER_METRICS[row.role]}"
    yield from found.labels


def _deviations(config: Config) -> Iterator[str]:
    """Yield the settings that are not the paper's, but leave the numbers comparable."""
    if not config.backbone.finetune:
        yield "frozen backbone, the paper's is fine-tuned"
    if config.training.head_units != HEAD_UNITS:
        yield f"frame head of {config.training.head_units} units, the paper's has {HEAD_UNITS}"


def _label(config: Config, row: TableRow) -> str:
    assert row.measured is not None
    parts = (f"{config.profile}/{row.dataset}", config.backbone.network, *row.measured.labels)
    return ", ".join(parts)
