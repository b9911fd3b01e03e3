"""The frontier of each early-exit method: a panel a dataset, all thresholds of one stored run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmark.config.profile import Config
from benchmark.reporting.figures.style import new_figure, say_why_empty, style_of
from benchmark.reporting.frontier.answers import Answer, at_budgets
from benchmark.reporting.frontier.curves import ExitCurves
from benchmark.reporting.tables.formats import Value
from benchmark.reporting.tables.wide import METRIC_NAMES

__all__ = ["draw_frontier"]

_GRID = 49
_Areas = dict[tuple[str, str, str], float | None]
_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Point:
    """A point of a curve; of the mean over seeds, with its interval, or of one seed."""

    dataset: str
    method: str
    label: str
    series: str
    seed: int | None
    setting: float | None
    gflops: float
    percent: float
    low: float | None = None
    high: float | None = None


def draw_frontier(
    config: Config, curves: Sequence[ExitCurves], answers: Sequence[Answer]
) -> tuple[Figure, list[dict[str, Value]]]:
    """Draw accuracy against GFLOPs: each method's exits, and the same frames for every video."""
    datasets = list(dict.fromkeys(c.dataset for c in curves))
    drawn = [sum(bool(c.own) for c in curves if c.dataset == name) for name in datasets]
    width, height = 0.6 + 4.6 * max(len(datasets), 1), 4.0 + 0.5 * max(drawn, default=0)
    figure, panels = new_figure(config, width, height, max(len(datasets), 1))
    points = [point for c in curves if c.own for point in _points(config, c)]
    if not datasets:
        say_why_empty(panels[0], "no method of this profile stops early")
    rows = [c.row for c in curves]
    areas: _Areas = {
        (a.dataset, a.method, a.rule): a.value for a in answers if a.question == "area"
    }
    for panel, dataset in zip(panels, datasets, strict=False):
        here = [c for c in curves if c.dataset == dataset]
        panel.set_title(f"{dataset}: all thresholds of one run")
        if not any(c.own for c in here):
            say_why_empty(panel, here[0].status)
            continue
        for c in (c for c in here if c.own):
            own = [p for p in points if (p.dataset, p.method) == (dataset, c.method)]
            _draw(panel, c, own, rows, areas)
        _dress(panel, METRIC_NAMES[here[0].metric])
    return figure, [asdict(point) for point in points]


def _points(config: Config, curves: ExitCurves) -> list[_Point]:
    names = (curves.dataset, curves.method, curves.label)
    low = max(f.gflops[0] for f in curves.own)
    high = min(f.gflops[-1] for f in curves.own)
    budgets = np.linspace(low, high, _GRID)
    found = []
    for series, frontiers, places in (
        ("own exits, mean", curves.own, budgets),
        ("same frames for all, mean", curves.fixed, _fixed_budgets(curves)),
    ):
        for x, *ends in zip(places, *at_budgets(frontiers, places), strict=True):
            found.append(_Point(*names, series, None, None, float(x), *map(float, ends)))
    for seed, (x, y) in zip(config.seeds, curves.at_own, strict=True):
        found.append(_Point(*names, "own threshold", seed, None, x, 100 * y))
    for series, frontiers in (("own exits", curves.own), ("same frames for all", curves.fixed)):
        for seed, f in zip(config.seeds, frontiers, strict=True):
            for setting, x, y in zip(f.settings, f.gflops, f.values, strict=True):
                shown = float(setting) if np.isfinite(setting) else None
                found.append(_Point(*names, series, seed, shown, float(x), 100 * float(y)))
    return found


def _fixed_budgets(curves: ExitCurves) -> _Floats:
    """Return the mean cost of each number of steps, within what every seed measured."""
    costs = np.stack([f.gflops for f in curves.fixed])
    clipped: _Floats = np.clip(costs.mean(axis=0), costs[:, 0].max(), costs[:, -1].min())
    return clipped


def _draw(
    panel: Axes,
    curves: ExitCurves,
    points: Sequence[_Point],
    rows: Sequence[str],
    areas: _Areas,
) -> None:
    style = style_of(curves.row, rows)

    def label(rule: str, text: str) -> str:
        found = areas.get((curves.dataset, curves.method, rule))
        return text if found is None else f"{text} (area {found:.1f})"

    own = [p for p in points if p.series == "own exits, mean"]
    fixed = [p for p in points if p.series == "same frames for all, mean"]
    x, y = [p.gflops for p in own], [p.percent for p in own]
    low = np.array([p.low for p in own], dtype=float)
    high = np.array([p.high for p in own], dtype=float)
    panel.fill_between(x, low, high, color=style.colour, alpha=0.2, linewidth=0)
    panel.plot(
        x, y, color=style.colour, marker=style.mark, linestyle="-", markevery=6, markersize=5,
        linewidth=1.5, label=label("own exits", f"{curves.label}, its exits, 95 % interval"),
    )  # fmt: skip
    panel.plot(
        [p.gflops for p in fixed], [p.percent for p in fixed], color=style.colour,
        marker=style.mark, markerfacecolor="white", linestyle=":", markersize=5, linewidth=1.2,
        label=label("same frames for all", f"{curves.label}, same frames for all"),
    )  # fmt: skip
    at = [p for p in points if p.series == "own threshold"]
    panel.plot(
        np.mean([p.gflops for p in at]), np.mean([p.percent for p in at]), color=style.colour,
        marker="*", markersize=11, markeredgecolor="black", linestyle="none", zorder=4,
        label=f"{curves.label}, as trained (threshold not moved)",
    )  # fmt: skip


def _dress(panel: Axes, metric: str) -> None:
    panel.set_xlabel("GFLOPs a video ($10^9$ multiply-accumulates)")
    panel.set_ylabel(f"{metric}, %")
    panel.grid(color="#eeeeee")
    panel.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=1, fontsize=7.5)
