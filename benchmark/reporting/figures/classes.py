"""Figure 5: which classes are seen early, and how well they are told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from benchmark.config.profile import Config
from benchmark.evaluation.metrics import label_matrix
from benchmark.reporting.figures.class_points import class_points
from benchmark.reporting.figures.shown_runs import ShownRun
from benchmark.reporting.figures.style import new_figure, say_why_empty, style_of
from benchmark.reporting.tables.formats import Value
from benchmark.step_records import concatenate

__all__ = ["draw_classes"]

_OFFSETS = ((5, 0, "left"), (-5, 0, "right"), (0, 7, "center"), (0, -7, "center"))


@dataclass(frozen=True)
class _Class:
    """A class over all seeds; `num_videos` counts a video once."""

    row: str
    label: str
    name: str
    num_videos: int
    frames: float
    average_precision_percent: float


def draw_classes(
    config: Config, title: str, runs: Sequence[ShownRun]
) -> tuple[Figure, list[dict[str, Value]]]:
    """Draw a point a class: average precision against the mean frames of its videos."""
    figure, (panel,) = new_figure(config, 7.0, 5.0)
    panel.set_title(f"{title}: {runs[0].label}" if len(runs) == 1 else title)
    classes = [found for run in runs for found in _classes(run)]
    if not classes:
        say_why_empty(panel, runs[0].status if runs else "nothing is shown here")
        return figure, []
    for run in runs:
        own = [found for found in classes if (found.row, found.label) == (run.row, run.label)]
        style = style_of(run.row, [other.row for other in runs])
        panel.scatter(
            [found.frames for found in own],
            [found.average_precision_percent for found in own],
            color=style.colour,
            marker=style.mark,
            label=run.label,
            edgecolors="white",
            linewidths=0.6,
            zorder=3,
        )
    panel.set_xlabel("mean frames opened by the videos of the class")
    panel.set_ylabel("average precision of the class, %")
    panel.grid(color="#eeeeee")
    panel.margins(0.08)
    if len(runs) > 1:
        panel.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2)
    _write_names(figure, panel, classes)
    return figure, [asdict(found) for found in classes]


def _classes(run: ShownRun) -> list[_Class]:
    parts = run.each_seed(lambda steps, targets: (steps, targets), answers_only=True)
    if not parts or run.manifest is None:
        return []
    steps = concatenate([part for part, _ in parts])
    targets = np.concatenate([own for _, own in parts])
    num_videos = steps.num_videos // len(parts)
    # One row a seed, in which only its own videos count.
    weights = np.repeat(np.eye(len(parts), dtype=np.int32), num_videos, axis=1)
    frames, precisions = class_points(steps, targets, weights)
    positives = label_matrix(steps.exit_scores(), targets.astype(np.int64))[:num_videos]
    return [
        _Class(
            row=run.row,
            label=run.label,
            name=name,
            num_videos=int(positives[:, c].sum()),
            frames=float(frames[:, c].mean()),
            average_precision_percent=float(100 * precisions[:, c].mean()),
        )
        for c, name in enumerate(run.manifest.classes)
        if positives[:, c].any()
    ]


def _write_names(figure: Figure, panel: Axes, classes: Sequence[_Class]) -> None:
    """Name as many classes as fit without touching a mark or another name, outermost first."""
    figure.draw_without_rendering()
    at = np.array([(found.frames, found.average_precision_percent) for found in classes])
    places = panel.transData.transform(at)
    taken = [Bbox.from_extents(x - 4, y - 4, x + 4, y + 4) for x, y in places]
    spread = np.maximum(at.std(axis=0), 1e-9)
    far = np.linalg.norm((at - at.mean(axis=0)) / spread, axis=1)
    inside = panel.get_window_extent()
    for index in np.argsort(-far, kind="stable"):
        for right, up, align in _OFFSETS:
            text = panel.annotate(
                classes[index].name, at[index], (right, up), textcoords="offset points",
                ha=align, va="center", fontsize=7,
            )  # fmt: skip
            box = text.get_window_extent()
            held = np.allclose(Bbox.union([inside, box]).bounds, inside.bounds)
            if held and not box.count_overlaps(taken):
                taken.append(box)
                break
            text.remove()
