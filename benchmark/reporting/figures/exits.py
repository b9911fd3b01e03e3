"""Figures 3 and 4: where videos exit, and what exiting earlier or later would have done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from benchmark.config.profile import Config
from benchmark.reporting.figures.exit_matrix import exit_matrix
from benchmark.reporting.figures.shown_runs import ShownRun
from benchmark.reporting.figures.style import GREY, new_figure, say_why_empty
from benchmark.reporting.tables.formats import Value
from benchmark.step_records import StepRecords

__all__ = ["draw_exit_statistics", "draw_other_exits"]

Drawn = tuple[Figure, list[dict[str, Value]]]

_COLOUR_MAP = "cividis"  # even in lightness for everybody, so grey copies keep the order
_LARGEST_CIRCLE_PT2 = 1500.0


@dataclass(frozen=True)
class _Cell:
    """The videos that exit at a step, answered by the classifier of a step; over all seeds."""

    row: str
    label: str
    num_seeds: int
    exit_step: int
    answered_at: int
    num_answers: int
    share_percent: float
    correct_percent: float | None


def draw_exit_statistics(config: Config, title: str, runs: Sequence[ShownRun]) -> Drawn:
    """Draw a circle a step: its area the share of videos that exit there, its colour accuracy."""
    figure, (panel,) = new_figure(config, 8.2, 1.5 + 1.1 * max(len(runs), 1))
    panel.set_title(title)
    by_run = [[c for c in _cells(run) if c.exit_step == c.answered_at] for run in runs]
    cells = [cell for own in by_run for cell in own]
    if not cells:
        say_why_empty(panel, runs[0].status if runs else "nothing is shown here")
        return figure, []
    norm = _norm(cells)
    for place, (run, own) in enumerate(zip(runs, by_run, strict=True)):
        if not own:
            panel.text(1, place, run.status, va="center", color=GREY)
        _circles(panel, place, own, norm, max(cell.share_percent for cell in cells))
    last = max(cell.exit_step for cell in cells)
    panel.set_xlim(0.4, last + 0.6)
    panel.set_xticks(range(1, last + 1))
    panel.set_ylim(len(runs) - 0.35, -0.55)
    panel.set_yticks(range(len(runs)), [run.row.replace("_", " ") for run in runs])
    panel.tick_params(axis="y", length=0)
    panel.set_xlabel("exit step; below: share of the videos (of those, answered correctly)")
    bar = figure.colorbar(ScalarMappable(norm, _COLOUR_MAP), ax=panel, pad=0.01, aspect=14)
    bar.set_label("correct of those, %")
    return figure, [asdict(cell) for cell in cells]


def draw_other_exits(config: Config, title: str, runs: Sequence[ShownRun]) -> Drawn:
    """Draw the matrix (exit step, classifier): how many of those videos it answers correctly."""
    figure, panels = new_figure(config, 7.4 * max(len(runs), 1), 5.6, max(len(runs), 1))
    panels[0].set_title(f"{title}: {runs[0].label}" if len(runs) == 1 else title)
    if not runs:
        say_why_empty(panels[0], "nothing is shown here")
    by_run = [_cells(run) for run in runs]
    cells = [cell for own in by_run for cell in own]
    for panel, run, own in zip(panels, runs, by_run, strict=False):
        if not own:
            say_why_empty(panel, run.status)
            continue
        _matrix(panel, own, _norm(cells))
        if len(runs) > 1:
            panel.set_title(run.label)
        bar = figure.colorbar(ScalarMappable(_norm(cells), _COLOUR_MAP), ax=panel, pad=0.02)
        bar.set_label("correct, %")
    return figure, [asdict(cell) for cell in cells]


def _cells(run: ShownRun) -> list[_Cell]:
    counts = run.each_seed(lambda steps, targets: exit_matrix(steps, targets, _once(steps)))
    if not counts:
        return []
    num_exits = np.sum([exits[0] for exits, _ in counts], axis=0)
    num_correct = np.sum([correct[0] for _, correct in counts], axis=0)
    cells = []
    for step, num in enumerate(num_exits):
        for classifier, right in enumerate(num_correct[step]):
            cells.append(
                _Cell(
                    row=run.row,
                    label=run.label,
                    num_seeds=len(counts),
                    exit_step=step + 1,
                    answered_at=classifier + 1,
                    num_answers=int(num),
                    share_percent=float(100 * num / num_exits.sum()),
                    correct_percent=float(100 * right / num) if num else None,
                )
            )
    return cells


def _once(steps: StepRecords) -> npt.NDArray[np.int32]:
    return np.ones((1, steps.num_videos), dtype=np.int32)


def _norm(cells: Sequence[_Cell]) -> Normalize:
    known = [cell.correct_percent for cell in cells if cell.correct_percent is not None]
    low = min(known)
    return Normalize(low if low < 100 else 0.0, 100.0)


def _circles(
    panel: Axes, place: int, cells: Sequence[_Cell], norm: Normalize, largest: float
) -> None:
    panel.axhline(place, color="#dddddd", linewidth=0.8, zorder=0)
    for cell in cells:
        if cell.correct_percent is None:
            continue
        panel.scatter(
            cell.exit_step,
            place,
            s=_LARGEST_CIRCLE_PT2 * cell.share_percent / largest,
            c=[cell.correct_percent],
            cmap=_COLOUR_MAP,
            norm=norm,
            edgecolors="black",
            linewidths=0.6,
        )
        share = f"{cell.share_percent:.0f}" if cell.share_percent >= 0.5 else "< 1"
        text = f"{share} %\n({cell.correct_percent:.0f} %)"
        panel.annotate(
            text, (cell.exit_step, place), (0, -24), textcoords="offset points", ha="center",
            va="top", fontsize=7,
        )  # fmt: skip


def _matrix(panel: Axes, cells: Sequence[_Cell], norm: Normalize) -> None:
    num_steps = max(cell.exit_step for cell in cells)
    values = np.array([np.nan if c.correct_percent is None else c.correct_percent for c in cells])
    panel.imshow(values.reshape(num_steps, num_steps), cmap=_COLOUR_MAP, norm=norm)
    colours = colormaps[_COLOUR_MAP]
    for cell in cells:
        x, y = cell.answered_at - 1, cell.exit_step - 1
        if cell.correct_percent is None:
            corner = (x - 0.5, y - 0.5)
            panel.add_patch(Rectangle(corner, 1, 1, fc="#f4f4f4", ec="#cccccc", hatch="//", lw=0))
            continue
        light = np.dot(colours(norm(cell.correct_percent))[:3], (0.299, 0.587, 0.114)) > 0.5
        panel.text(
            x, y, f"{cell.correct_percent:.0f}", ha="center", va="center",
            color="black" if light else "white", fontweight="bold" if x == y else "normal",
        )  # fmt: skip
    for step in range(num_steps):
        for colour, width in (("white", 4.0), ("black", 2.0)):  # seen on dark and on light
            frame = Rectangle((step - 0.5, step - 0.5), 1, 1, fill=False, color=colour)
            frame.set_linewidth(width)
            panel.add_patch(frame)
    counts = [cell for cell in cells if cell.answered_at == 1]
    labels = [f"{cell.exit_step}  (n = {cell.num_answers})" for cell in counts]
    panel.set_yticks(range(num_steps), labels)
    panel.set_xticks(range(num_steps), [str(step + 1) for step in range(num_steps)])
    seeds = f"; n over {cells[0].num_seeds} seeds" if cells[0].num_seeds > 1 else ""
    panel.set_ylabel(f"videos that exit at step{seeds}")
    panel.set_xlabel("answered by the classifier of step; framed: where they exit")
    panel.tick_params(length=0)
