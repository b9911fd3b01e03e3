"""Holds what was measured on built-in videos against what the generator knows.

The generator records in which frames each cue shows, so the earliest step at which a video can be
decided is known for any frame order. If the oracle's exits did not follow it, the data, the
backbone or the classifiers would be broken; if the gates' exits did not follow difficulty, the
gates would be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from benchmark.config.profile import Config
from benchmark.data.builtin.truth import Truth, load_truth
from benchmark.data.frames.store import FrameStore
from benchmark.errors import BenchmarkError
from benchmark.evaluation.rows import load_steps
from benchmark.experiment.layout import Layout, RunKey
from benchmark.experiment.plan import Plan
from benchmark.reporting.made import Made, Work
from benchmark.reporting.tables.formats import to_csv, to_list
from benchmark.reporting.tables.measurements import MEASURED, measure
from benchmark.seeds import derive_seed
from benchmark.step_records import StepRecords

__all__ = ["Finding", "known_answers_texts", "make", "runs_behind"]

Statistic = npt.NDArray[np.float64]
_INTRODUCTION = (
    "**Known answers.** Measured on built-in videos, against the generator's record of what shows "
    "when. Steps are numbered from 1; low and high are the 95 % bootstrap interval over videos."
)


@dataclass(frozen=True)
class Finding:
    """One comparison with the record, over all seeds.

    Attributes:
        value: the statistic, mean over seeds.
        low: lower end of the 95 % bootstrap interval over videos.
        high: its upper end.
    """

    dataset: str
    question: str
    value: float
    low: float
    high: float
    num_videos: int


def make(plan: Plan, name: str, work: Work) -> Made:
    """Make `known_answers.csv` and `.md` for the built-in sets of a profile."""
    del name, work
    layout = plan.layout
    truths = [layout.videos(d) / "truth.jsonl" for d in _builtin_sets(plan.config)]
    texts = known_answers_texts(plan.config)
    made_of = tuple(path for path in truths if path.is_file())
    return Made({f"tables/{file}": text for file, text in texts.items()}, made_of=made_of)


def runs_behind(plan: Plan, name: str) -> list[RunKey]:
    """Return the runs that are held against the record."""
    del name
    return [
        RunKey(dataset, method, "default", seed)
        for dataset in _builtin_sets(plan.config)
        for method in ("frameexit", "oracle_exit")
        if plan.config.asks_for(method, "default")
        for seed in plan.config.seeds
    ]


def known_answers_texts(config: Config) -> dict[str, str]:
    """Return the text of both files, by name."""
    findings = [asdict(f) for dataset in _builtin_sets(config) for f in _findings(config, dataset)]
    return {
        "known_answers.csv": to_csv(findings),
        "known_answers.md": to_list(_INTRODUCTION, findings, decimals=4),
    }


def _builtin_sets(config: Config) -> list[str]:
    return [name for name, settings in config.datasets.items() if settings.builtin is not None]


def _findings(config: Config, dataset: str) -> Iterator[Finding]:
    gated = _runs(config, dataset, "frameexit", "default")
    oracle = _runs(config, dataset, "oracle_exit", "default")
    if not gated or not oracle:
        return
    layout = Layout.of(config)
    truth = load_truth(layout.videos(dataset) / "truth.jsonl")
    store = FrameStore.open(layout.frames(dataset))
    ids = gated[0].video_ids.tolist()
    decidable = _decidable(gated[0], [truth[video] for video in ids], store)
    tiers = np.array([truth[video].difficulty for video in ids])
    gate_exits = np.stack([run.exit_step for run in gated])
    oracle_exits = np.stack([run.exit_step for run in oracle])
    draws = np.random.default_rng(derive_seed("known answers", dataset)).integers(
        len(ids), size=(config.bootstrap.replicates, len(ids))
    )

    def finding(question: str, statistic: Any) -> Finding:
        everything = np.arange(len(ids))
        resampled = np.array([statistic(chosen) for chosen in draws])
        defined = resampled[np.isfinite(resampled)]  # no correlation where all exits are equal
        low, high = np.percentile(defined, [2.5, 97.5]) if len(defined) else (np.nan, np.nan)
        value = float(statistic(everything))
        return Finding(dataset, question, value, float(low), float(high), len(ids))

    yield finding("mean earliest decidable step (record)", lambda v: decidable[v].mean())
    yield finding("mean exit step of the oracle", lambda v: oracle_exits[:, v].mean())
    yield finding("mean exit step of FrameExit", lambda v: gate_exits[:, v].mean())
    yield finding(
        "rank correlation of the oracle's exits with the record",
        lambda v: _correlation(oracle_exits[:, v], decidable[v]),
    )
    yield finding(
        "rank correlation of FrameExit's exits with the record",
        lambda v: _correlation(gate_exits[:, v], decidable[v]),
    )
    yield finding(
        "oracle exits no earlier than decidable, share of videos",
        lambda v: (oracle_exits[:, v] >= decidable[v]).mean(),
    )
    yield finding(
        "FrameExit exits no earlier than decidable, share of videos",
        lambda v: (gate_exits[:, v] >= decidable[v]).mean(),
    )
    yield finding(
        "FrameExit's exit step, hard less easy videos",
        lambda v: _difference(gate_exits[:, v], tiers[v] == "hard", tiers[v] == "easy"),
    )


def _runs(config: Config, dataset: str, method: str, variant: str) -> list[StepRecords]:
    """Return the steps of all seeds; none if any of them has no numbers."""
    if measure(config, dataset, method, variant).status != MEASURED:
        return []
    runs = Layout.of(config).runs
    keys = [RunKey(dataset, method, variant, seed) for seed in config.seeds]
    return [load_steps(runs, key) for key in keys]


def _decidable(run: StepRecords, truths: Sequence[Truth], store: FrameStore) -> Statistic:
    """Return the recorded earliest decidable step of each video; one past the last if never."""
    if run.positions is None:
        raise BenchmarkError("FrameExit's rows do not say which frames were opened")
    steps = []
    for truth, positions in zip(truths, run.positions, strict=True):
        step = truth.earliest_decidable_step(store.source_frames(truth.video_id)[positions])
        steps.append(run.num_steps + 1 if step is None else step)
    return np.array(steps, dtype=np.float64)


def _correlation(exits: npt.NDArray[np.int64], decidable: Statistic) -> float:
    """Return Spearman's rank correlation, mean over seeds."""
    with np.errstate(invalid="ignore"):
        expected = rankdata(decidable)
        return float(np.mean([np.corrcoef(rankdata(row), expected)[0, 1] for row in exits]))


def _difference(
    exits: npt.NDArray[np.int64], one: npt.NDArray[np.bool_], other: npt.NDArray[np.bool_]
) -> float:
    return float(exits[:, one].mean() - exits[:, other].mean())
