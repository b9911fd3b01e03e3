"""The runs that claims read: rows of the paper's tables and figures, paired by video and seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from benchmark.config.datasets import Role
from benchmark.config.profile import Config
from benchmark.data.manifest.of_dataset import manifest_of
from benchmark.evaluation.bootstrap import dataset_resamples
from benchmark.evaluation.result import Result
from benchmark.evaluation.rows import load_steps
from benchmark.experiment.layout import Layout, RunKey
from benchmark.experiment.paper import load_paper
from benchmark.methods.discovery import MethodFolder
from benchmark.reporting.claims.quantities import Quantity
from benchmark.reporting.tables.measurements import MEASURED, NOT_RUN, Measurement, measure
from benchmark.step_records import StepRecords

__all__ = [
    "PAPER_DATASETS",
    "ClaimRuns",
    "NotApplicableError",
    "Row",
    "Sample",
    "StepStatistic",
    "row_keys",
    "row_label",
]

PAPER_DATASETS = {"long": "ActivityNet", "short": "Mini-Kinetics", "multi": "HVU"}

Row = tuple[str, str]
"""A table or figure, and a row of it."""

# A statistic of one seed: steps, targets and weights `[B, N]` -> `[B]`.
StepStatistic = Callable[
    [StepRecords, npt.NDArray[np.generic], npt.NDArray[np.int32]], npt.NDArray[np.float64]
]


class NotApplicableError(Exception):
    """A claim cannot be tested in this profile; the message says why."""


@dataclass(frozen=True, eq=False)
class Sample:
    """A variant on a dataset, over all seeds.

    Attributes:
        label: what the paper calls its row, or its method where that is a figure's.
        params: of the variant.
        measured: what the tables say of it.
    """

    label: str
    dataset: str
    method: str
    variant: str
    params: Mapping[str, object]
    measured: Measurement
    percent: npt.NDArray[np.float64]
    replicates: npt.NDArray[np.float64]
    config: Config

    @property
    def name(self) -> str:
        """'dataset/method/variant'."""
        return f"{self.dataset}/{self.method}/{self.variant}"

    @property
    def num_videos(self) -> int:
        """Number of videos that it answered."""
        return self.measured.counts.evaluated

    @property
    def accuracy(self) -> Quantity:
        """The dataset's metric, in points."""
        return Quantity(self.percent, self.replicates, self.num_videos, 100 / self.num_videos)

    @cached_property
    def log_cost(self) -> Quantity:
        """The logarithm of the mean MACs a video, whose differences are factors."""

        def mean_macs(
            steps: StepRecords, _targets: npt.NDArray[np.generic], weights: npt.NDArray[np.int32]
        ) -> npt.NDArray[np.float64]:
            means: npt.NDArray[np.float64] = weights @ steps.macs() / weights.sum(axis=1)
            return np.log(means)

        return self.statistic(mean_macs, answers_only=True)

    def statistic(
        self, of: StepStatistic, scale: float = 1.0, *, answers_only: bool = False
    ) -> Quantity:
        """Return a statistic of the rows of each seed, as measured and in each resample.

        Args:
            of: the statistic.
            scale: its value where all videos have what it counts: 100 for points.
            answers_only: whether it reads no scores but those of the answers.

        Raises:
            NotApplicableError: if it is not defined for these rows.
        """
        layout = Layout.of(self.config)
        manifest = manifest_of(self.config, self.dataset)
        # The resamples that the metrics were evaluated in.
        number = self.config.bootstrap.replicates
        values, replicates = [], []
        for seed in self.config.seeds:
            key = RunKey(self.dataset, self.method, self.variant, seed)
            steps = load_steps(layout.runs, key, answers_only=answers_only)
            ids = steps.video_ids.tolist()
            targets = manifest.targets(ids)
            weights = dataset_resamples(self.dataset, tuple(ids), number)
            once = np.ones((1, steps.num_videos), dtype=np.int32)
            values.append(of(steps, targets, once)[0])
            replicates.append(of(steps, targets, weights))
        return _defined(np.array(values), np.stack(replicates), self, scale)


