"""Checks of prediction: a video's answer depends on what was opened of it, and on nothing else."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch

from benchmark.checks.control import ControlRun, permuted
from benchmark.checks.subject import SEED, Subject, answer, scrambled
from benchmark.contract import EarlyExit, Method, Prediction
from benchmark.evaluation.audit import SCORE_TOLERANCE
from benchmark.step_records import StepRecords

__all__ = [
    "batch_invariance",
    "frames_opened",
    "no_label_leak",
    "no_look_ahead",
    "row_differences",
]

_ALONE = 4


def batch_invariance(subject: Subject) -> list[str]:
    """A video costs and answers the same alone and in any batch: rows do not depend on neighbours.

    The test videos are run in one batch, in smaller ones in another order, and some alone. Exits,
    frames and MACs must be equal, scores up to the rounding that the audit allows.
    """
    subject.leave_if_control("whose rule may look at all videos together")
    faults, test = [], subject.world.test
    for name, method in subject.ready():
        whole = subject.rows(method, test)
        for title, places, batch in (
            ("alone", test[:_ALONE], 1),
            ("in another batch", test[::-1], 5),
        ):
            other = subject.rows(method, places, batch=batch)
            for what in row_differences(whole, other, method):
                faults.append(f"variant '{name}': {title} {what}")
    return faults


def row_differences(whole: StepRecords, other: StepRecords, method: Method) -> list[str]:
    """Return a sentence for each kind of difference, about the first video that shows it."""
    place = {video: row for row, video in enumerate(whole.video_ids.tolist())}
    rows = np.array([place[video] for video in other.video_ids.tolist()])
    decided = _decided(whole, rows, other, method)
    pairs = {
        "stops at another step": (whole.exit_step, other.exit_step),
        "costs other MACs": (whole.macs(), other.macs()),
        "opens another number of frames": (whole.frames_at_exit(), other.frames_at_exit()),
    }
    scores = np.abs(whole.exit_scores()[rows] - other.exit_scores()).max(axis=1)
    wrong = {what: first[rows] != second for what, (first, second) in pairs.items()}
    wrong["has other scores"] = ~(scores <= SCORE_TOLERANCE)
    return [
        f"video {other.video_ids[(bad & decided).argmax()]} {what}"
        for what, bad in wrong.items()
        if (bad & decided).any()
    ]


def _decided(
    whole: StepRecords, rows: npt.NDArray[np.int64], other: StepRecords, method: Method
) -> npt.NDArray[np.bool_]:
    """Say of which videos the exit is not decided by the rounding of a gate's value."""
    if not isinstance(method, EarlyExit):
        return np.ones(len(rows), dtype=bool)
    first = np.minimum(whole.exit_step[rows], other.exit_step) - 1
    gap = np.abs(whole.exit_values[rows, first] - method.exit_threshold)
    same: npt.NDArray[np.bool_] = whole.exit_step[rows] == other.exit_step
    clear: npt.NDArray[np.bool_] = ~(gap < SCORE_TOLERANCE)
    return same | clear


def no_look_ahead(subject: Subject) -> list[str]:
    """Frames that were not opened cannot help: an early exit has not seen the rest of the video.

    They are replaced by noise. Scores, exits and the choice of frames stay, to the last bit.
    """
    subject.leave_if_control("and opens no frame")
    faults, world = [], subject.world
    draw = torch.Generator().manual_seed(0)
    noise = torch.randint(256, world.frames.shape, dtype=torch.uint8, generator=draw)
    for name, method in subject.ready():
        sources = world.sources(stored=True)
        before, videos = answer(copy.deepcopy(method), world, sources)
        opened = np.zeros(world.frames.shape[:2], dtype=bool)
        opened[world.test, : videos.opened.frames.shape[1]] = videos.opened.frames
        kept = torch.from_numpy(opened)[:, :, None, None, None]
        blind = replace(world, frames=torch.where(kept, world.frames, noise))
        after, again = answer(method, blind, blind.sources(stored=True))
        same_frames = np.array_equal(videos.opened.frames, again.opened.frames)
        what = _changed(before, after) or ([] if same_frames else ["the choice of frames"])
        if what:
            faults.append(f"variant '{name}': frames that it did not open change {what[0]}")
    return faults


def no_label_leak(subject: Subject) -> list[str]:
    """Test labels are for marking only: permuting them changes no exit and no score."""
    if subject.is_control:
        return _control_leaks(subject)
    world = subject.world
    labels = torch.from_numpy(permuted(world.targets.numpy(), world.task.num_classes))
    faults = []
    for name, method in subject.ready():
        before = answer(copy.deepcopy(method), world, world.sources(stored=True))[0]
        other = replace(world, targets=labels)
        after = answer(method, other, other.sources(stored=True))[0]
        if what := _changed(before, after):
            faults.append(f"variant '{name}': permuted test labels change {what[0]}")
    return faults


def _control_leaks(subject: Subject) -> list[str]:
    faults, run = [], ControlRun(subject)
    wrong = permuted(run.targets, run.world.task.num_classes)
    for name in subject.manifest.variants:
        exits = []
        for labels in (run.targets, wrong):
            with scrambled(SEED):
                exits.append(run.exits(subject.params(name), labels))
        if not np.array_equal(exits[0], exits[1]):
            faults.append(f"variant '{name}': its exit steps depend on the test labels")
    return faults


def frames_opened(subject: Subject) -> list[str]:
    """The reported number of frames is true: it is what the sources handed out, frame by frame."""
    subject.leave_if_control("and opens no frame")
    faults, world = [], subject.world
    for name, method in subject.ready():
        sources = world.sources(stored=True)
        _, videos = answer(copy.deepcopy(method), world, sources)
        opened = videos.opened.frames
        handed = np.any([source.handed for source in sources.values()], axis=0)
        wrong = (handed[world.test, : opened.shape[1]] != opened).any(axis=1)
        counted = subject.rows(method, world.test).frames_at_exit() != opened.sum(axis=1)
        if (wrong | counted).any():
            row = int((wrong | counted).argmax())
            given = int(handed[world.test[row]].sum())
            faults.append(
                f"variant '{name}': video {world.ids[world.test[row]]} reports "
                f"{opened[row].sum()} frames, {given} were handed out"
            )
    return faults


def _changed(before: Prediction, after: Prediction) -> list[str]:
    """Return which parts of an answer are not equal to the last bit."""
    pairs = {
        "exits": (before.exit_step, after.exit_step),
        "scores": (before.scores, after.scores),
    }
    return [what for what, (first, second) in pairs.items() if not torch.equal(first, second)]
