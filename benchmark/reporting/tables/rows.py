"""The rows of a table, one a role: what was measured beside what the paper prints.

The paper's rows come first and in its order, whether they run here or not; rows that the paper
does not have, or has with another backbone only, follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from benchmark.config.datasets import Role
from benchmark.config.profile import Config
from benchmark.experiment.paper import Published, TableSpec
from benchmark.experiment.rows_of_tables import owners_of_rows
from benchmark.methods.discovery import MethodFolder
from benchmark.methods.manifest import Variant
from benchmark.reporting.tables.measurements import (
    NOT_RUN,
    Difference,
    Measurement,
    Outcome,
    compare,
    measure,
)

__all__ = ["NO_DATASET", "TableRow", "collect", "group_here", "owners_of_rows"]

NO_DATASET = "no such dataset in this profile"
NO_CHECKPOINT = f"{NOT_RUN}: the profile names no checkpoint"
_KINDS = ("method", "baseline", "control")


@dataclass(frozen=True)
class TableRow:
    """A row of a table on the dataset of one role.

    Attributes:
        table: the table's name.
        row: the row's, unique together with `group`.
        label: what the table calls it.
        kind: 'method', 'baseline', 'control', or 'published' for the paper's number alone.
        group: the paper's backbone.
        in_paper: whether the paper has the row with this backbone.
        role: the part that the dataset plays.
        dataset: its name; empty where the profile has none.
        metric: 'map' or 'top1'; empty without a dataset.
        status: 'measured', or why there is no number.
        measured: the numbers of this profile.
        difference: against the reference row.
        published: the paper's numbers.
    """

    table: str
    row: str
    label: str
    kind: str
    group: str
    in_paper: bool
    role: Role
    dataset: str
    metric: str
    status: str
    measured: Measurement | None
    difference: Difference | None
    published: Published | None


def collect(config: Config, methods: Mapping[str, MethodFolder], spec: TableSpec) -> list[TableRow]:
    """Return all rows of a table, role by role, from the result files of a profile.

    Raises:
        BenchmarkError: if two variants claim a row, or a result cannot be read.
    """
    owners = owners_of_rows(methods, spec.id)
    return [row for role in spec.roles for row in _rows_of(config, methods, spec, role, owners)]


def group_here(config: Config, spec: TableSpec) -> str:
    """Return the paper's backbone that this profile's rows stand beside.

    The profile names it; a table that the paper has for one backbone only is set beside that.
    """
    groups = [row.group for row in spec.rows]
    wanted = config.backbone.paper_group
    return groups[0] if len(set(groups)) == 1 else wanted


def _outcome(
    config: Config, methods: Mapping[str, MethodFolder], dataset: str, method: str, variant: str
) -> Outcome:
    if not methods[method].has_weights(variant, dataset, config.checkpoints):
        return Outcome(NO_CHECKPOINT)
    return measure(config, dataset, method, variant)


def _reported(variant: Variant, role: Role) -> Published | None:
    reported = variant.reported.get(role)
    if reported is None:
        return None
    return Published.model_validate({"percent": reported.percent, "gflops": reported.gflops})


def _rows_of(
    config: Config,
    methods: Mapping[str, MethodFolder],
    spec: TableSpec,
    role: Role,
    owners: Mapping[str, tuple[str, str]],
) -> list[TableRow]:
    dataset = next((name for name, d in config.datasets.items() if d.role == role), "")
    outcomes = {
        row: _outcome(config, methods, dataset, *owner) if dataset else Outcome(NO_DATASET)
        for row, owner in owners.items()
    }
    here = group_here(config, spec)

    def made(row: str, label: str, group: str, in_paper: bool) -> TableRow:
        runs = row in owners and group == here
        missing = Outcome(NOT_RUN if dataset else NO_DATASET)
        outcome = outcomes[row] if runs else missing
        reference = spec.reference_of(row)
        other = outcomes.get(reference, missing) if reference else missing
        return TableRow(
            table=spec.id,
            row=row,
            label=label,
            kind=methods[owners[row][0]].manifest.kind if runs else "published",
            group=group,
            in_paper=in_paper,
            role=role,
            dataset=dataset,
            metric=config.datasets[dataset].metric if dataset else "",
            status=outcome.status,
            measured=outcome.measurement,
            difference=compare(outcome, other, reference) if reference else None,
            published=None,
        )

    paper = [
        replace(made(row.id, row.label, row.group, True), published=row.published.get(role))
        for row in spec.rows
    ]
    known = {(row.row, row.group) for row in paper}
    labels = {row.id: row.label for row in reversed(spec.rows)}
    places = {row: place for place, row in enumerate(dict.fromkeys(row.row for row in paper))}
    further = []
    for row, (method, variant) in owners.items():
        if (row, here) not in known:
            shown = methods[method].manifest.variants[variant]
            its = made(row, labels.get(row, shown.label), here, False)
            further.append(replace(its, published=_reported(shown, role)))

    def place(row: TableRow) -> tuple[int, int, str, str]:
        return places.get(row.row, len(places)), _KINDS.index(row.kind), row.label, row.row

    return paper + sorted(further, key=place)