class ClaimRuns:
    """Finds the rows of a profile by table and row, each read once."""

    def __init__(self, config: Config, methods: Mapping[str, MethodFolder]) -> None:
        self.config, self._methods = config, methods
        self._known: dict[tuple[str, str, str, str], Sample | str] = {}

    def dataset(self, role: Role) -> str:
        """Return the dataset of a role.

        Raises:
            NotApplicableError: if the profile has none.
        """
        for name, settings in self.config.datasets.items():
            if settings.role == role:
                return name
        raise NotApplicableError(
            f"no dataset of this profile plays the part of {PAPER_DATASETS[role]} ({role})"
        )

    def num_classes(self, role: Role) -> int:
        """Return the number of classes of a role's dataset."""
        return len(manifest_of(self.config, self.dataset(role)).classes)

    def all_of(self, row: Row, role: Role) -> list[Sample]:
        """Return the variants of a row; a figure's row may have several.

        Raises:
            NotApplicableError: if there is none, or one of them has no numbers; it says why.
        """
        dataset = self.dataset(role)
        owners = _owners(self._methods, row, role)
        found = [self._read(row, dataset, *owner) for owner in owners]
        reasons = [sample for sample in found if isinstance(sample, str)]
        if reasons or not found:
            raise NotApplicableError("; ".join(reasons) or f"{row_label(row)}: {NOT_RUN}")
        return [sample for sample in found if not isinstance(sample, str)]

    def one(self, row: Row, role: Role) -> Sample:
        """Return the variant of a table's row.

        Raises:
            NotApplicableError: if it has no numbers; it says why.
        """
        return self.all_of(row, role)[0]

    def _read(self, row: Row, dataset: str, method: str, variant: str) -> Sample | str:
        own = self._methods[method].manifest.variants[variant].label
        label = row_label(row) if row[0] in load_paper().tables else own
        key = (label, dataset, method, variant)
        if key not in self._known:
            self._known[key] = self._sample(*key)
        return self._known[key]

    def _sample(self, label: str, dataset: str, method: str, variant: str) -> Sample | str:
        outcome = measure(self.config, dataset, method, variant)
        if outcome.status != MEASURED:
            return f"{label} on {dataset}: {outcome.status}"
        assert outcome.measurement is not None
        assert outcome.replicates is not None
        runs = Layout.of(self.config).runs
        folders = [RunKey(dataset, method, variant, s).folder(runs) for s in self.config.seeds]
        results = [Result.load(folder / "result.json") for folder in folders]
        if len({result.num_videos.evaluated for result in results}) > 1:
            return f"{label} on {dataset}: its seeds answered different videos"
        percent = np.array([100 * result.value for result in results])
        return Sample(
            label=label,
            dataset=dataset,
            method=method,
            variant=variant,
            params=self._methods[method].manifest.variants[variant].params,
            measured=outcome.measurement,
            percent=percent,
            replicates=outcome.replicates,
            config=self.config,
        )


def row_label(row: Row) -> str:
    """Return what the paper calls a row."""
    shown, name = row
    paper = load_paper()
    known = paper.tables[shown].rows if shown in paper.tables else paper.figures[shown].curves
    return next((found.label for found in known if found.id == name), name)


def row_keys(
    config: Config, methods: Mapping[str, MethodFolder], rows: Sequence[Row], roles: Sequence[Role]
) -> set[RunKey]:
    """Return the runs of some rows on the datasets of some roles."""
    return {
        RunKey(dataset, method, variant, seed)
        for dataset, settings in config.datasets.items()
        if settings.role in roles
        for row in rows
        for method, variant in _owners(methods, row, settings.role)
        if config.asks_for(method, variant)
        for seed in config.seeds
    }


def _owners(methods: Mapping[str, MethodFolder], row: Row, role: Role) -> list[tuple[str, str]]:
    """Return the (method, variant) behind a row, of those that run on datasets of the role."""
    shown, wanted = row
    roles = load_paper().roles
    return [
        (method.name, variant)
        for method in methods.values()
        for variant, settings in method.manifest.variants.items()
        if settings.shown_in.get(shown) == wanted
        if any(role in roles[other] for other in settings.shown_in)
    ]


def _defined(
    values: npt.NDArray[np.float64],
    replicates: npt.NDArray[np.float64],
    sample: Sample,
    scale: float,
) -> Quantity:
    """Return a quantity without the resamples in which it has no value."""
    kept = replicates[:, np.isfinite(replicates).all(axis=0)]
    if not np.isfinite(values).all() or 2 * kept.shape[1] < replicates.shape[1]:
        raise NotApplicableError(
            f"{sample.label} on {sample.dataset}: all videos of a seed exit at the same step"
        )
    return Quantity(values, kept, sample.num_videos, scale / sample.num_videos)
