"""Figure 6: what accuracy costs, here and in the paper, side by side and never on one axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from benchmark.config.profile import Config
from benchmark.experiment.paper import FigureSpec, load_paper
from benchmark.methods.discovery import MethodFolder
from benchmark.reporting.figures.pareto import on_front
from benchmark.reporting.figures.shown_runs import dataset_of
from benchmark.reporting.figures.style import in_style_order, new_figure, say_why_empty, style_of
from benchmark.reporting.tables.formats import Value
from benchmark.reporting.tables.measurements import measure

__all__ = ["draw_tradeoff"]

_METRICS = {"map": "mAP, %", "top1": "top-1, %"}
_GROUP_LINES = {"ResNet": "-", "EfficientNet": "--", "X3D-S": ":"}


@dataclass(frozen=True)
class _Point:
    """A variant that ran, or a number that the paper publishes.

    On the front is what ran and no other variant beats in accuracy and cost, the bound aside.
    """

    source: str
    row: str
    series: str
    label: str
    kind: str
    gflops: float
    percent: float
    percent_low: float | None = None
    percent_high: float | None = None
    group: str = ""
    on_front: bool = False


def draw_tradeoff(
    config: Config, methods: Mapping[str, MethodFolder], spec: FigureSpec
) -> tuple[Figure, list[dict[str, Value]]]:
    """Draw accuracy against GFLOPs: what ran with its intervals, the paper's points as hollow."""
    figure, (here, paper) = new_figure(config, 10.5, 5.2, 2)
    measured, published = _measured(config, methods, spec), _published(spec)
    dataset = dataset_of(config, spec)
    here.set_title(f"{spec.title}: measured here")
    paper.set_title("Published in the paper, on ActivityNet")
    if dataset is None or not measured:
        say_why_empty(here, "nothing has run here")
    else:
        _draw_measured(here, measured, spec)
        _dress(here, measured, _METRICS[config.datasets[dataset].metric])
    _draw_published(paper, published)
    _dress(paper, published, "mAP, %")
    return figure, [asdict(point) for point in [*measured, *published]]


def _measured(
    config: Config, methods: Mapping[str, MethodFolder], spec: FigureSpec
) -> list[_Point]:
    dataset = dataset_of(config, spec)
    points = []
    for method in methods.values():
        for variant, settings in method.manifest.variants.items():
            row = settings.shown_in.get(spec.id)
            found = measure(config, dataset, method.name, variant).measurement if dataset else None
            if row is None or found is None:
                continue
            points.append(
                _Point(
                    source="measured",
                    row=row,
                    series=method.manifest.label,
                    label=settings.label,
                    kind=method.manifest.kind,
                    gflops=found.gflops,
                    percent=found.percent,
                    percent_low=found.percent_low,
                    percent_high=found.percent_high,
                )
            )
    ordered = sorted(points, key=lambda point: (point.row, point.gflops, point.label))
    own = [point for point in ordered if point.row != spec.bound]
    front = on_front([(point.gflops, point.percent) for point in own])
    best = [point for point, is_best in zip(own, front, strict=True) if is_best]
    return [replace(point, on_front=point in best) for point in ordered]


def _published(spec: FigureSpec) -> list[_Point]:
    """Return the points of the paper's curves, then its Table 1 where it draws no curve."""
    points = [
        _Point("published", c.id, c.label, c.label, "published", x, y, group=c.group)
        for c in spec.curves
        for x, y in zip(c.gflops, c.percent, strict=True)
    ]
    drawn = {(point.row, point.group) for point in points}
    (role,) = spec.roles
    for row in load_paper().tables["table1"].rows:
        found = row.published.get(role)
        # 'All frames' is the expensive end of FrameExit's own curve.
        name, label = ("frameexit", "FrameExit") if row.id == "all_frames" else (row.id, row.label)
        if found is None or found.gflops is None or (name, row.group) in drawn:
            continue
        points.append(
            _Point("published", name, label, row.label, "published", found.gflops, found.percent,
                   group=row.group)
        )  # fmt: skip
    return sorted(points, key=lambda point: (point.row, point.group, point.gflops))


def _draw_measured(panel: Axes, points: Sequence[_Point], spec: FigureSpec) -> None:
    others = [p.row for p in points if p.kind != "control"]
    controls = [p.row for p in points if p.kind == "control"]
    for row in [*in_style_order(others), *sorted(set(controls))]:
        own = [point for point in points if point.row == row]
        control = own[0].kind == "control"
        style = style_of(row, controls if control else others, control=control)
        bound = " (bound: reads the labels)" if row == spec.bound else ""
        low = [p.percent - min(p.percent_low, p.percent) for p in own if p.percent_low is not None]
        high = [
            max(p.percent_high, p.percent) - p.percent for p in own if p.percent_high is not None
        ]
        panel.errorbar(
            [p.gflops for p in own],
            [p.percent for p in own],
            yerr=(low, high),
            color=style.colour,
            marker=style.mark,
            linestyle=style.line if len(own) > 1 else "none",
            markersize=8 if row == spec.bound else 5.5,
            linewidth=1.4,
            elinewidth=0.9,
            capsize=2.5,
            zorder=2 if control else 3,
            label=own[0].series + bound,
        )
    front = sorted((p.gflops, p.percent) for p in points if p.on_front)
    panel.step(
        *zip(*front, strict=True), where="post", color="#c8c8c8", linewidth=3.5, zorder=1,
        label="Pareto front, the bound aside",
    )  # fmt: skip


def _draw_published(panel: Axes, points: Sequence[_Point]) -> None:
    rows = [point.row for point in points]
    for row, group in product(in_style_order(rows), _GROUP_LINES):
        own = [point for point in points if (point.row, point.group) == (row, group)]
        if not own:
            continue
        style = style_of(row, rows)
        panel.plot(
            [p.gflops for p in own],
            [p.percent for p in own],
            color=style.colour,
            marker=style.mark,
            markerfacecolor="white",
            linestyle=_GROUP_LINES[group] if len(own) > 1 else "none",
            linewidth=1.1,
            markersize=6.5,
            label=own[0].series + (f", {group}" if group != "ResNet" else ""),
        )


def _dress(panel: Axes, points: Sequence[_Point], metric: str) -> None:
    panel.set_xscale("log")
    values = [point.gflops for point in points]
    panel.set_xlim(min(values) / 1.25, max(values) * 1.25)
    # Round numbers at 1, 2 and 5 of each power of ten, written out.
    panel.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    panel.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    panel.xaxis.set_minor_formatter(NullFormatter())
    panel.set_xlabel("GFLOPs a video ($10^9$ multiply-accumulates), logarithmic")
    panel.set_ylabel(metric)
    panel.grid(color="#eeeeee")
    panel.legend(loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=2, fontsize=7.5)
