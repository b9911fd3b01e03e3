"""The frontier of each early-exit method: which runs it comes from, and what they say together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from benchmark.contract import EarlyExit
from benchmark.data.manifest.of_dataset import manifest_of
from benchmark.evaluation.bootstrap import dataset_resamples
from benchmark.evaluation.frontier import (
    Frontier,
    Judge,
    spaced_thresholds,
    trace_fixed,
    trace_thresholds,
)
from benchmark.evaluation.rows import load_steps
from benchmark.experiment.layout import RunKey
from benchmark.experiment.plan import Plan
from benchmark.methods.loading import load_method
from benchmark.reporting.tables.measurements import MEASURED, measure

__all__ = ["NUM_RESAMPLES", "ExitCurves", "exit_curves", "exit_variants", "frontier_keys"]

NUM_THRESHOLDS = 60
# Of the resamples that every run shares, the first so many: each threshold has all of them.
NUM_RESAMPLES = 300
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class ExitCurves:
    """A method's run on a dataset, by seed.

    Attributes:
        dataset: its name.
        metric: its metric.
        method: the method's name.
        row: what figures call its series.
        label: what a reader reads.
        status: 'measured', or why there is no curve.
        own: a frontier a seed, all thresholds of the method's exit rule.
        fixed: a frontier a seed, the same number of steps for every video, without the gates.
        at_own: (GFLOPs, metric) a seed, at the method's own threshold.
    """

    dataset: str
    metric: str
    method: str
    row: str
    label: str
    status: str
    own: tuple[Frontier, ...] = ()
    fixed: tuple[Frontier, ...] = ()
    at_own: tuple[tuple[float, float], ...] = ()


def exit_variants(plan: Plan) -> list[tuple[str, str, str]]:
    """Return (dataset, method, variant) of each early-exit method: the first of its variants."""
    return [
        (dataset, name, next(v for v in plan.methods[name].manifest.variants if v in planned))
        for (dataset, name), planned in plan.variants.items()
        if _stops_early(plan, name)
    ]


def _stops_early(plan: Plan, method: str) -> bool:
    found = load_method(plan.methods[method])
    return issubclass(found, EarlyExit) and found.exit_value is not EarlyExit.exit_value


def frontier_keys(plan: Plan) -> list[RunKey]:
    """Return the runs behind the frontiers."""
    return [RunKey(*names, seed) for names in exit_variants(plan) for seed in plan.config.seeds]


def exit_curves(plan: Plan, progress: Progress, threads: int = 1) -> list[ExitCurves]:
    """Evaluate all thresholds of each early-exit method's stored runs, datasets in their order.

    Args:
        plan: of the profile.
        progress: called with (seeds done, seeds of all methods).
        threads: to work with; of HVU one threshold takes half a minute of one.

    Raises:
        BenchmarkError: if a file of a measured run cannot be read.
    """
    order = list(plan.config.datasets)
    variants = sorted(exit_variants(plan), key=lambda v: order.index(v[0]))
    found: list[ExitCurves] = []
    for number, names in enumerate(variants):

        def seeds_done(done: int, num_before: int = number * len(plan.config.seeds)) -> None:
            progress(num_before + done, len(variants) * len(plan.config.seeds))

        found += _curves(plan, *names, done=seeds_done, threads=threads)
    return found


def _curves(
    plan: Plan,
    dataset: str,
    method: str,
    variant: str,
    *,
    done: Callable[[int], None],
    threads: int,
) -> Iterator[ExitCurves]:
    config = plan.config
    manifest, shown = plan.methods[method].manifest, plan.methods[method].manifest.variants[variant]
    row = shown.shown_in.get("figure6", method)
    metric = config.datasets[dataset].metric
    status = measure(config, dataset, method, variant).status
    empty = ExitCurves(dataset, metric, method, row, manifest.label, status)
    if status != MEASURED:
        yield empty
        return
    threshold = float(load_method(plan.methods[method]).exit_threshold)
    own, fixed, at_own = [], [], []
    for number, seed in enumerate(config.seeds, 1):
        traced = _of_seed(plan, RunKey(dataset, method, variant, seed), threshold, threads)
        if traced is None:
            return
        own.append(traced[0])
        fixed.append(traced[1])
        place = int(np.flatnonzero(traced[0].settings == threshold)[0])
        at_own.append((float(traced[0].gflops[place]), float(traced[0].values[place])))
        done(number)
    yield replace(empty, own=tuple(own), fixed=tuple(fixed), at_own=tuple(at_own))


def _of_seed(
    plan: Plan, key: RunKey, threshold: float, threads: int
) -> tuple[Frontier, Frontier] | None:
    """Return the own and the fixed rule of a run; none where there is no threshold to move."""
    steps = load_steps(plan.layout.runs, key)
    if np.isnan(steps.exit_values).all():
        return None
    videos = manifest_of(plan.config, key.dataset)
    number = min(NUM_RESAMPLES, plan.config.bootstrap.replicates)
    ids = steps.video_ids.tolist()
    judge = Judge(
        targets=videos.targets(ids),
        metric=plan.config.datasets[key.dataset].metric,
        weights=dataset_resamples(key.dataset, tuple(ids), number),
        threads=threads,
    )
    levels = spaced_thresholds(steps.exit_values, NUM_THRESHOLDS, threshold)
    return trace_thresholds(steps, judge, levels), trace_fixed(steps, judge)
