"""How a table is spelled: csv for programs, markdown, LaTeX and the terminal for people."""

from __future__ import annotations

import csv
import io
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from benchmark.reporting.tables.wide import MEASURED_COLUMNS, PAPER_COLUMNS, Line, Part, WideTable

__all__ = ["Value", "to_csv", "to_latex", "to_list", "to_markdown", "to_terminal"]

_WIDTH = 120
_LATEX = {
    "\\": r"\textbackslash{}",
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "|": r"\textbar{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "±": r"$\pm$",
    "…": r"\dots{}",
}

Value = str | int | float | bool | None


def to_csv(records: Sequence[Mapping[str, Value]]) -> str:
    """Return records as csv, floats to ten decimals, so that equal numbers give equal bytes."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(records[0]) if records else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows([{key: _plain(x) for key, x in record.items()} for record in records])
    return text.getvalue()


def to_markdown(table: WideTable) -> str:
    """Return a table as GitHub's markdown, its caption below."""
    lines = [
        f"### {table.title}",
        "",
        _pipes(["", *_headings(table)]),
        _pipes(["---", *(["---:"] * len(_headings(table)))]),
    ]
    for section, members in _sections(table):
        lines.append(_pipes([f"**{section}**", *([""] * len(_headings(table)))]))
        lines += [_pipes([line.label, *_cells(line)]) for line in members]
    return "\n".join([*lines, "", " ".join(table.caption), ""])


def to_list(introduction: str, records: Sequence[Mapping[str, Value]], decimals: int) -> str:
    """Return records as markdown below an introduction, floats to some decimals."""

    def cell(value: Value) -> str:
        return f"{value:.{decimals}f}" if isinstance(value, float) else _plain(value)

    heads = [_pipes(list(records[0])), _pipes(["---"] * len(records[0]))] if records else []
    rows = [_pipes([cell(value) for value in record.values()]) for record in records]
    return "\n".join([introduction, "", *heads, *rows, ""])


def to_latex(table: WideTable) -> str:
    r"""Return a table for `\input`, with booktabs and graphicx loaded.

    It is shrunk to the width of the text where it is wider.
    """
    width = len(MEASURED_COLUMNS) + 1
    both = width + len(PAPER_COLUMNS)
    roles = [rf"\multicolumn{{{both}}}{{c}}{{{_tex(role)}}}" for role in table.roles]
    rules = [rf"\cmidrule(lr){{{2 + i * both}-{1 + (i + 1) * both}}}" for i in range(len(roles))]
    body = [
        " & ".join(["", *roles]) + r" \\",
        " ".join(rules),
        " & ".join(["", *map(_tex, _headings(table, short=True))]) + r" \\",
    ]
    for section, members in _sections(table):
        body.append(r"\midrule")
        body.append(rf"\multicolumn{{{1 + both * len(roles)}}}{{l}}{{\emph{{{_tex(section)}}}}} \\")
        for line in members:
            parts = [_tex_part(part, width) for part in line.parts]
            body.append(" & ".join([_tex(line.label), *parts]) + r" \\")
    columns = "l" + "rlrrrrr" * len(roles)
    return "\n".join(
        [
            r"\begin{table}[htbp]",
            r"\centering",
            rf"\caption{{{_tex(table.title.split('. ', 1)[1])}. {_tex(' '.join(table.caption))}}}",
            rf"\label{{tab:{table.id}}}",
            r"\vspace{1ex}",
            r"\resizebox{\ifdim\width>\textwidth\textwidth\else\width\fi}{!}{%",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            *body,
            r"\bottomrule",
            r"\end{tabular}}",
            r"\end{table}",
            "",
        ]
    )


def to_terminal(table: WideTable) -> str:
    """Return a table for a terminal of 120 columns, a block for each role, its caption below."""
    blocks = [_block(table, index) for index in range(len(table.roles))]
    caption = textwrap.fill(" ".join(table.caption), _WIDTH)
    return "\n\n".join([table.title, *blocks, caption]) + "\n"


def _block(table: WideTable, index: int) -> str:
    heads = [table.metrics[index], *MEASURED_COLUMNS, *PAPER_COLUMNS]
    parts = [line.parts[index] for line in table.lines]
    widths = [max(map(len, cells)) for cells in zip(heads, *map(_brief, parts), strict=True)]
    split = len(MEASURED_COLUMNS) + 1
    left = max(sum(widths[:split]) + 2 * (split - 1), *(len(part.status) for part in parts))
    right = sum(widths[split:]) + 2 * (len(widths) - split)
    names = min(_WIDTH - left - right - 2, 2 + max(len(line.label) for line in table.lines))

    def row(name: str, cells: Sequence[str], status: str = "") -> str:
        name = name if len(name) <= names else name[: names - 1] + "…"
        padded = [cell.rjust(width) for cell, width in zip(cells, widths, strict=True)]
        measured = status or "  ".join(padded[:split])
        return "  ".join([name.ljust(names), measured.ljust(left), *padded[split:]]).rstrip()

    lines = [table.roles[index], row("", heads)]
    lines.append("-" * len(lines[-1]))
    for section, members in _sections(table):
        lines.append(section)
        for line in members:
            part = line.parts[index]
            lines.append(row(f"  {line.label}", _brief(part), part.status))
    return "\n".join(lines)


def _brief(part: Part) -> list[str]:
    """Return a part's cells without the deviations of costs, which a terminal has no room for."""
    paper = [part.paper[0], part.paper[1].split(" ")[0]]
    if part.status:
        return [*([""] * (len(MEASURED_COLUMNS) + 1)), *paper]
    metric, difference, gflops, *rest = part.measured
    return [metric, difference, gflops.split(" ")[0], *rest, *paper]


def _headings(table: WideTable, *, short: bool = False) -> list[str]:
    names = [
        [metric if short else f"{role}, {metric}", *MEASURED_COLUMNS, *PAPER_COLUMNS]
        for role, metric in zip(table.roles, table.metrics, strict=True)
    ]
    return [name for part in names for name in part]


def _sections(table: WideTable) -> Iterator[tuple[str, list[Line]]]:
    for section, members in groupby(table.lines, key=lambda line: line.section):
        yield section, list(members)


def _cells(line: Line) -> list[str]:
    empty = [""] * len(MEASURED_COLUMNS)
    return [
        cell
        for part in line.parts
        for cell in [*(part.measured or (part.status, *empty)), *part.paper]
    ]


def _pipes(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _tex_part(part: Part, width: int) -> str:
    left = [rf"\multicolumn{{{width}}}{{l}}{{{_tex(part.status)}}}"]
    if part.measured:
        left = [re.sub(r"-(?=\d)", "$-$", _tex(cell)) for cell in part.measured]
    return " & ".join([*left, *map(_tex, part.paper)])


def _tex(text: str) -> str:
    escaped = "".join(_LATEX.get(mark, mark) for mark in text)
    powers = re.sub(r"(\d+)\\textasciicircum\{\}(\d+)", r"$\1^{\2}$", escaped)
    return re.sub(r"(?<!\w)'(?=\w)", "`", powers)


def _plain(value: Value) -> str:
    if value is None:
        return ""
    return repr(round(value, 10)) if isinstance(value, float) else str(value)
