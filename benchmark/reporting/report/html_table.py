"""A table of the report: cells that sort by the number they show, and link to the run behind it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

__all__ = ["Cell", "HtmlTable", "with_orders"]

_NUMBER = re.compile(r"^[<>≤≥~\s]*([+-]?\d[\d,]*\.?\d*(?:e[+-]?\d+)?)", re.IGNORECASE)


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        content: text, escaped when it is shown, or markup.
        link: where a click leads, within the report; empty for nowhere.
        order: what the column sorts by, where not by the text; empty sorts below all numbers.
    """

    content: str | Markup
    link: str = ""
    order: str | None = None

    @property
    def text(self) -> str:
        """The content without markup."""
        content = self.content
        return content.striptags() if isinstance(content, Markup) else content


@dataclass(frozen=True)
class HtmlTable:
    """A table.

    Attributes:
        heads: a cell a column.
        rows: as many cells each.
    """

    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def with_orders(table: HtmlTable) -> HtmlTable:
    """Return a table whose columns of numbers sort as numbers.

    A column counts as one where at least half of its cells that are not empty begin with a number;
    '95.6 ± 0.3' sorts as 95.6.
    """
    orders = [_column(column) for column in zip(*table.rows, strict=True)]
    rows = [
        tuple(replace(cell, order=order) for cell, order in zip(row, said, strict=True))
        for row, said in zip(table.rows, zip(*orders, strict=True), strict=True)
    ]
    return replace(table, rows=tuple(rows))


def _column(cells: Sequence[Cell]) -> list[str | None]:
    numbers = [_NUMBER.match(cell.text) for cell in cells]
    filled = sum(bool(cell.text) for cell in cells)
    if 2 * sum(map(bool, numbers)) < max(filled, 1):
        return [None] * len(cells)
    return [found[1].replace(",", "") if found else "" for found in numbers]
