"""Tables from outside: CSV files as spreadsheets, scripts and people write them.

Commas, semicolons and tabs separate columns, whichever stand between the names in the header. What
would lose or shift a cell in silence (a column that stands twice, a row of another length, a quote
that is not closed) is an error with its line.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmark.data.manifest.checks import Faults
from benchmark.errors import BenchmarkError, did_you_mean
from benchmark.files.text import read_text

__all__ = ["Table", "read_csv_columns"]

_SEPARATORS = {",": "','", ";": "';'", "\t": "tabs"}


@dataclass(frozen=True, eq=False)
class Table:
    """The rows of a CSV that are not blank.

    Attributes:
        rows: all columns as text, without spaces around it.
        places: `[N]`, `file:line` of each row.
    """

    rows: pd.DataFrame
    places: pd.Series[str]


def read_csv_columns(
    path: Path, needed: Sequence[str], faults: Faults, *, fix: str
) -> Table | None:
    """Read a CSV with a header.

    Args:
        path: of the file.
        needed: names of columns that it must have.
        faults: receives the columns that it has not; nothing is returned then.
        fix: what to do about them.

    Raises:
        BenchmarkError: if it is no text or no CSV, or a row has more or fewer fields than the
            header; all such rows are named.
    """
    text = read_text(path)
    if not text.strip():
        raise BenchmarkError("is empty", where=path, fix="write a header and a row for each video")
    names, records, lines = _records(text, path)
    missing = [name for name in needed if name not in names]
    for name in missing:
        what = f"no column '{name}'{did_you_mean(name, filter(None, names))}"
        faults.add(what, where=f"{path}:1", fix=fix)
    if missing:
        return None
    columns = zip(*records, strict=True) if records else ([] for _ in names)
    rows = pd.DataFrame(
        {name: column for name, column in zip(names, columns, strict=True) if name}, dtype="str"
    )
    places = [f"{path}:{line}" for line in lines]
    return Table(rows, pd.Series(places, index=rows.index, dtype="str"))


def _records(text: str, path: Path) -> tuple[list[str], list[list[str]], list[int]]:
    """Return the header, the rows that are not blank, and the line in which each begins."""
    separator = _separator(text, path)
    reader = csv.reader(
        io.StringIO(text), delimiter=separator, strict=True, skipinitialspace=separator != "\t"
    )
    names: list[str] = []
    records: list[list[str]] = []
    lines: list[int] = []
    faults, line = Faults(path), 1
    try:
        for fields in reader:
            cells = [cell.strip() for cell in fields]
            if not any(cells):
                pass
            elif not names:
                names = _header(cells, f"{path}:{line}")
            elif len(cells) < len(names) or any(cells[len(names) :]):
                what = f"the row has {len(cells)} fields, the header has {len(names)}"
                fix = f"put a text that holds {_SEPARATORS[separator]} in double quotes, and the "
                fix += "names of the columns in the first line"
                faults.add(what, where=f"{path}:{line}", fix=fix)
            else:
                records.append(cells[: len(names)])
                lines.append(line)
            line = reader.line_num + 1
    except csv.Error as error:
        what = f"the row that begins here is not readable as CSV: {error}"
        fix = 'close each quoted text, and double a quote within one: "say ""hi"""'
        faults.add(what, where=f"{path}:{line}", fix=fix)
    faults.raise_any()
    return names, records, lines


def _header(cells: list[str], place: str) -> list[str]:
    """Return the names of the columns, without nameless ones at the end."""
    names = cells[: max(number for number, name in enumerate(cells) if name) + 1]
    faults = Faults(place)
    for name in sorted({name for name in names if name and names.count(name) > 1}):
        faults.add(f"the column '{name}' stands twice", fix="rename or remove one of them")
    faults.raise_any()
    return names


def _separator(text: str, path: Path) -> str:
    header = re.sub(r'"[^"]*"', "", text.lstrip().split("\n", 1)[0])
    found = [separator for separator in _SEPARATORS if separator in header]
    if len(found) > 1:
        what = f"the header holds {' and '.join(_SEPARATORS[one] for one in found)}"
        fix = "separate columns by one of them, and put names that hold the other in double quotes"
        raise BenchmarkError(what, where=f"{path}:1", fix=fix)
    return found[0] if found else ","
