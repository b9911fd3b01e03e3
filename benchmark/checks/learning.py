"""Checks of training: it learns, ends in the same weights, and stores all that it learned."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmark.checks.control import ControlRun
from benchmark.checks.subject import SEED, Subject, schedule_of, scrambled
from benchmark.errors import BenchmarkError
from benchmark.seeds import derive_seed
from benchmark.step_records import StepRecords
from benchmark.training.fit import fit
from benchmark.training.kept_state import StageState
from benchmark.training.same_answers import Model
from benchmark.videos import Videos

__all__ = ["checkpoint", "fit_falls", "same_seed"]

_FALL = 1e-3


def fit_falls(subject: Subject) -> list[str]:
    """A method learns: otherwise its row says nothing about its idea.

    On 16 easy videos, 30 epochs a stage, the loss of each stage's last epoch is below its first's.
    """
    subject.leave_if_control("and trains nothing")
    return [
        f"the loss of stage '{stage}' goes from {losses[0]:.4g} to {losses[-1]:.4g}"
        for stage, losses in subject.trained.losses.items()
        if not losses[-1] < losses[0] - _FALL * abs(losses[0])
    ]


def checkpoint(subject: Subject) -> list[str]:
    """What is stored is all that was learned: a run that is resumed gives the same table.

    Trained for two epochs a stage, with the networks that it fine-tunes, stored and loaded into a
    new instance with other random weights, the method predicts the same to the last bit.
    """
    subject.leave_if_control("and stores no weights")
    params, world = subject.params(), subject.world.own_networks()
    fresh_world = subject.world.own_networks()
    trained = Model(subject.build(params), world.networks)
    fresh = Model(subject.build(params, seed=SEED + 1), fresh_world.networks)
    method, videos = trained.method, world.training_set(world.sources(stored=False))

    def compared(model: Model) -> Videos:
        shown = replace(subject.world, networks=model.networks)
        return shown.videos(shown.test, shown.sources(stored=False), SEED)

    with tempfile.TemporaryDirectory() as folder:
        for number, stage in enumerate(method.stages):
            finetuned = {r: world.networks[r] for r in stage.finetunes if r in world.networks}
            networks = list(finetuned.values())
            seed = derive_seed(SEED, stage.name)
            state = StageState(stage.name, trained, finetuned)
            fit(method, stage, videos, schedule_of(stage, 2), seed, finetuned=networks)
            path = Path(folder) / f"{number}.safetensors"
            try:
                state.store(path, [{"stage": stage.name}], fresh, compared)
            except BenchmarkError as fault:
                return [str(fault)]
    before = subject.rows(method.eval(), world.test, stored=False, world=world)
    after = subject.rows(fresh.method.eval(), world.test, stored=False, world=fresh_world)
    changed = _differences(before, after)
    return [f"loaded from its checkpoints, it has other {what}" for what in changed]


def same_seed(subject: Subject) -> list[str]:
    """A number can be had again: all randomness comes from the seed of the run.

    Trained and run twice with one seed, whatever the global random generators held before, it
    predicts the same to the last bit. An exit control gives the same steps.
    """
    if subject.is_control:
        run = ControlRun(subject)
        exits = []
        for number in (1, 2):
            with scrambled(number):
                exits.append(run.exits(subject.params()))
        same = np.array_equal(exits[0], exits[1])
        return [] if same else ["with one seed it gives different exit steps each time"]
    rows = []
    for number in (1, 2):
        with scrambled(number):
            method = subject.train(subject.params(), epochs=4).method
        with scrambled(number + 2):
            rows.append(subject.rows(method, subject.world.test))
    return [f"trained twice with one seed, it has other {what}" for what in _differences(*rows)]


def _differences(first: StepRecords, second: StepRecords) -> list[str]:
    """Return what of two runs' rows is not equal to the last bit."""
    return [
        name.replace("_", " ")
        for name in ("scores", "exit_values", "exit_step", "frames_opened", "positions")
        if not _equal(getattr(first, name), getattr(second, name))
    ]


def _equal(first: object, second: object) -> bool:
    if first is None or second is None:
        return first is second
    left, right = np.asarray(first), np.asarray(second)
    return np.array_equal(left, right, equal_nan=left.dtype.kind == "f")
