"""A profile with result files written by hand, as the evaluation would leave them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmark.config.load import validate
from benchmark.config.profile import Config
from benchmark.data.manifest.manifest import Manifest, write_manifest
from benchmark.evaluation.bootstrap import dataset_resamples, replicate_metric
from benchmark.evaluation.metrics import evaluate
from benchmark.evaluation.result import Counts, Result
from benchmark.evaluation.rows import TEST_ROWS
from benchmark.experiment.layout import Layout, RunKey
from benchmark.files.sealed import file_sha256
from benchmark.methods.discovery import MethodFolder, discover
from benchmark.step_records import StepRecords


@dataclass(frozen=True)
class Bench:
    """A profile in a temporary folder."""

    config: Config
    methods: dict[str, MethodFolder]

    @property
    def layout(self) -> Layout:
        return Layout.of(self.config)

    def result(
        self,
        key: RunKey,
        value: float,
        replicates: Sequence[float] | np.ndarray,
        *,
        macs: float = 2e9,
        frames: float = 5.0,
        evaluated: int = 40,
        labels: tuple[str, ...] = ("built-in data",),
        components: Mapping[str, float] | None = None,
    ) -> None:
        dataset = self.config.datasets[key.dataset]
        Result(
            dataset=key.dataset,
            role=dataset.role,
            method=key.method,
            variant=key.variant,
            seed=key.seed,
            kind=self.methods[key.method].manifest.kind,
            status="ok",
            primary_metric=dataset.metric,
            metrics={dataset.metric: value},
            macs_per_video=macs,
            macs_by_component=dict(components or {}),
            frames_per_video=frames,
            num_videos=Counts(manifest=100, evaluated=evaluated, missing=1, unreadable=2),
            labels=labels,
            provenance={"outputs": self._outputs(key)},
        ).save(self.layout.runs, np.asarray(replicates, dtype=np.float64))

    def _outputs(self, key: RunKey) -> dict[str, str]:
        path = key.folder(self.layout.runs) / TEST_ROWS
        name = str(path.relative_to(self.layout.runs))
        return {name: file_sha256(path)} if path.is_file() else {}

    def failure(self, key: RunKey, reason: str) -> None:
        dataset = self.config.datasets[key.dataset]
        Result(
            dataset=key.dataset,
            role=dataset.role,
            method=key.method,
            variant=key.variant,
            seed=key.seed,
            kind="method",
            status="failed",
            reason=reason,
            primary_metric=dataset.metric,
            num_videos=Counts(manifest=100, evaluated=0),
        ).save(self.layout.runs)

    def manifest(self, dataset: str, labels: Sequence[str], classes: Sequence[str]) -> Manifest:
        num = len(labels)
        rows = pd.DataFrame(
            {
                "video_id": [f"v{i:04d}" for i in range(num)],
                "path": [f"v{i:04d}.mp4" for i in range(num)],
                "sha256": [f"{i:064x}" for i in range(num)],
                "labels": list(labels),
                "split": "val",
                "group": "",
                "fold": 0,
                "duration_s": 1.0,
                "fps": 10.0,
                "num_frames": 10,
                "width": 48,
                "height": 48,
                "has_audio": False,
                "stream": 0,
                "start_s": 0.0,
                "constant_rate": True,
                "status": "ok",
                "reason": "",
            }
        )
        task = "multi_label" if any("|" in cell for cell in labels) else "single_label"
        folder = self.layout.manifest(dataset).parent
        made = Manifest(dataset, task, tuple(classes), 1, folder / "videos", rows)
        write_manifest(made, self.layout.manifest(dataset))
        return made

    def run(self, key: RunKey, steps: StepRecords, manifest: Manifest) -> None:
        """Write predictions, result and resamples of a run, with the real metrics."""
        targets = manifest.targets(steps.video_ids.tolist())
        metric = self.config.datasets[key.dataset].metric
        ids, number = tuple(steps.video_ids.tolist()), self.config.bootstrap.replicates
        weights = dataset_resamples(key.dataset, ids, number)
        steps.save(key.folder(self.layout.runs) / "predictions.parquet")
        self.result(
            key,
            evaluate(steps.exit_scores(), targets)[metric],
            replicate_metric(metric, steps.exit_scores(), targets, weights),
            macs=float(steps.macs().mean()),
            frames=float(steps.frames_at_exit().mean()),
            evaluated=steps.num_videos,
        )


def make_steps(
    manifest: Manifest, exit_step: np.ndarray, scores: np.ndarray, macs: int = 4_000_000
) -> StepRecords:
    """Return steps of one frame each: `scores` is `[N, S, C]`, `exit_step` `[N]`."""
    num, num_steps, _ = scores.shape
    return StepRecords(
        video_ids=manifest.rows["video_id"].to_numpy(dtype=np.str_),
        scores=scores.astype(np.float32),
        exit_values=np.zeros((num, num_steps), dtype=np.float32),
        exit_step=exit_step.astype(np.int64),
        frames_opened=np.tile(np.arange(1, num_steps + 1), (num, 1)),
        last_opened=np.tile(np.arange(num_steps), (num, 1)),
        pixels_fed=np.tile(np.arange(1, num_steps + 1) * 64, (num, 1)),
        components=("backbone",),
        step_macs=np.full((num, num_steps, 1), macs),
        exit_macs=np.zeros((num, num_steps, 1), dtype=np.int64),
    )


def simulate(
    manifest: Manifest, rng: np.random.Generator, *, threshold: float = 0.7, num_steps: int = 10
) -> StepRecords:
    """Return steps whose scores sharpen with each frame, faster on some videos than on others."""
    targets = manifest.targets(manifest.rows["video_id"].tolist())
    hot = np.eye(len(manifest.classes))[targets] if targets.ndim == 1 else targets
    speed = rng.gamma(1.2, 0.8, size=len(hot))[:, None, None]
    evidence = speed * np.sqrt(np.arange(1, num_steps + 1))[None, :, None] * hot[:, None] * 2.5
    noise = rng.normal(size=(len(hot), 1, hot.shape[1])) + rng.normal(
        scale=0.5, size=evidence.shape
    )
    logits = evidence + noise
    scores = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    sure = scores.max(axis=2) > threshold
    sure[:, -1] = True
    return make_steps(manifest, sure.argmax(axis=1) + 1, scores)


def _write_method(root: Path, name: str, kind: str, variants: Mapping[str, Any]) -> None:
    (root / name).mkdir(parents=True, exist_ok=True)
    lines = [f"name: {name}", f"label: {name}", f"kind: {kind}", "summary: s", "licence: none"]
    lines.append("variants:")
    for variant, shown in variants.items():
        lines += [f"  {variant}:", f"    label: {name} {variant}", f"    shown_in: {shown}"]
    (root / name / "method.yaml").write_text("\n".join(lines), encoding="utf-8")
    (root / name / "method.py").write_text("", encoding="utf-8")


@pytest.fixture
def make_bench(tmp_path: Path):
    """Return a function that makes a profile with methods, `{name: (kind, {variant: shown})}`."""

    def make(methods: Mapping[str, tuple[str, Mapping[str, Any]]], **changes: Any) -> Bench:
        for name, (kind, variants) in methods.items():
            _write_method(tmp_path / "methods", name, kind, variants)
        builtin = {"num_train": 60, "num_val": 40}
        content: dict[str, Any] = {
            "profile": "toy",
            "description": "made-up numbers_with 100 % of TeX's marks.",
            "seeds": [0, 1, 2],
            "results": str(tmp_path / "results"),
            "datasets": {
                "films": {
                    "role": "long",
                    "builtin": {"set": "long", **builtin},
                    "sampling": {"positions": 10},
                    "metric": "top1",
                }
            },
            "backbone": {"network": "small_cnn", "weights": "random"},
            "training": {"head_units": 8, "learning_rate": 0.1, "batch_size": 4},
            "bootstrap": {"replicates": 200},
        }
        return Bench(validate({**content, **changes}, "toy.yaml"), discover([tmp_path / "methods"]))

    return make


@pytest.fixture
def steps_of():
    return make_steps


@pytest.fixture
def simulated():
    return simulate
