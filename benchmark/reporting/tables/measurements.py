"""What the seeds of one variant say together, read from their result files.

A number is shown only where every seed of the profile has one: a mean over the seeds that happened
to survive would be another experiment.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmark.config.profile import Config
from benchmark.evaluation.result import Counts, Result
from benchmark.experiment.layout import Layout, RunKey
from benchmark.reporting.tables.intervals import interval

__all__ = [
    "LEFT_OUT",
    "MEASURED",
    "NOT_RUN",
    "Difference",
    "Measurement",
    "Outcome",
    "compare",
    "measure",
]

MEASURED = "measured"
NOT_RUN = "not run here"
LEFT_OUT = f"{NOT_RUN}: left out by only_methods"


@dataclass(frozen=True)
class Measurement:
    """A variant on a dataset, over all seeds.

    Attributes:
        percent: mean of the dataset's metric over the seeds.
        percent_std: sample standard deviation over the seeds, none with one seed.
        percent_low: lower end of the 95 % interval over videos and seeds.
        percent_high: its upper end.
        category_percent: mean over categories of mAP, then over the seeds; none without categories.
        frames: mean number of different frames opened a video.
        gflops: mean of 10^9 MACs a video.
        gflops_std: over the seeds, none with one seed.
        gflops_2x: the same work with two operations a MAC, as some tools print it.
        gflops_as_quoted: of the backbone alone, frames times a constant, as the paper quotes it.
        gflops_by_component: 'backbone 0.1; head 0.01; …', in full.
        frames_decoded: frames a decoder reads to reach the last one opened.
        megapixels: fed to the backbone.
        num_parameters: of the backbone and all that the method built.
        counts: what became of the videos.
        labels: what a reader must know.
    """

    num_seeds: int
    percent: float
    percent_std: float | None
    percent_low: float
    percent_high: float
    category_percent: float | None
    frames: float
    gflops: float
    gflops_std: float | None
    gflops_2x: float
    gflops_as_quoted: float
    gflops_by_component: str
    frames_decoded: float | None
    megapixels: float | None
    num_parameters: int | None
    counts: Counts
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """A row less its reference row, in points, with the 95 % paired interval."""

    reference: str
    points: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lets it be called a difference."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of a variant on a dataset.

    Attributes:
        status: 'measured', 'failed: …', 'missing: …', 'skipped: …' or 'not run here…'.
        measurement: where measured.
        replicates: `[S, B]`, the metric of each seed in each resample of the videos, in percent.
    """

    status: str
    measurement: Measurement | None = None
    replicates: npt.NDArray[np.float64] | None = None


def measure(config: Config, dataset: str, method: str, variant: str) -> Outcome:
    """Read all seeds of a variant that the profile runs.

    Raises:
        BenchmarkError: if a result file cannot be read.
    """
    if not config.asks_for(method, variant):
        return Outcome(LEFT_OUT)
    runs = Layout.of(config).runs
    folders = {s: RunKey(dataset, method, variant, s).folder(runs) for s in config.seeds}
    absent = [seed for seed in config.seeds if not (folders[seed] / "result.json").is_file()]
    if len(absent) == len(config.seeds):
        return Outcome("missing: no result")
    if absent:
        return Outcome(f"missing: no result of seed {', '.join(map(str, absent))}")
    results = [Result.load(folders[seed] / "result.json") for seed in config.seeds]
    broken = [result for result in results if result.status != "ok"]
    if broken:
        which = f"seed {broken[0].seed}: " if len(broken) < len(results) else ""
        reason = " ".join(broken[0].reason.split())
        return Outcome(f"{broken[0].status}: {which}{reason}")
    replicates = 100 * np.stack([result.replicates(runs) for result in results])
    return Outcome(MEASURED, _measurement(results, replicates), replicates)


def compare(outcome: Outcome, reference: Outcome, name: str) -> Difference | None:
    """Return the paired difference of two measured outcomes on the same videos, else none.

    Args:
        outcome: the row.
        reference: the row that it is compared with.
        name: the reference row's.
    """
    ours, theirs = outcome.measurement, reference.measurement
    if ours is None or theirs is None or ours.counts.evaluated != theirs.counts.evaluated:
        return None
    assert outcome.replicates is not None
    assert reference.replicates is not None
    points = ours.percent - theirs.percent
    low, high = interval(points, outcome.replicates - reference.replicates)
    return Difference(name, points, low, high)


def _measurement(results: list[Result], replicates: npt.NDArray[np.float64]) -> Measurement:
    values = np.array([100 * result.value for result in results])
    macs = np.array([result.macs_per_video for result in results], dtype=np.float64)
    frames = np.array([result.frames_per_video for result in results], dtype=np.float64)
    low, high = interval(float(values.mean()), replicates)
    # A part that some seed never runs, such as a network that its policy never chose, cost nothing.
    names = dict.fromkeys(name for result in results for name in result.macs_by_component)
    parts = {
        n: float(np.mean([r.macs_by_component.get(n, 0) for r in results]) / 1e9) for n in names
    }
    return Measurement(
        num_seeds=len(results),
        percent=float(values.mean()),
        percent_std=_sample_std(values),
        percent_low=low,
        percent_high=high,
        category_percent=_mean([result.metrics.get("category_map") for result in results], 100),
        frames=float(frames.mean()),
        gflops=float(macs.mean() / 1e9),
        gflops_std=_sample_std(macs / 1e9),
        gflops_2x=float(2 * macs.mean() / 1e9),
        gflops_as_quoted=parts.get("backbone", 0.0),
        gflops_by_component="; ".join(f"{name} {value:.6g}" for name, value in parts.items()),
        frames_decoded=_mean([result.frames_decoded_per_video for result in results]),
        megapixels=_mean([result.pixels_per_video for result in results], 1e-6),
        num_parameters=results[0].num_parameters,
        counts=results[0].num_videos,
        labels=results[0].labels,
    )


def _mean(values: list[float | None], scale: float = 1.0) -> float | None:
    known = [value for value in values if value is not None]
    return scale * float(np.mean(known)) if len(known) == len(values) else None


def _sample_std(values: npt.NDArray[np.float64]) -> float | None:
    return float(values.std(ddof=1)) if len(values) > 1 else None
