"""The frontier of each early-exit method: which runs it comes from, and what they say together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from benchmark.contract import EarlyExit
from benchmark.data.manifest import Manifest, read_manifest
from benchmark.evaluation.bootstrap import dataset_resamples
from benchmark.evaluation.frontier import (
    Frontier,
    Judge,
    spaced_thresholds,
    trace_fixed,
    trace_thresholds,
)
from benchmark.evaluation.records import RunKey, Steps
from benchmark.layout import Layout
from benchmark.methods import load_method
from benchmark.plan import Plan
from benchmark.reporting.measurements import MEASURED, measure

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


def exit_curves(plan: Plan, progress: Progress) -> list[ExitCurves]:
    """Evaluate all thresholds of each early-exit method's stored runs, datasets in their order.

    Raises:
        BenchmarkError: if a file of a measured run cannot be read.
    """
    variants = exit_variants(plan)
    order = list(plan.config.datasets)
    found: list[ExitCurves] = []
    for number, names in enumerate(sorted(variants, key=lambda v: order.index(v[0])), 1):
        found += _curves(plan, *names)
        progress(number, len(variants))
    return found


def _curves(plan: Plan, dataset: str, method: str, variant: str) -> Iterator[ExitCurves]:
    config, layout = plan.config, Layout.of(plan.config)
    manifest, shown = plan.methods[method].manifest, plan.methods[method].manifest.variants[variant]
    row = shown.shown_in.get("figure6", method)
    metric = config.datasets[dataset].metric
    status = measure(config, dataset, method, variant).status
    empty = ExitCurves(dataset, metric, method, row, manifest.label, status)
    if status != MEASURED:
        yield empty
        return
    videos = read_manifest(layout.manifest(dataset))
    threshold = float(load_method(plan.methods[method]).exit_threshold)
    own, fixed, at_own = [], [], []
    for seed in config.seeds:
        rows = RunKey(dataset, method, variant, seed).folder(layout.runs) / "predictions.parquet"
        steps = Steps.load(rows)
        if np.isnan(steps.exit_values).all():
            return  # there is no threshold to move
        judge = _judge(plan, dataset, videos, steps)
        levels = spaced_thresholds(steps.exit_values, NUM_THRESHOLDS, threshold)
        own.append(trace_thresholds(steps, judge, levels))
        fixed.append(trace_fixed(steps, judge))
        place = int(np.flatnonzero(levels == threshold)[0])
        at_own.append((float(own[-1].gflops[place]), float(own[-1].values[place])))
    yield replace(empty, own=tuple(own), fixed=tuple(fixed), at_own=tuple(at_own))


def _judge(plan: Plan, dataset: str, videos: Manifest, steps: Steps) -> Judge:
    number = min(NUM_RESAMPLES, plan.config.bootstrap.replicates)
    return Judge(
        targets=videos.targets(steps.video_ids.tolist()),
        metric=plan.config.datasets[dataset].metric,
        weights=dataset_resamples(dataset, videos.digest, steps.num_videos, number),
    )
