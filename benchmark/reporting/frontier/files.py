"""The frontier's figure and table: pure functions of a profile's stored runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from matplotlib import rc_context

from benchmark.config.profile import Config
from benchmark.experiment.layout import RunKey
from benchmark.experiment.plan import Plan
from benchmark.reporting.figures.style import SETTINGS
from benchmark.reporting.frontier.answers import Answer, Question, Span, answers, spans
from benchmark.reporting.frontier.curves import (
    NUM_RESAMPLES,
    ExitCurves,
    exit_curves,
    frontier_keys,
)
from benchmark.reporting.frontier.figure import draw_frontier
from benchmark.reporting.made import Made, Work
from benchmark.reporting.tables.formats import Value, to_csv, to_list

__all__ = ["make", "runs_behind"]


def make(plan: Plan, name: str, work: Work) -> Made:
    """Make the table of answers, and the figure of the curves with a csv of what it shows.

    Raises:
        BenchmarkError: if a file of a measured run cannot be read.
    """
    curves = exit_curves(plan, work.progress, work.threads)
    found = answers(curves)
    with rc_context(SETTINGS):
        figure, drawn = draw_frontier(plan.config, curves, found)
    texts = {
        f"tables/{name}.csv": to_csv([asdict(answer) for answer in found]),
        f"tables/{name}.md": _markdown(plan.config, curves, found),
        f"figures/{name}.csv": to_csv(drawn),
    }
    return Made(texts, figure)


def runs_behind(plan: Plan, name: str) -> list[RunKey]:
    """Return the runs of all methods that stop early, and of those with as many frames for all."""
    del name
    return frontier_keys(plan)


def _markdown(config: Config, curves: Sequence[ExitCurves], found: Sequence[Answer]) -> str:
    parts = ["### Accuracy at equal budget, and budget at equal accuracy", "", _caption(config)]
    absent = [f"- {c.label} on {c.dataset}: {c.status}" for c in curves if not c.own]
    parts += ["", *(["No curve:", "", *absent, ""] if absent else [])]
    for dataset, span in spans(curves).items():
        here = [answer for answer in found if answer.dataset == dataset]
        parts += [f"#### {dataset}", "", *_two_tables(here, span)]
    return "\n".join(parts)


def _two_tables(here: Sequence[Answer], span: Span) -> list[str]:
    budget = to_list(
        f"Accuracy, % (difference: points). Area: mean accuracy from {span.low:.3g} to "
        f"{span.high:.3g} GFLOPs, which all curves reach.",
        _rows(here, ("area", "accuracy at equal budget")),
        decimals=1,
    )
    accuracy = to_list(
        "GFLOPs a video (difference: %), at so many points below the accuracy with all frames.",
        _rows(here, ("budget at equal accuracy",)),
        decimals=1,
    )
    return [budget, accuracy]


def _rows(here: Sequence[Answer], questions: Sequence[Question]) -> list[Mapping[str, Value]]:
    asked = [answer for answer in here if answer.question in questions]
    rows: dict[tuple[str, str], dict[str, Value]] = {}
    for answer in asked:
        name = (answer.label, answer.rule)
        row = rows.setdefault(name, {"method": name[0], "rule": name[1]})
        row[_heading(answer)] = _cell(answer)
    return list(rows.values())


def _heading(answer: Answer) -> str:
    if answer.at is None or answer.at_value is None:
        return "area"
    if answer.question == "budget at equal accuracy":
        return f"{answer.at:g} below ({answer.at_value:.1f} %)"
    return f"at {answer.at:g} % ({answer.at_value:.3g} GFLOPs)"


def _cell(answer: Answer) -> str:
    if answer.value is None:
        return "not reached" if answer.rule != "difference" else ""
    ends = [end for end in (answer.low, answer.high) if end is not None]
    is_difference = bool(ends) and answer.rule == "difference"
    excludes_zero = is_difference and (min(ends) > 0 or max(ends) < 0)
    # One decimal must not hide on which side of zero an interval lies.
    decimals = 2 if excludes_zero and not all(round(end, 1) for end in ends) else 1

    def spelled(number: float) -> str:
        if answer.unit == "GFLOPs":
            return f"{number:#.3g}"
        sign = "+" if answer.rule == "difference" else ""
        # Adding zero turns -0.0 into 0.0.
        return f"{round(number, decimals) + 0.0:{sign}.{decimals}f}"

    shown = f" [{', '.join(map(spelled, ends))}]" if ends else ""
    return spelled(answer.value) + shown + ("*" if excludes_zero else "")


def _caption(config: Config) -> str:
    num_seeds = len(config.seeds)
    number = min(NUM_RESAMPLES, config.bootstrap.replicates)
    seeds = f"the mean over {num_seeds} seeds" if num_seeds > 1 else "one seed"
    over = "videos and seeds" if num_seeds > 1 else "videos"
    return (
        "Each method's exits at all thresholds of one stored run, against the same run with the "
        "same number of frames for every video and no gates. Budgets are shares of what all "
        f"frames cost without gates. Each number is {seeds}, with the 95 % interval of a paired "
        f"bootstrap over {over} ({number} resamples); * where a difference's interval excludes "
        "zero. Between two thresholds accuracy and cost are interpolated; nothing is "
        "extrapolated: 'not reached' where no threshold is as accurate. Thresholds are moved on "
        "the evaluated videos, without their labels. GFLOPs a video are 10^9 "
        f"multiply-accumulates, gates included. Data: {config.description.strip().rstrip('.')}."
    )
