"""How all figures look: readable for the colour-blind and in black and white, the same every time.

Series differ in colour, mark and line together. Nothing that is written depends on the clock, the
machine or the order in which figures are drawn.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmark.config.profile import Config
from benchmark.experiment.paper import load_paper

__all__ = [
    "GREY",
    "SETTINGS",
    "Style",
    "caption_below",
    "in_style_order",
    "new_figure",
    "say_why_empty",
    "style_of",
]

GREY = "#767676"
# M. Okabe and K. Ito, Color Universal Design, 2008, less the yellow, too light on white; then
# four of P. Tol's 'muted' scheme, Colour Schemes, 2021.
_COLOURS = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"),
    *("#882255", "#999933", "#332288", "#44AA99"),
)
_MARKS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h")
_CONTROL_MARKS = ("d", "*", "X", "1", "2", "3")
_LINES = ("-", "--", "-.", ":")
SETTINGS: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # ships with matplotlib
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "legend.handlelength": 2.8,
    "svg.hashsalt": "benchmark",
    "path.simplify": False,
}


@dataclass(frozen=True)
class Style:
    """Colour, mark and line of a series."""

    colour: str
    mark: str
    line: str


def in_style_order(rows: Iterable[str]) -> list[str]:
    """Return different rows in the paper's order, those that it does not name last, by name."""
    named = load_paper().figures["figure6"].style_order
    return sorted(set(rows), key=lambda r: (named.index(r) if r in named else len(named), r))


def style_of(row: str, rows: Iterable[str], *, control: bool = False) -> Style:
    """Return the style of a series, the same in every figure.

    Args:
        row: the series.
        rows: all series of its kind that are shown; those that the paper's list does not name
            take their turn after it.
        control: grey, without a line.
    """
    if control:
        place = sorted(set(rows)).index(row)
        return Style(GREY, _CONTROL_MARKS[place % len(_CONTROL_MARKS)], "none")
    place = in_style_order({*load_paper().figures["figure6"].style_order, *rows}).index(row)
    again = place // len(_COLOURS)  # the colours come round with other marks
    return Style(
        _COLOURS[(place + 5 * again) % len(_COLOURS)],
        _MARKS[(place + 3 * again) % len(_MARKS)],
        _LINES[place % len(_LINES)],
    )


def new_figure(
    config: Config, width: float, height: float, num_panels: int = 1
) -> tuple[Figure, list[Axes]]:
    """Return a figure and its panels from left to right; it says below what the numbers are.

    To be called, as all drawing, under `SETTINGS`.

    Args:
        config: the profile.
        width: in inches.
        height: in inches.
        num_panels: side by side.
    """
    figure = Figure(figsize=(width, height), layout="constrained")
    caption_below(figure, config)
    return figure, list(figure.subplots(1, num_panels, squeeze=False)[0])


def caption_below(figure: Figure, config: Config, said: str = "") -> None:
    """Write below a figure what its numbers are, after whatever else is said of it."""
    backbone, num_seeds = config.backbone, len(config.seeds)
    note = (
        f"{said}{config.description.strip().rstrip('.')}. "
        f"Backbone: {backbone.network}, {backbone.weights} weights; "
        f"{num_seeds} seed{'s' if num_seeds > 1 else ''}."
    )
    text = textwrap.fill(note, int(figure.get_figwidth() * 21))
    figure.supxlabel(text, fontsize=6.5, color=GREY, x=0.01, ha="left")


def say_why_empty(panel: Axes, reason: str) -> None:
    """Write into a panel why it shows no data."""
    panel.set_axis_off()
    text = textwrap.fill(reason, 50)
    panel.text(0.5, 0.5, text, ha="center", va="center", transform=panel.transAxes, color=GREY)
