"""A strip of a few videos: what an exit rule saw, frame by frame, and where it stopped.

Videos are chosen by a rule and not by eye: the class whose videos differ most in their mean exit
step over the seeds; of it the two that exit first and the two that exit last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmark.config.profile import Config
from benchmark.evaluation.exits import correct_by_step
from benchmark.reporting.figures.style import GREY, caption_below, say_why_empty
from benchmark.reporting.tables.formats import Value
from benchmark.step_records import StepRecords

__all__ = ["Shown", "choose_videos", "draw_strip", "shown_steps"]

NUM_OF_EACH = 2
_INCHES = 0.95
_ID_LENGTH = 16


@dataclass(frozen=True)
class Shown:
    """A visited frame of a chosen video, of one seed's run.

    Attributes:
        place: 'easiest' or 'hardest'.
        mean_exit_step: over all seeds.
        step: 1-based, in the order visited.
        position: the stored position that was opened.
        exit_value: the rule's value after this frame; none where it gives none.
        is_exit: whether the run stopped here; what follows was worked out, not spent.
        is_correct: whether the answer after this frame is right.
        is_decidable: whether the record of a built-in video says that it can be known from the
            frames so far; none for other videos.
    """

    dataset: str
    method: str
    class_name: str
    video_id: str
    place: str
    mean_exit_step: float
    seed: int
    step: int
    position: int
    exit_value: float | None
    is_exit: bool
    is_correct: bool
    is_decidable: bool | None


def choose_videos(
    runs: Sequence[StepRecords], targets: npt.NDArray[Any], names: Sequence[str]
) -> tuple[str, list[tuple[int, str, float]]]:
    """Return a class, and (row, place, mean exit step) of its easiest and hardest videos.

    Args:
        runs: the steps of each seed, on the same N videos.
        targets: `[N]` class indices, or `[N, C]` 0/1.
        names: of the C classes; of equal spreads the first one counts.
    """
    mean_exits = np.mean([run.exit_step for run in runs], axis=0)
    members = np.eye(len(names), dtype=bool)[targets] if targets.ndim == 1 else targets > 0
    enough = members.sum(axis=0) >= min(2 * NUM_OF_EACH, members.sum(axis=0).max())
    spreads = [mean_exits[members[:, c]].std() if enough[c] else -1.0 for c in range(len(names))]
    chosen = int(np.argmax(spreads))
    ids = runs[0].video_ids
    rows = sorted(np.flatnonzero(members[:, chosen]), key=lambda n: (mean_exits[n], ids[n]))
    easy, hard = rows[:NUM_OF_EACH], rows[NUM_OF_EACH:][-NUM_OF_EACH:]
    places = [*((n, "easiest") for n in easy), *((n, "hardest") for n in hard)]
    return names[chosen], [(int(n), place, float(mean_exits[n])) for n, place in places]


def shown_steps(
    run: StepRecords,
    targets: npt.NDArray[Any],
    row: int,
    decidable_step: float | None,
    facts: Mapping[str, Any],
) -> list[Shown]:
    """Return what a run did on a video, one visited frame after the other.

    Args:
        run: of N videos; it says which frames were opened.
        targets: of all of them.
        row: the video's.
        decidable_step: the first step at which a built-in video can be known, infinite if never.
        facts: the other attributes, the same for all steps.
    """
    assert run.positions is not None
    correct = correct_by_step(run.scores[[row]], targets[[row]])[0]
    values = run.exit_values[row]
    return [
        Shown(
            **facts,
            step=step,
            position=int(run.positions[row, step - 1]),
            exit_value=None if np.isnan(values[step - 1]) else float(values[step - 1]),
            is_exit=step == run.exit_step[row],
            is_correct=bool(correct[step - 1]),
            is_decidable=None if decidable_step is None else step >= decidable_step,
        )
        for step in range(1, run.num_steps + 1)
    ]


def draw_strip(
    config: Config,
    title: str,
    strips: Sequence[tuple[Sequence[Shown], npt.NDArray[np.uint8]]],
    threshold: float,
    reason: str = "",
) -> tuple[Figure, list[dict[str, Value]]]:
    """Draw a row a video: its frames as visited, with the rule's value, the stop and the answer.

    Args:
        config: the profile.
        title: of the figure.
        strips: (steps, frames `[T, H, W, 3]`) of each video; none where nothing has run.
        threshold: the value above which the rule stops.
        reason: why there are no videos.
    """
    if not strips:
        figure = Figure(figsize=(7, 2), layout="constrained")
        caption_below(figure, config)
        say_why_empty(figure.subplots(), reason)
        return figure, []
    num_steps = len(strips[0][0])
    size = (1.9 + _INCHES * num_steps, 1.2 + 1.55 * _INCHES * len(strips))
    figure = Figure(figsize=size, layout="constrained")
    said = f"Below each frame the gate's value; it stops above {threshold:g}. "
    if any(step.is_decidable is not None for step in strips[0][0]):
        said += "Dot: by the videos' record the class can be known from here on. "
    caption_below(figure, config, f"{said}Pale: not opened, worked out for this picture. ")
    figure.suptitle(title, x=0.01, ha="left", fontsize=10)
    panels = figure.subplots(len(strips), num_steps, squeeze=False)
    for (steps, frames), line in zip(strips, panels, strict=True):
        stop = next(step.step for step in steps if step.is_exit)
        for step, frame, panel in zip(steps, frames, line, strict=True):
            _draw_frame(panel, step, frame, is_opened=step.step <= stop)
        first = steps[0]
        line[0].set_ylabel(
            f"{first.place}\nmean exit {first.mean_exit_step:.1f}\n{first.video_id[-_ID_LENGTH:]}",
            rotation=0, ha="right", va="center", fontsize=7,
        )  # fmt: skip
    return figure, [asdict(step) for steps, _ in strips for step in steps]


def _draw_frame(panel: Axes, step: Shown, frame: npt.NDArray[np.uint8], *, is_opened: bool) -> None:
    panel.imshow(frame, alpha=1.0 if is_opened else 0.35)
    panel.set_xticks([])
    panel.set_yticks([])
    for spine in panel.spines.values():
        spine.set_visible(step.is_exit)
        spine.set_linewidth(2.5)
    value = "-" if step.exit_value is None else f"{step.exit_value:.2f}"
    text = f"{'● ' if step.is_decidable else ''}{value}"
    if step.is_exit:
        text += f"\nstops: {'right' if step.is_correct else 'wrong'}"
    panel.set_xlabel(
        text, fontsize=7, labelpad=2, color="black" if is_opened else GREY,
        fontweight="bold" if step.is_exit else "normal",
    )  # fmt: skip
    panel.set_title(f"{step.step}", fontsize=6.5, pad=4, loc="center", color=GREY)
