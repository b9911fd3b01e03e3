"""The predictions of a profile: what they execute, and what their rows take on the disk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmark.contract import EarlyExit
from benchmark.cost.meter import Meter
from benchmark.estimate.counting import NUM_VIDEOS, CountedFeatures, Subject, batch_of
from benchmark.estimate.ranges import Range, exactly
from benchmark.evaluation.early_exit import predict_steps
from benchmark.experiment.plan import Plan
from benchmark.step_records import StepRecords
from benchmark.videos import Videos

__all__ = ["Predictions", "predictions"]


@dataclass(frozen=True)
class Predictions:
    """The runs of one variant under all seeds, one for each seed.

    Attributes:
        macs: executed for one video.
        frames: stored frames that networks read of a video.
        row_bytes: of one video's row, before compression.
        num_steps: S, of a row.
        on_train: whether a control asks for its steps on training videos.
    """

    dataset: str
    method: str
    variant: str
    macs: Range
    frames: Range
    row_bytes: int
    num_steps: int
    on_train: bool


def predictions(plan: Plan, subject: Subject) -> Iterator[Predictions]:
    """Yield the runs of a method's variants on a dataset."""
    ids = [f"video {number}" for number in range(NUM_VIDEOS)]
    for variant in subject.variants():
        method = subject.build(subject.params(variant)).eval()
        sources = {role: CountedFeatures(info) for role, info in subject.networks.items()}

        def make(meter: Meter, sources: dict[str, CountedFeatures] = sources) -> Videos:
            return batch_of(sources, subject.facts, meter=meter)

        steps = predict_steps(method, make, ids)
        stored = not plan.config.backbone.finetune or subject.kept_inputs(method) is not None
        early = isinstance(method, EarlyExit)
        free = subject.networks if stored else ()
        yield Predictions(
            dataset=subject.dataset,
            method=subject.method,
            variant=variant,
            macs=_executed(steps.exiting_at(steps.exit_step, uncharged=tuple(free)), early=early),
            frames=exactly(0.0) if stored else _frames(steps, early=early),
            row_bytes=_row_bytes(steps),
            num_steps=steps.num_steps,
            on_train=plan.needs_train_steps(subject.dataset, subject.method, variant),
        )


def _executed(steps: StepRecords, *, early: bool) -> Range:
    """Return the MACs of a video: to its exit, which is not known yet, and once at all steps."""
    step, answer = (m.sum(axis=2).mean(axis=0) for m in (steps.step_macs, steps.exit_macs))
    if not early:
        return exactly(float(step.sum() + answer.sum()))
    everything = float(step.sum() + answer.sum())
    last = float(step.sum() + answer[-1])
    first = last if np.isnan(steps.exit_values).all() else float(step[0] + answer[0])
    return Range(everything + min(first, last), everything + last)


def _frames(steps: StepRecords, *, early: bool) -> Range:
    opened = steps.frames_opened.mean(axis=0)
    if not early:
        return exactly(float(opened[-1]))
    first = opened[-1] if np.isnan(steps.exit_values).all() else opened[0]
    return Range(float(opened[-1] + first), float(2 * opened[-1]))


def _row_bytes(steps: StepRecords) -> int:
    """Return what a row takes: scores, exit values, and integers by step and component."""
    size = steps.scores.nbytes + steps.exit_values.nbytes + steps.frames_opened.nbytes
    size += steps.last_opened.nbytes + steps.pixels_fed.nbytes
    return (size + steps.step_macs.nbytes + steps.exit_macs.nbytes) // steps.num_videos
