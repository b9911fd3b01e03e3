"""All thresholds of an exit rule from one stored run: accuracy against cost, without a model.

Between two thresholds that were evaluated, accuracy and cost are interpolated in a line: to answer
a share of the videos by one threshold and the rest by the other costs and scores about that much.
Nothing is extrapolated.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from benchmark.evaluation.bootstrap import replicate_metric
from benchmark.evaluation.exits import first_above
from benchmark.evaluation.metrics import mean_average_precision, top1
from benchmark.step_records import StepRecords

__all__ = [
    "Frontier",
    "Judge",
    "area",
    "budget_at",
    "spaced_thresholds",
    "trace_fixed",
    "trace_thresholds",
    "value_at",
]

Floats = npt.NDArray[np.float64]
Metric = Literal["map", "top1"]
# Candidates from which the thresholds are chosen: quantiles of the stored values.
_CANDIDATES = 600
# A budget that is a sum of the same costs in another order is still the measured one.
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Frontier:
    """An exit rule at K settings, cheapest first.

    Attributes:
        settings: `[K]`, thresholds, or numbers of steps.
        gflops: `[K]`, mean of 10^9 MACs a video.
        values: `[K]`, the metric in 0..1.
        gflops_replicates: `[K, B]`, the same in each resample of the videos.
        replicates: `[K, B]`.
    """

    settings: Floats
    gflops: Floats
    values: Floats
    gflops_replicates: Floats
    replicates: Floats


@dataclass(frozen=True, eq=False)
class Judge:
    """How answers are measured.

    Attributes:
        targets: `[N]` class indices, or `[N, C]` 0/1.
        metric: the dataset's.
        weights: `[B, N]`, from `resamples`.
        threads: settings that are measured at a time; the numbers do not depend on it.
    """

    targets: npt.NDArray[Any]
    metric: Metric
    weights: npt.NDArray[np.int32]
    threads: int = 1

    def measure(self, scores: npt.NDArray[np.float32]) -> tuple[float, Floats]:
        """Return the metric in 0..1 of scores `[N, C]`, and the same in each resample: `[B]`."""
        measure = top1 if self.metric == "top1" else mean_average_precision
        replicates = replicate_metric(self.metric, scores, self.targets, self.weights)
        return measure(scores, self.targets), replicates


def spaced_thresholds(values: npt.NDArray[Any], number: int, always: float | None = None) -> Floats:
    """Return thresholds whose mean exit steps are evenly spaced, ascending, from one end to both.

    The first lets every video with a value stop at once, the last none before its end.

    Args:
        values: `[N, S]` exit values; NaN never passes.
        number: about how many; fewer where fewer differ.
        always: a threshold that is among them.
    """
    known = values[:, :-1][~np.isnan(values[:, :-1])].astype(np.float64)
    if not len(known):
        return np.array([np.inf])
    inner = np.unique(np.quantile(known, np.linspace(0, 1, _CANDIDATES), method="lower"))
    candidates = np.concatenate([[-np.inf], inner])
    means = np.array([first_above(values, level).mean() for level in candidates])
    wanted = np.linspace(means[0], means[-1], number)
    chosen = candidates[np.unique(np.abs(means[:, None] - wanted).argmin(axis=0))]
    return np.unique(chosen if always is None else np.append(chosen, always))


def trace_thresholds(steps: StepRecords, judge: Judge, thresholds: Floats) -> Frontier:
    """Return a run's own exit rule at `[K]` thresholds, ascending."""
    exits = np.stack([first_above(steps.exit_values, level) for level in thresholds])
    return _trace(steps, judge, exits, thresholds)


def trace_fixed(
    steps: StepRecords, judge: Judge, uncharged: tuple[str, ...] = ("gate",)
) -> Frontier:
    """Return the run with the same number of steps for every video, and its gates not run."""
    numbers = np.arange(1, steps.num_steps + 1)
    exits = np.repeat(numbers[:, None], steps.num_videos, axis=1)
    freed = steps.exiting_at(steps.exit_step, uncharged=uncharged)
    return _trace(freed, judge, exits, numbers.astype(np.float64))


def _trace(
    steps: StepRecords, judge: Judge, exits: npt.NDArray[np.int64], settings: Floats
) -> Frontier:
    """Evaluate exit steps `[K, N]`, given in order of cost."""
    passed = np.cumsum(steps.step_macs.sum(axis=2), axis=1) + steps.exit_macs.sum(axis=2)
    rows = np.arange(steps.num_videos)
    gflops = passed[rows, exits - 1] / 1e9
    with ThreadPoolExecutor(judge.threads) as pool:  # NumPy and SciPy let others run meanwhile
        measured = list(pool.map(lambda at: judge.measure(steps.scores[rows, at - 1]), exits))
    return Frontier(
        settings=settings,
        gflops=gflops.mean(axis=1),
        values=np.array([value for value, _ in measured]),
        gflops_replicates=gflops @ judge.weights.T / judge.weights.sum(axis=1),
        replicates=np.stack([replicates for _, replicates in measured]),
    )


def value_at(budgets: Floats, gflops: Floats, values: Floats) -> Floats:
    """Return the metric at some budgets, NaN where a budget lies outside what was measured."""
    slack = _ROUNDING * gflops[-1]
    outside = (budgets < gflops[0] - slack) | (budgets > gflops[-1] + slack)
    return np.where(outside, np.nan, np.interp(budgets, gflops, values))


def budget_at(target: float, gflops: Floats, values: Floats) -> float:
    """Return the smallest budget at which the metric reaches a target, NaN if it never does."""
    reached = np.flatnonzero(values >= target)
    if not len(reached):
        return float("nan")
    place = int(reached[0])
    if place == 0:
        return float(gflops[0])
    below, above = values[place - 1], values[place]
    share = (target - below) / (above - below)
    return float(gflops[place - 1] + share * (gflops[place] - gflops[place - 1]))


def area(low: float, high: float, gflops: Floats, values: Floats) -> float:
    """Return the area under the curve from one budget to another, over their distance.

    It is the mean of the metric over these budgets, exact for the interpolated curve.
    """
    inner = gflops[(gflops > low) & (gflops < high)]
    budgets = np.concatenate([[low], inner, [high]])
    heights = np.interp(budgets, gflops, values)
    return float((np.diff(budgets) * (heights[1:] + heights[:-1]) / 2).sum() / (high - low))
