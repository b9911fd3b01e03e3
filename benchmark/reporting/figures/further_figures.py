"""Figures that the paper does not have: every method's exits on every dataset, and the strip."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib import rc_context
from matplotlib.figure import Figure

from benchmark.data.builtin.truth import load_truth
from benchmark.data.frames.resize import rounded
from benchmark.data.frames.store import FrameStore
from benchmark.data.manifest.of_dataset import manifest_of
from benchmark.evaluation.rows import load_steps
from benchmark.experiment.layout import RunKey
from benchmark.experiment.plan import Plan
from benchmark.methods.loading import load_method
from benchmark.reporting.figures.exits import draw_exit_statistics
from benchmark.reporting.figures.shown_runs import load_run
from benchmark.reporting.figures.strip import Shown, choose_videos, draw_strip, shown_steps
from benchmark.reporting.figures.style import SETTINGS
from benchmark.reporting.frontier.curves import exit_variants, frontier_keys
from benchmark.reporting.made import Made, Work
from benchmark.reporting.tables.formats import Value, to_csv
from benchmark.reporting.tables.measurements import MEASURED, measure
from benchmark.step_records import StepRecords

__all__ = ["make", "runs_behind"]

_PIXELS = 96
Drawn = tuple[Figure, list[dict[str, Value]]]


def make(plan: Plan, name: str, work: Work) -> Made:
    """Make one of them, with a csv of what it shows.

    Raises:
        BenchmarkError: if a file of a measured run cannot be read.
    """
    del work
    with rc_context(SETTINGS):
        figure, records = {"exits": _exits, "strip": _strip}[name](plan)
    return Made({f"figures/{name}.csv": to_csv(records)}, figure)


def runs_behind(plan: Plan, name: str) -> list[RunKey]:
    """Return the runs of all methods that stop early."""
    del name
    return frontier_keys(plan)


def _exits(plan: Plan) -> Drawn:
    runs = [
        load_run(plan.config, dataset, plan.methods[method], variant, _name(plan, dataset, method))
        for dataset, method, variant in exit_variants(plan)
    ]
    title = "Where videos exit: each method that stops early, as it is by default"
    return draw_exit_statistics(plan.config, title, runs)


def _name(plan: Plan, dataset: str, method: str) -> str:
    return f"{dataset}: {plan.methods[method].manifest.label}"


def _strip(plan: Plan) -> Drawn:
    """Draw the first method that stops early and says which frames it opened."""
    reason = "no method of this profile stops early"
    for dataset, method, variant in exit_variants(plan):
        status = measure(plan.config, dataset, method, variant).status
        if status != MEASURED:
            reason = f"{_name(plan, dataset, method)}: {status}"
            continue
        layout = plan.layout
        keys = [RunKey(dataset, method, variant, seed) for seed in plan.config.seeds]
        runs = [load_steps(layout.runs, key) for key in keys]
        if runs[0].positions is not None:
            return _strip_of(plan, keys[0], runs)
    return draw_strip(plan.config, "", [], 0.0, reason)


def _strip_of(plan: Plan, key: RunKey, runs: list[StepRecords]) -> Drawn:
    config, layout = plan.config, plan.layout
    store = FrameStore.open(layout.frames(config.frames_name(key.dataset)))
    manifest, run = manifest_of(config, key.dataset), runs[0]
    targets = manifest.targets(run.video_ids.tolist())
    class_name, chosen = choose_videos(runs, targets, manifest.classes)
    strips = []
    for row, place, mean_exit in chosen:
        video = str(run.video_ids[row])
        facts = {
            "dataset": key.dataset,
            "method": key.method,
            "class_name": class_name,
            "video_id": video,
            "place": place,
            "mean_exit_step": mean_exit,
            "seed": key.seed,
        }
        steps = shown_steps(run, targets, row, _decidable_step(plan, key, store, run, row), facts)
        strips.append((steps, _frames(store, steps)))
    threshold = float(load_method(plan.methods[key.method]).exit_threshold)
    title = (
        f"{_name(plan, key.dataset, key.method)}, seed {key.seed}: class '{class_name}', whose "
        f"videos differ most in where they exit"
    )
    return draw_strip(config, title, strips, threshold)


def _decidable_step(
    plan: Plan, key: RunKey, store: FrameStore, run: StepRecords, row: int
) -> float | None:
    """Return the first step at which a built-in video can be known; none for other videos."""
    if plan.config.datasets[key.dataset].builtin is None or run.positions is None:
        return None
    video = str(run.video_ids[row])
    truth = load_truth(plan.layout.videos(key.dataset) / "truth.jsonl")[video]
    step = truth.earliest_decidable_step(store.source_frames(video)[run.positions[row]])
    return float("inf") if step is None else float(step)


def _frames(store: FrameStore, steps: list[Shown]) -> npt.NDArray[np.uint8]:
    positions = [step.position for step in steps]
    return rounded(store.frames(steps[0].video_id, positions, size=_PIXELS))
