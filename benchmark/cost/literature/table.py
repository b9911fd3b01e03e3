"""The GFLOPs that the field publishes, beside ours for the same networks and inputs.

Ours are counted when the table is written, from networks without weights; published numbers are
facts that carry their source. No data is needed.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

from benchmark.cost.literature.frameexit import frameexit_rows
from benchmark.cost.literature.rivals import rival_rows
from benchmark.cost.literature.row import LiteratureRow

__all__ = ["LiteratureRow", "literature_table", "write_table"]

_HEADER = ("what", "source", "published", "ours", "ratio", "verdict", "computed from")
_CAPTION = (
    "GFLOPs a video, 1 GFLOP = 1e9 multiply-accumulates (docs/cost.md). Ratio: published over "
    "ours; 'agrees' is within 2 %. Ours are counted from networks without weights when this table "
    "is written."
)


def literature_table() -> list[LiteratureRow]:
    """Return all rows, FrameExit's first; counts every network anew, in seconds."""
    return [*frameexit_rows(), *rival_rows()]


def write_table(folder: Path) -> list[Path]:
    """Write `costs.csv` and `costs.md` into `folder` and return their paths.

    Args:
        folder: made if it does not exist.
    """
    cells = [_cells(row) for row in literature_table()]
    folder.mkdir(parents=True, exist_ok=True)
    written = {"costs.csv": _csv(cells), "costs.md": _markdown(cells)}
    for name, text in written.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in written]


def _cells(row: LiteratureRow) -> tuple[str, ...]:
    published = "-" if row.published_gflops is None else f"{row.published_gflops:.6g}"
    ratio = "-" if row.ratio is None else f"{row.ratio:.3f}"
    ours = f"{row.ours_gflops:.4g}"
    return row.what, row.source, published, ours, ratio, row.verdict, row.computed_from


def _csv(cells: list[tuple[str, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([_HEADER, *cells])
    return text.getvalue()


def _markdown(cells: list[tuple[str, ...]]) -> str:
    escaped = [tuple(cell.replace("|", "\\|") for cell in row) for row in cells]
    lines = [_HEADER, ("---",) * len(_HEADER), *escaped]
    return f"{_CAPTION}\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)
