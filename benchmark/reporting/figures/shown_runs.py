"""The stored steps behind a figure, read a seed at a time, with the labels of their videos."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from benchmark.config.profile import Config
from benchmark.data.manifest.manifest import Manifest
from benchmark.data.manifest.of_dataset import manifest_of
from benchmark.evaluation.rows import load_steps
from benchmark.experiment.layout import Layout, RunKey
from benchmark.experiment.paper import FigureSpec
from benchmark.methods.discovery import MethodFolder
from benchmark.reporting.tables.measurements import MEASURED, measure
from benchmark.reporting.tables.rows import NO_DATASET
from benchmark.step_records import StepRecords

__all__ = ["ShownRun", "dataset_of", "load_run", "shown_runs"]

Targets = npt.NDArray[np.int64] | npt.NDArray[np.float32]
Result = TypeVar("Result")


@dataclass(frozen=True, eq=False)
class ShownRun:
    """A variant that a figure shows.

    Attributes:
        row: what `shown_in` calls it.
        status: 'measured', or why there are no steps.
        keys: of the runs, one a seed; none where it is not measured.
        runs: the folder of all runs.
        manifest: of the videos.
    """

    row: str
    label: str
    method: str
    status: str
    keys: tuple[RunKey, ...] = ()
    runs: Path = Path()
    manifest: Manifest | None = None

    def each_seed(
        self, of: Callable[[StepRecords, Targets], Result], *, answers_only: bool = False
    ) -> list[Result]:
        """Return what a function makes of the steps and targets of each seed.

        One seed is in memory at a time: all scores of HVU's test videos are 3.9 GB.

        Args:
            of: given steps and their targets, `[N]` class indices or `[N, C]` 0/1.
            answers_only: read no scores but those of the answers.

        Raises:
            BenchmarkError: if a file cannot be read.
        """
        return [of(*self._read(key, answers_only)) for key in self.keys]

    def _read(self, key: RunKey, answers_only: bool) -> tuple[StepRecords, Targets]:
        assert self.manifest is not None
        steps = load_steps(self.runs, key, answers_only=answers_only)
        return steps, self.manifest.targets(steps.video_ids.tolist())


def dataset_of(config: Config, spec: FigureSpec) -> str | None:
    """Return the dataset that a figure is drawn for, none where the profile has none."""
    (role,) = spec.roles
    return next((name for name, d in config.datasets.items() if d.role == role), None)


def shown_runs(
    config: Config, methods: Mapping[str, MethodFolder], spec: FigureSpec
) -> list[ShownRun]:
    """Find the steps of all variants that a figure shows, by row."""
    dataset = dataset_of(config, spec)
    found = [
        load_run(config, dataset, method, variant, row)
        for method in methods.values()
        for variant, settings in method.manifest.variants.items()
        for shown, row in settings.shown_in.items()
        if shown == spec.id
    ]
    return sorted(found, key=lambda run: (run.row, run.method, run.label))


def load_run(
    config: Config, dataset: str | None, method: MethodFolder, variant: str, row: str
) -> ShownRun:
    """Find the steps of all seeds of a variant, or why there are none."""
    label = method.manifest.variants[variant].label
    if dataset is None:
        return ShownRun(row, label, method.name, NO_DATASET)
    status = measure(config, dataset, method.name, variant).status
    if status != MEASURED:
        return ShownRun(row, label, method.name, status)
    layout = Layout.of(config)
    keys = tuple(RunKey(dataset, method.name, variant, seed) for seed in config.seeds)
    manifest = manifest_of(config, dataset)
    return ShownRun(row, label, method.name, status, keys, layout.runs, manifest)
