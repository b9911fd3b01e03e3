"""An exit control in the small world: its source is trained there, and it re-reads the steps."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.checks.subject import SEED, Subject
from benchmark.checks.world import World
from benchmark.contract import EarlyExit, ExitControl
from benchmark.step_records import StepRecords

__all__ = ["ControlRun", "permuted"]


class ControlRun:
    """An exit control on the steps that its source produced.

    Args:
        subject: the control.
        world: where the source runs untrained; None: in its own world, trained.
    """

    def __init__(self, subject: Subject, world: World | None = None) -> None:
        spec = subject.manifest.source
        assert spec is not None, "it is an exit control"
        self._subject, self._spec, self._untrained = subject, spec, world is not None
        self.source = subject.source
        self.world = world or self.source.world
        self.method = self._made(spec.variant)

    @cached_property
    def test(self) -> StepRecords:
        """The source's steps on the test videos."""
        return self.source.rows(self.method, self.world.test, world=self.world)

    @cached_property
    def train(self) -> StepRecords | None:
        """Its steps on the training videos, where method.yaml asks for them."""
        if not self._spec.train_steps:
            return None
        return self.source.rows(self.method, self.world.train, world=self.world)

    @cached_property
    def budget_steps(self) -> float | None:
        """Mean exit step of the variant that method.yaml names as the budget."""
        if self._spec.budget is None:
            return None
        method = self._made(self._spec.budget)
        return float(self.source.rows(method, self.world.test, world=self.world).exit_step.mean())

    @property
    def targets(self) -> npt.NDArray[Any]:
        """Labels of the test videos."""
        labels: npt.NDArray[Any] = self.world.targets[self.world.test].numpy()
        return labels

    def control(self, params: Any) -> ExitControl:
        """Return a new instance of the control."""
        control: ExitControl = self._subject.kind(params)
        control.budget_steps = self.budget_steps
        return control

    def exits(self, params: Any, targets: npt.NDArray[Any] | None = None) -> npt.NDArray[np.int64]:
        """Return the exit steps of the test videos under the control's rule."""
        labels = self.targets if targets is None else targets
        return np.asarray(self.control(params).exit_steps(self.test, self.train, labels, SEED))

    def rows(self, params: Any) -> StepRecords:
        """Return the control's rows."""
        control, exits = self.control(params), self.exits(params)
        return self.test.exiting_at(exits, charged=control.charged, uncharged=control.uncharged)

    def _made(self, variant: str) -> EarlyExit:
        params = self.source.params(variant)
        if self._untrained:
            method = self.source.build(params, self.world)
        else:
            method = self.source.train(params).method
        assert isinstance(method, EarlyExit), "only an early exit has steps to re-read"
        return method


def permuted(targets: npt.NDArray[Any], num_classes: int) -> npt.NDArray[Any]:
    """Return labels that are wrong for every video."""
    result: npt.NDArray[Any] = (targets + 1) % num_classes if targets.ndim == 1 else 1 - targets
    return result
