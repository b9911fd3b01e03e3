"""What follows from the frontiers: accuracy at equal budget, and budget at equal accuracy.

Each number is the mean over seeds of what each seed's own curve says; its interval is over videos
and seeds, with the resamples that all runs of a dataset share, so that two rules stay paired.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from benchmark.evaluation.frontier import Frontier, area, budget_at, value_at
from benchmark.reporting.frontier.curves import ExitCurves
from benchmark.reporting.tables.intervals import interval

__all__ = [
    "BUDGET_SHARES",
    "POINTS_BELOW",
    "Answer",
    "Question",
    "Span",
    "answers",
    "at_budgets",
    "spans",
]

Floats = npt.NDArray[np.float64]
Question = Literal["area", "accuracy at equal budget", "budget at equal accuracy"]
Rule = Literal["own exits", "same frames for all", "difference"]
Unit = Literal["%", "points", "GFLOPs", "% of GFLOPs"]
BUDGET_SHARES = (20, 30, 40, 60)
"""Percent of what all frames cost, without gates."""
POINTS_BELOW = (5.0, 2.0, 1.0, 0.5)
"""Below the accuracy with all frames."""

# (number of the seed, GFLOPs, metric, number of the resample or none) -> statistic
Statistic = Callable[[int, Floats, Floats, int | None], float]


@dataclass(frozen=True)
class Answer:
    """One number of the table, with its 95 % interval.

    Attributes:
        rule: the method's exits, the same number of frames for every video of the same run, or
            the first less the second.
        question: 'area' is the mean accuracy over the common range of budgets.
        at: percent of the cost of all frames, or points below the accuracy with all frames.
        at_value: the same as GFLOPs, or as percent; of an area, none.
        unit: of value, low and high.
        value: none where the accuracy is not reached.
    """

    dataset: str
    method: str
    label: str
    rule: Rule
    question: Question
    at: float | None
    at_value: float | None
    unit: Unit
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Span:
    """What all curves of a dataset have in common.

    Attributes:
        low: the largest of their smallest budgets, GFLOPs.
        high: the smallest of their largest.
        all_frames: a seed, the fixed rule whose answers with all frames are the most accurate.
    """

    low: float
    high: float
    all_frames: tuple[Frontier, ...]

    def target(self, seed: int, below: float, resample: int | None) -> float:
        """Return the accuracy in 0..1 that is so many points below that with all frames."""
        last = self.all_frames[seed]
        whole = last.values[-1] if resample is None else last.replicates[-1, resample]
        return float(whole) - below / 100


def spans(curves: Sequence[ExitCurves]) -> dict[str, Span]:
    """Return the common range of each dataset that has a curve."""
    found = {}
    for dataset in dict.fromkeys(c.dataset for c in curves if c.own):
        here = [c for c in curves if c.dataset == dataset and c.own]
        every = [frontier for c in here for frontier in (*c.own, *c.fixed)]
        best = max(here, key=lambda c: float(np.mean([f.values[-1] for f in c.fixed])))
        low, high = max(f.gflops[0] for f in every), min(f.gflops[-1] for f in every)
        found[dataset] = Span(float(low), float(high), best.fixed)
    return found


def answers(curves: Sequence[ExitCurves]) -> list[Answer]:
    """Return all numbers of the table: by dataset, method, question, place and rule."""
    common = spans(curves)
    return [one for c in curves if c.own for one in _of_method(c, common[c.dataset])]


def at_budgets(frontiers: Sequence[Frontier], budgets: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the mean over seeds at some budgets, in percent, with its interval's two ends."""
    values = 100 * np.stack([value_at(budgets, f.gflops, f.values) for f in frontiers])
    drawn = 100 * np.stack(
        [
            [
                np.interp(budgets, f.gflops_replicates[:, b], f.replicates[:, b])
                for b in range(f.replicates.shape[1])
            ]
            for f in frontiers
        ]
    )
    mean = values.mean(axis=0)
    ends = [interval(float(mean[i]), drawn[:, :, i]) for i in range(len(budgets))]
    return mean, np.array([low for low, _ in ends]), np.array([high for _, high in ends])


def _of_method(curves: ExitCurves, span: Span) -> Iterator[Answer]:
    def mean_accuracy(seed: int, gflops: Floats, values: Floats, resample: int | None) -> float:
        return 100 * area(span.low, span.high, gflops, values)

    yield from _answers(curves, "area", None, None, mean_accuracy)
    all_frames = float(np.mean([f.gflops[-1] for f in span.all_frames]))
    for share in BUDGET_SHARES:
        budget = share / 100 * all_frames

        def accuracy(
            seed: int, gflops: Floats, values: Floats, resample: int | None, x: float = budget
        ) -> float:
            if resample is None:
                return 100 * float(value_at(np.array([x]), gflops, values)[0])
            return 100 * float(np.interp(x, gflops, values))

        yield from _answers(curves, "accuracy at equal budget", float(share), budget, accuracy)
    for below in POINTS_BELOW:
        target = float(np.mean([span.target(s, below, None) for s in range(len(curves.own))]))

        def cost(
            seed: int, gflops: Floats, values: Floats, resample: int | None, y: float = below
        ) -> float:
            return budget_at(span.target(seed, y, resample), gflops, values)

        yield from _answers(curves, "budget at equal accuracy", below, 100 * target, cost)


def _answers(
    curves: ExitCurves,
    question: Question,
    at: float | None,
    at_value: float | None,
    statistic: Statistic,
) -> Iterator[Answer]:
    own, fixed = _over_seeds(curves.own, statistic), _over_seeds(curves.fixed, statistic)
    pairs = list(zip(own, fixed, strict=True))  # of the seeds, and of their resamples
    unit: Unit = "%"
    difference_unit: Unit = "points"
    less, drawn_less = (one - other for one, other in pairs)
    if question == "budget at equal accuracy":
        unit, difference_unit = "GFLOPs", "% of GFLOPs"
        less, drawn_less = (100 * (one / other - 1) for one, other in pairs)
    found: list[tuple[Rule, Unit, _Found]] = [
        ("own exits", unit, _summary(*own)),
        ("same frames for all", unit, _summary(*fixed)),
        ("difference", difference_unit, _summary(less, drawn_less)),
    ]
    names = (curves.dataset, curves.method, curves.label)
    for rule, its_unit, numbers in found:
        yield Answer(*names, rule, question, at, at_value, its_unit, *numbers)


_Found = tuple[float | None, float | None, float | None]


def _over_seeds(frontiers: Sequence[Frontier], statistic: Statistic) -> tuple[Floats, Floats]:
    """Return a statistic of each seed's curve: `[S]`, and in each resample: `[S, B]`."""
    values = np.array([statistic(s, f.gflops, f.values, None) for s, f in enumerate(frontiers)])
    drawn = np.array(
        [
            [
                statistic(s, f.gflops_replicates[:, b], f.replicates[:, b], b)
                for b in range(f.replicates.shape[1])
            ]
            for s, f in enumerate(frontiers)
        ]
    )
    return values, drawn


def _summary(values: Floats, drawn: Floats) -> _Found:
    """Return the mean over seeds and its interval; nothing where a seed has no number.

    The interval is left out where a resample has none, which happens at accuracies that a curve
    only just reaches.
    """
    if not np.isfinite(values).all():
        return None, None, None
    value = float(values.mean())
    return (value, *interval(value, drawn)) if np.isfinite(drawn).all() else (value, None, None)
