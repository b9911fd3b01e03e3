"""A whole plan: what is known of the videos, what has to be done, and how fast this machine is."""

from __future__ import annotations

from collections.abc import Mapping

from benchmark.estimate.counting import Subject, networks_of
from benchmark.estimate.document import Document
from benchmark.estimate.lines import data_lines, run_lines, training_lines
from benchmark.estimate.predictions import predictions
from benchmark.estimate.ranges import Range
from benchmark.estimate.rates import Rates, rates_of
from benchmark.estimate.stages import training_stages
from benchmark.estimate.videos import VideoFacts, video_facts
from benchmark.experiment.layout import Layout
from benchmark.experiment.plan import Plan
from benchmark.experiment.resources import THREADS_PER_GPU
from benchmark.machine import one_thread, return_freed_memory

__all__ = ["whole_plan"]

_UNCERTAIN = (
    "All networks are taken to be as fast as the backbone; small and depthwise ones are slower for "
    "their MACs.",
    f"A job has {THREADS_PER_GPU} threads a GPU, which waits for frames where core hours are more "
    f"than {THREADS_PER_GPU} times its own; set-threads gives it more (docs/paper.md).",
    "Predictions run a video to its exit, which is not known yet, and once through all steps.",
    "Rows of predictions are compressed, to between 60 % and all of their size.",
    "Reading and writing are worked out for memory, not for your disk or network.",
    "Not counted: audits, tables, figures and the MLflow mirror (minutes on one core), frontiers "
    "(on request; about 2 core hours on HVU), videos that the profile generates, and the "
    "pretraining of small networks.",
)


def whole_plan(plan: Plan, gmacs: Range | None = None) -> Document:
    """Return the plan of a profile; the calibration is kept beside the profile's results.

    Args:
        plan: what the profile runs.
        gmacs: 10^9 MACs a second of the device, if it is known.

    Raises:
        BenchmarkError: for a dataset of which neither a manifest nor a descriptor is there, and
            for methods that do not import.
    """
    config = plan.config
    facts = {name: video_facts(config, name) for name in config.datasets}
    return_freed_memory()  # of the manifests, before networks take theirs
    examples = {name: known.examples for name, known in facts.items()}
    rates = rates_of(config, examples, gmacs, Layout.of(config).root / "calibration.json")
    return_freed_memory()
    with one_thread():
        networks = networks_of(config, config.roles)
        return_freed_memory()
        lines = list(data_lines(config, facts, networks, rates))
        for name, known in facts.items():
            methods = [m for where, m in plan.variants if where == name and not plan.is_control(m)]
            subjects = [Subject(plan, name, method, known, networks) for method in methods]
            stages = [stage for one in subjects for stage in training_stages(plan, one)]
            runs = [run for one in subjects for run in predictions(plan, one)]
            pictures = rates.pictures[config.frames_name(name)]
            lines += training_lines(stages, known, rates, pictures)
            lines += run_lines(plan, runs, known, rates, pictures)
    order = list(dict.fromkeys(line.stage for line in lines))
    lines.sort(key=lambda line: order.index(line.stage))
    return Document(config.profile, facts, lines, rates, _uncertain(facts, rates))


def _uncertain(facts: Mapping[str, VideoFacts], rates: Rates) -> list[str]:
    said = [reason for known in facts.values() for reason in known.uncertain]
    return [*said, *rates.notes, *_UNCERTAIN]
