"""A method in the small world: built, trained and run as the harness does it."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric

from benchmark.checks.world import MemorySource, World, make_world
from benchmark.config.learning import Training
from benchmark.contract import EarlyExit, Method, Prediction, Stage
from benchmark.cost.meter import Meter
from benchmark.evaluation.early_exit import predict_steps, run_deployed
from benchmark.evaluation.exits import threshold_for_budget
from benchmark.methods.discovery import MethodFolder
from benchmark.methods.loading import load_method, make_params
from benchmark.seeds import derive_seed
from benchmark.step_records import StepRecords, concatenate
from benchmark.training.checkpoints import stage_params
from benchmark.training.distributed.processes import single_process
from benchmark.training.fit import Epoch, fit
from benchmark.training.state import put_tensors, tensors_of
from benchmark.videos import Videos

__all__ = [
    "NotApplicableError",
    "Subject",
    "Trained",
    "answer",
    "schedule_of",
    "scrambled",
    "this_process",
]

EPOCHS = 30
SEED = 5


class NotApplicableError(Exception):
    """Says in a sentence why a check makes no sense for a method."""


@dataclass(frozen=True)
class Trained:
    """A trained method, and the loss of each epoch by stage."""

    method: Method
    losses: Mapping[str, list[float]]


class Subject:
    """A method's folder with what the checks need of it, made when it is first asked for.

    Args:
        folder: the method's.
        methods: all methods by name, for the source of an exit control.
        together: names of the methods that are checked with it.
    """

    def __init__(
        self,
        folder: MethodFolder,
        methods: Mapping[str, MethodFolder],
        together: Sequence[str] = (),
    ) -> None:
        self.folder, self.methods, self.manifest = folder, methods, folder.manifest
        self.together = tuple(sorted({folder.name, *together}))

    @cached_property
    def kind(self) -> type[Any]:
        """The class `Method` of its code."""
        return load_method(self.folder)

    @property
    def own_folders(self) -> list[Path]:
        """The method's folder and those of the methods that it builds on."""
        folders, base = [self.folder.folder], self.manifest.extends
        while base is not None:
            folders.append(self.methods[base].folder)
            base = self.methods[base].manifest.extends
        return folders

    @property
    def main_variant(self) -> str:
        """The variant that is looked at most closely."""
        variants = self.manifest.variants
        return "default" if "default" in variants else next(iter(variants))

    def params(self, variant: str = "", changes: Mapping[str, Any] | None = None) -> Any:
        """Return the parameters of a variant, the main one if none is named, with changes."""
        name = variant or self.main_variant
        where = f"{self.folder.folder / 'method.yaml'}: {name}"
        return make_params(
            self.kind, {**self.manifest.variants[name].params, **(changes or {})}, where
        )

    @cached_property
    def world(self) -> World:
        """Videos, and the networks that any variant asks for."""
        asked = [v.networks or self.manifest.networks for v in self.manifest.variants.values()]
        return make_world(tuple(dict.fromkeys(role for roles in asked for role in roles)))

    @cached_property
    def trained(self) -> Trained:
        """The main variant, trained; to be copied before it is run."""
        return self.train(self.params())

    @property
    def source(self) -> Subject:
        """The method whose steps an exit control re-reads."""
        assert self.manifest.source is not None, "it is an exit control"
        return Subject(self.methods[self.manifest.source.method], self.methods)

    @property
    def is_control(self) -> bool:
        """Whether it is an exit control."""
        return self.manifest.source is not None

    def leave_if_control(self, why: str) -> None:
        """Leave a check that makes no sense for an exit control."""
        if self.manifest.source is not None:
            origin = self.manifest.source.method
            raise NotApplicableError(f"it only re-reads the stored steps of {origin}, {why}")

    def build(self, params: Any, world: World | None = None, seed: int = SEED) -> Method:
        """Return a new instance, in evaluation mode."""
        torch.manual_seed(derive_seed("build", seed))
        method: Method = self.kind((world or self.world).task, params)
        return method.eval()

    def train(self, params: Any, epochs: int = EPOCHS) -> Trained:
        """Train all stages on stored features."""
        method = self.build(params)
        losses: dict[str, list[float]] = {}

        def note(epoch: Epoch) -> None:
            losses.setdefault(epoch.stage, []).append(epoch.loss)

        videos = self.world.training_set(self.world.sources(stored=True))
        for stage in method.stages:
            seed = derive_seed(SEED, stage.name)
            schedule = schedule_of(stage, epochs)
            fit(method, stage, videos, schedule, seed, fabric=this_process(), report=note)
        return Trained(method.eval(), losses)

    @cached_property
    def _instances(self) -> list[tuple[str, Method]]:
        made: list[tuple[str, Method]] = []
        by_weights: dict[str, Method] = {}
        for name, variant in self.manifest.variants.items():
            params = self.params(name)
            method = self.build(params)
            weights = f"{stage_params(self.kind, params, method.stages)} {variant.networks}"
            if name == self.main_variant:
                by_weights[weights] = method = self.trained.method
            elif weights in by_weights:
                put_tensors({"": method}, tensors_of({"": by_weights[weights]}))
            else:
                by_weights[weights] = method = self.train(params).method
            made.append((name, method))
        untrained = self._exiting_everywhere()
        return made + ([("with an untrained gate", untrained)] if untrained else [])

    def ready(self) -> Iterator[tuple[str, Method]]:
        """Yield (variant, trained instance), each a fresh copy; and one that exits everywhere."""
        for name, method in self._instances:
            yield name, copy.deepcopy(method)

    def _exiting_everywhere(self) -> Method | None:
        """Return an untrained early exit whose threshold lets videos leave at many steps.

        A gate that has learned from 16 videos may send all of them to the same exit.
        """
        method = self.build(self.params())
        if not isinstance(method, EarlyExit):
            return None
        values = self.rows(copy.deepcopy(method), self.world.test).exit_values
        levels = np.unique(values[np.isfinite(values)])
        if len(levels) < 2:
            return None
        below = threshold_for_budget(values, (1 + method.num_steps) / 2)
        above = levels[levels > below]
        method.exit_threshold = (max(below, 0.0) + float(above[0] if len(above) else 1.0)) / 2
        return method

    def rows(
        self,
        method: Method,
        places: Sequence[int],
        *,
        stored: bool = True,
        batch: int = 64,
        world: World | None = None,
    ) -> StepRecords:
        """Return the rows of videos that are predicted in batches."""
        world = world or self.world
        sources = world.sources(stored=stored)
        parts = []
        for start in range(0, len(places), batch):
            chosen = places[start : start + batch]

            def make(meter: Meter, chosen: Sequence[int] = chosen) -> Videos:
                return world.videos(chosen, sources, SEED, meter)

            parts.append(predict_steps(method, make, [world.ids[place] for place in chosen]))
        return concatenate(parts)


@cache
def this_process() -> Fabric:
    """Return the process that trains alone; to make it reads files, so it is made once."""
    return single_process()


def schedule_of(stage: Stage, epochs: int) -> Training:
    """Return a schedule that gives a stage this many epochs."""
    scale = epochs / stage.epochs
    return Training(head_units=16, learning_rate=0.01, batch_size=8, epochs_scale=scale)


@torch.inference_mode()
def answer(
    method: Method, world: World, sources: Mapping[str, MemorySource]
) -> tuple[Prediction, Videos]:
    """Run a method on the test videos as it would be deployed."""
    videos = world.videos(world.test, sources, SEED)
    with scrambled(SEED):  # so that what differs between two runs is not chance
        return run_deployed(method, videos), videos


@contextmanager
def scrambled(number: int) -> Iterator[None]:
    """Start all global random generators elsewhere, and put them back afterwards."""
    states = torch.get_rng_state(), np.random.get_state(), random.getstate()
    torch.manual_seed(number)
    np.random.seed(number)
    random.seed(number)
    try:
        yield
    finally:
        torch.set_rng_state(states[0])
        np.random.set_state(states[1])
        random.setstate(states[2])
