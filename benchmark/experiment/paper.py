"""The paper's tables and figures as data: their rows, their order and the published numbers.

Tables are laid out from this file and not from what happens to have run, so that a row which does
not run yet stands with the paper's number. The roles of a table say on which datasets each variant
shown in it must run.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from benchmark.config.datasets import Role
from benchmark.config.strict import Strict
from benchmark.errors import BenchmarkError, raise_all
from benchmark.files.yaml import place_of, read_mapping

__all__ = [
    "Curve",
    "FigureSpec",
    "Paper",
    "PaperRow",
    "Published",
    "TableSpec",
    "load_paper",
]

Group = Literal["ResNet", "EfficientNet", "X3D-S"]


class Published(Strict):
    """What the paper prints in one row for one dataset."""

    percent: float = Field(description="mAP or top-1")
    percent_std: float | None = None
    gflops: float | None = Field(None, description="10^9 MACs a video")
    gflops_std: float | None = None
    clips: Literal["one"] | None = Field(None, description="the cost is for one clip, not a video")


class PaperRow(Strict):
    """A row of a table; an id may come back with another backbone."""

    id: str
    label: str
    group: Group = Field(description="the paper's backbone")
    reference: str | None = Field(None, description="row compared with, if not the table's")
    published: dict[Role, Published]


class TableSpec(Strict):
    """A table of the paper."""

    id: str
    title: str
    caption: str
    roles: tuple[Role, ...]
    reference: str | None = Field(None, description="row that the others are compared with")
    rows: tuple[PaperRow, ...]

    @model_validator(mode="after")
    def _consistent(self) -> TableSpec:
        keys = [(row.id, row.group) for row in self.rows]
        named = {row.reference for row in self.rows} | {self.reference}
        if len(set(keys)) < len(keys):
            raise ValueError("a row stands twice with the same backbone")
        if unknown := named - {row.id for row in self.rows} - {None}:
            raise ValueError(f"unknown reference rows {sorted(map(str, unknown))}")
        if stray := {role for row in self.rows for role in row.published} - set(self.roles):
            raise ValueError(f"numbers for roles {sorted(stray)} that the table does not show")
        return self

    def reference_of(self, row: str) -> str | None:
        """Return the row that a row is compared with; none for a reference itself."""
        own = next((paper.reference for paper in self.rows if paper.id == row), None)
        reference = own or self.reference
        return None if reference == row else reference


class Curve(Strict):
    """Points of a figure that the paper publishes."""

    id: str
    label: str
    group: Group
    gflops: tuple[float, ...]
    percent: tuple[float, ...]


class FigureSpec(Strict):
    """A figure of the paper."""

    id: str
    title: str
    roles: tuple[Role, ...]
    curves: tuple[Curve, ...] = ()
    bound: str | None = Field(None, description="row that no exit rule can pass")
    style_order: tuple[str, ...] = Field((), description="rows in the order of the styles")


class Paper(Strict):
    """The paper's tables and figures by name ('table1', 'figure3'), in the paper's order."""

    tables: dict[str, TableSpec]
    figures: dict[str, FigureSpec]

    @property
    def roles(self) -> dict[str, tuple[Role, ...]]:
        """The roles of the datasets that each table and figure shows."""
        specs: dict[str, TableSpec | FigureSpec] = {**self.tables, **self.figures}
        return {name: spec.roles for name, spec in specs.items()}

    @model_validator(mode="before")
    @classmethod
    def _name_by_key(cls, content: dict[str, dict[str, Any]]) -> dict[str, Any]:
        return {
            kind: {name: {"id": name, **spec} for name, spec in specs.items()}
            for kind, specs in content.items()
        }


@cache
def load_paper() -> Paper:
    """Read `paper.yaml`, which lies beside this module."""
    path = Path(__file__).with_name("paper.yaml")
    try:
        return Paper.model_validate(read_mapping(path))
    except ValidationError as faults:
        named = [
            BenchmarkError(
                f"key '{'.'.join(map(str, fault['loc']))}': {fault['msg']}",
                where=place_of(path, fault["loc"]),
            )
            for fault in faults.errors()
        ]
        raise_all(named, str(path))
        raise AssertionError("pydantic reports at least one fault") from faults
