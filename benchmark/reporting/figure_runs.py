"""The stored steps behind a figure, pooled over seeds, with the labels of their videos."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmark.config import Config
from benchmark.data.manifest import read_manifest
from benchmark.evaluation.records import RunKey, Steps, concatenate
from benchmark.layout import Layout
from benchmark.methods import MethodFolder
from benchmark.reporting.measurements import MEASURED, measure
from benchmark.reporting.paper import FigureSpec
from benchmark.reporting.rows import NO_DATASET

__all__ = ["ShownRun", "dataset_of", "load_run", "shown_runs"]


@dataclass(frozen=True, eq=False)
class ShownRun:
    """A variant that a figure shows.

    Attributes:
        row: what `shown_in` calls it.
        status: 'measured', or why there are no steps.
        num_seeds: S.
        steps: of the N videos under each seed, one seed after the other; S * N rows.
        targets: `[S * N]` class indices, or `[S * N, C]` 0/1.
        classes: names of the C classes.
    """

    row: str
    label: str
    method: str
    status: str
    num_seeds: int = 0
    steps: Steps | None = None
    targets: npt.NDArray[np.int64] | npt.NDArray[np.float32] | None = None
    classes: tuple[str, ...] = ()


def dataset_of(config: Config, spec: FigureSpec) -> str | None:
    """Return the dataset that a figure is drawn for, none where the profile has none."""
    (role,) = spec.roles
    return next((name for name, d in config.datasets.items() if d.role == role), None)


def shown_runs(
    config: Config, methods: Mapping[str, MethodFolder], spec: FigureSpec
) -> list[ShownRun]:
    """Read the steps of all variants that a figure shows, by row.

    Raises:
        BenchmarkError: if a file of a measured run cannot be read.
    """
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
    """Read the steps of all seeds of a variant, or why there are none.

    Raises:
        BenchmarkError: if a file of a measured run cannot be read.
    """
    label = method.manifest.variants[variant].label
    if dataset is None:
        return ShownRun(row, label, method.name, NO_DATASET)
    status = measure(config, dataset, method.name, variant).status
    if status != MEASURED:
        return ShownRun(row, label, method.name, status)
    layout = Layout.of(config)
    manifest = read_manifest(layout.manifest(dataset))
    folders = [RunKey(dataset, method.name, variant, s).folder(layout.runs) for s in config.seeds]
    steps = concatenate([Steps.load(folder / "predictions.parquet") for folder in folders])
    return ShownRun(
        row=row,
        label=label,
        method=method.name,
        status=status,
        num_seeds=len(folders),
        steps=steps,
        targets=manifest.targets(steps.video_ids.tolist()),
        classes=manifest.classes,
    )
