"""The frontier as a picture to point at: Vega-Lite, drawn by the reader's browser.

Altair writes the specification, and vl-convert brings Vega's own code, under a megabyte; Plotly's
would fill the report's five. What stands for runs leads to them.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import altair as alt
import vl_convert

from benchmark.reporting.figures.style import style_of

__all__ = ["Series", "frontier_charts", "vega_code"]

_RULES = {
    "own exits, mean": "its exits",
    "same frames for all, mean": "same frames for all",
    "own threshold": "as trained",
}
_SHAPES = {"o": "circle", "s": "square", "^": "triangle-up", "D": "diamond", "v": "triangle-down",
           "P": "cross", "X": "cross", "<": "triangle-left", ">": "triangle-right"}  # fmt: skip
_DASHES = alt.StrokeDash(
    "rule:N",
    scale=alt.Scale(domain=["its exits", "same frames for all"], range=[[1, 0], [2, 3]]),
    legend=alt.Legend(title="rule (large marks: as trained, a seed each)", symbolType="stroke"),
)
_HEIGHT = 320


@dataclass(frozen=True)
class Series:
    """What a method's points look like and lead to.

    Attributes:
        row: what figures call it.
        anchor: of its runs in the report.
        metric: as readers call it.
    """

    row: str
    anchor: str
    metric: str


def vega_code() -> str:
    """Return the JavaScript that draws charts, `vegaEmbed` among it."""
    code: str = vl_convert.javascript_bundle()  # type: ignore[call-arg]
    return code


def frontier_charts(
    data: Path, series: Mapping[tuple[str, str], Series]
) -> dict[str, dict[str, Any]]:
    """Return the Vega-Lite specification of a chart for each dataset that has a frontier.

    Args:
        data: the csv of the frontier's figure.
        series: by (dataset, method).
    """
    with data.open(encoding="utf-8", newline="") as file:
        records = [r for r in csv.DictReader(file) if r["series"] in _RULES]
    return {
        dataset: _chart([r for r in records if r["dataset"] == dataset], series)
        for dataset in dict.fromkeys(record["dataset"] for record in records)
    }


def _chart(
    records: Sequence[Mapping[str, str]], series: Mapping[tuple[str, str], Series]
) -> dict[str, Any]:
    points = [_point(r, series[r["dataset"], r["method"]]) for r in records]
    metric = series[records[0]["dataset"], records[0]["method"]].metric
    x = alt.X("GFLOPs:Q", title="GFLOPs a video (10⁹ multiply-accumulates)")
    scale = _percent_scale(points)
    y = alt.Y("percent:Q", title=f"{metric}, %", scale=scale)
    low = alt.Y("low:Q", title=f"{metric}, %", scale=scale)
    chosen = alt.selection_point(name="chosen", fields=["method"], bind="legend")
    base = alt.Chart(alt.InlineData(values=points)).encode(x=x.scale(zero=False))
    colour, shape = _looks(records, series)
    base = base.encode(color=colour, opacity=_unless_other(chosen, 1.0, 0.1))
    band = base.transform_filter("datum.rule == 'its exits'").mark_area()
    band = band.encode(y=low, y2="high:Q", opacity=_unless_other(chosen, 0.18, 0.03))
    line = base.transform_filter("datum.rule != 'as trained'").mark_line()
    line = line.encode(y=y, strokeDash=_DASHES)
    marks = base.mark_point(filled=True).encode(
        y=y,
        shape=shape,
        size=alt.condition("datum.rule == 'as trained'", alt.value(160), alt.value(32)),
        href="link:N",
        tooltip=[
            *("method:N", "rule:N", alt.Tooltip("GFLOPs:Q", format=".3~g")),
            *(alt.Tooltip("percent:Q", title=metric, format=".1f"), "interval:N"),
        ],
    )
    chart = (band + line + marks.add_params(chosen)).properties(width="container", height=_HEIGHT)
    spec: dict[str, Any] = chart.configure_legend(
        orient="bottom", symbolOpacity=1.0, labelLimit=400, titleLimit=400
    ).to_dict()
    return spec


def _looks(
    records: Iterable[Mapping[str, str]], series: Mapping[tuple[str, str], Series]
) -> tuple[alt.Color, alt.Shape]:
    """Return colour and mark of each method, as in all figures."""
    rows = {r["label"]: series[r["dataset"], r["method"]].row for r in records}
    styles = [style_of(row, rows.values()) for row in rows.values()]
    shapes = [_SHAPES.get(style.mark, "circle") for style in styles]
    legend = alt.Legend(title="method (click to single out)", columns=1)
    colours = alt.Scale(domain=list(rows), range=[style.colour for style in styles])
    return (
        alt.Color("method:N", scale=colours, legend=legend),
        alt.Shape("method:N", scale=alt.Scale(domain=list(rows), range=shapes)),
    )


def _percent_scale(points: Iterable[Mapping[str, Any]]) -> alt.Scale:
    """Return an axis from below the lowest end of an interval to at most 100."""
    values = [p[name] for p in points for name in ("percent", "low", "high") if p[name] is not None]
    low, high = math.floor(min(values) / 5) * 5, min(100, math.ceil(max(values) / 5) * 5)
    return alt.Scale(domain=[low, high], clamp=True)


def _unless_other(chosen: alt.Parameter, shown: float, faint: float) -> Any:
    return alt.condition(chosen, alt.value(shown), alt.value(faint))


def _point(record: Mapping[str, str], shown: Series) -> dict[str, Any]:
    low, high = record["low"], record["high"]
    return {
        "method": record["label"],
        "rule": _RULES[record["series"]],
        "GFLOPs": float(record["gflops"]),
        "percent": float(record["percent"]),
        "low": float(low) if low else None,
        "high": float(high) if high else None,
        "interval": f"{float(low):.1f} to {float(high):.1f}" if low else "one seed",
        "link": f"#{shown.anchor}",
    }
