"""Prediction runs: all videos of a dataset through a method or an exit control."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmark.contract import ExitControl
from benchmark.cost.meter import Meter
from benchmark.evaluation.audit import Auditor, audit_sample
from benchmark.evaluation.early_exit import predict_steps
from benchmark.evaluation.rows import TEST_ROWS, TRAIN_ROWS, TRAINING_LOG
from benchmark.experiment.layout import RunKey
from benchmark.experiment.plan import Plan
from benchmark.experiment.stage_index import read_stage_index
from benchmark.files.sealed import file_sha256
from benchmark.files.writing import write_text
from benchmark.methods.blame import fault_of_method
from benchmark.seeds import derive_seed, video_keys
from benchmark.step_records import StepRecords, concatenate
from benchmark.training.dataset import OpenDataset
from benchmark.training.trained import Trained
from benchmark.training.trainer import Trainer
from benchmark.videos import Videos

__all__ = [
    "CONTROL_VIDEOS",
    "audit_run",
    "control_sample",
    "digests_of_files",
    "entry_of",
    "facts_of_run",
    "predict_all",
    "predict_videos",
    "prediction_seed",
]

_OUTPUTS = (TEST_ROWS, TRAIN_ROWS, TRAINING_LOG)
_BATCH = 256
_AUDITED = 4
CONTROL_VIDEOS = 10_000
Progress = Callable[[int, int], None]


def predict_videos(
    data: OpenDataset, trained: Trained, video_ids: Sequence[str], seed: int, batch: int = _BATCH
) -> StepRecords:
    """Run a trained method on videos, in batches."""
    sources = trained.sources(video_ids)
    keys, lengths = video_keys(video_ids), data.lengths(video_ids)
    parts = []
    for start in range(0, len(video_ids), batch):
        chosen = np.arange(start, min(start + batch, len(video_ids)))

        def make(meter: Meter, chosen: Any = chosen) -> Videos:
            indices = torch.from_numpy(chosen)
            return Videos(
                sources,
                indices,
                keys[chosen],
                lengths[chosen],
                seed,
                meter=meter,
                device=trained.device,
            )

        parts.append(predict_steps(trained.method, make, [video_ids[i] for i in chosen.tolist()]))
    return concatenate(parts)


def predict_all(trainer: Trainer, seeds: Sequence[int]) -> list[dict[str, Any]]:
    """Write the rows of every variant of a method for some seeds, after its training job.

    Returns:
        one entry for each (variant, seed): its file, or why it failed.
    """
    plan, dataset, method = trainer.plan, trainer.data.name, trainer.name
    layout = plan.layout
    index = layout.stage_index(dataset, method, "training", seeds)
    trained = read_stage_index(index, "train", dataset, method)
    made = {(entry["variant"], entry["seed"]): entry for entry in trained}
    untrained = {name: entry for name, entry in made.items() if "checkpoints" not in entry}
    keys = [key for key in plan.runs(dataset, method) if key.seed in seeds]
    entries: list[dict[str, Any]] = []
    for key in keys:

        def run(key: RunKey = key) -> dict[str, Any]:
            steps = _predict_run(plan, trainer, key, layout.runs)
            audit = audit_run(trainer, key, steps) if key.seed == seeds[0] else []
            facts = facts_of_run(trainer, key, trainer.params(key.variant), steps)
            checkpoints = [trainer.folder / n for n in made[key.variant, key.seed]["checkpoints"]]
            return {"audit": audit, **facts, "inputs": digests_of_files(checkpoints, layout.runs)}

        entries.append(entry_of(plan, key, untrained.get((key.variant, key.seed)), run))
        trainer.log.progress(len(entries), len(keys))
    return entries


def entry_of(
    plan: Plan, key: RunKey, before: dict[str, Any] | None, run: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """Run what writes a run's rows, unless it ended before; a failure leaves no old rows.

    Raises:
        Exception: what no method is to blame for, such as a full disk or a damaged file.
    """
    runs = plan.layout.runs
    entry: dict[str, Any] = {"variant": key.variant, "seed": key.seed}
    rows = key.folder(runs) / TEST_ROWS
    if before is None:
        try:
            return {
                **entry,
                **run(),
                "predictions": f"{key.variant}/seed{key.seed}/{rows.name}",
                "outputs": digests_of_files(map(rows.with_name, _OUTPUTS), runs),
            }
        except Exception as fault:
            before = {"failed": f"prediction: {fault_of_method(fault, plan.method_folders)}"}
    rows.unlink(missing_ok=True)
    return {**entry, **before}


def digests_of_files(paths: Iterable[Path], runs: Path) -> dict[str, str]:
    """Return the SHA-256 of those files that exist, by their path below the folder of all runs."""
    there = sorted(path for path in paths if path.is_file())
    return {str(path.relative_to(runs)): file_sha256(path) for path in there}


def facts_of_run(trainer: Trainer, key: RunKey, params: Any, steps: StepRecords) -> dict[str, Any]:
    """Return what is reported beside the rows: parameters, set and learned, and the data."""
    trained = trainer.get(key.variant, key.seed, 0)
    networks = trained.networks or trainer.frozen_networks
    roles = trainer.plan.variant_roles(key.method, key.variant)
    parts = [trained.method, *(networks[role] for role in roles)]
    sound = trainer.data.sound if trainer.plan.is_audio(key.method, key.variant) else None
    return {
        "params": asdict(params),
        "num_parameters": sum(p.numel() for part in parts for p in part.parameters()),
        "data_digest": trainer.data.digest,
        "manifest_digest": trainer.data.manifest.digest,
        "frames_digest": trainer.data.store.digest,
        "weights": {role: trainer.weights[role] for role in roles},
        **({"num_silent": sound.num_silent(steps.video_ids.tolist())} if sound else {}),
    }


def audit_run(
    trainer: Trainer,
    key: RunKey,
    steps: StepRecords,
    control: ExitControl | None = None,
    num_videos: int = _AUDITED,
) -> list[str]:
    """Replay a sample of a run's videos alone, from pixels.

    Args:
        trainer: of the method whose network runs.
        key: the run of that method.
        steps: the rows to audit: of this run, or of an exit control on it.
        control: that exit control.
        num_videos: size of the sample, from the first fold.

    Returns:
        a sentence for each disagreement.
    """
    trained, data = trainer.get(key.variant, key.seed, 0), trainer.data
    ids = audit_sample(data.fold(0)[1], num_videos)
    sources = data.computed(ids, trained.networks or trainer.frozen_networks)
    videos = list(zip(range(len(ids)), ids, data.lengths(ids).tolist(), strict=True))
    seed = prediction_seed(key)
    return Auditor(trained.method, sources, videos, seed, control, device=trained.device).faults(
        steps
    )


def prediction_seed(key: RunKey) -> int:
    """Return the seed of a run's random choices at test time."""
    return derive_seed(key.dataset, key.method, key.variant, key.seed, "prediction")


def control_sample(train_ids: Sequence[str], count: int = CONTROL_VIDEOS) -> list[str]:
    """Return the training videos whose steps exit controls are given, in their order.

    All of them, or `count` that are chosen by their ids alone: the scores of HVU's 476,000 would
    take 60 GB a run, and a threshold that is fitted on 10,000 takes a mean exit step within some
    hundredths of a step of theirs.
    """
    if len(train_ids) <= count:
        return list(train_ids)
    chosen = set(sorted(train_ids, key=lambda video: derive_seed("control", video))[:count])
    return [video for video in train_ids if video in chosen]


def _predict_run(plan: Plan, trainer: Trainer, key: RunKey, runs: Path) -> StepRecords:
    folder = key.folder(runs)
    seed = prediction_seed(key)
    on_train = plan.needs_train_steps(key.dataset, key.method, key.variant)
    test_parts, train_parts, log = [], [], []
    for fold in range(trainer.data.manifest.num_folds):
        trained = trainer.get(key.variant, key.seed, fold)
        train_ids, test_ids = trainer.data.fold(fold)
        test_parts.append(predict_videos(trainer.data, trained, test_ids, seed))
        log += [{"fold": fold, **line} for line in trained.log]
        if on_train:
            some = control_sample(train_ids)
            train_parts.append(predict_videos(trainer.data, trained, some, seed))
    steps = concatenate(test_parts)
    if not np.isfinite(steps.scores).all():
        raise FloatingPointError("scores are not finite")
    steps.save(folder / TEST_ROWS)
    if on_train:
        concatenate(train_parts).save(folder / TRAIN_ROWS)
    else:
        (folder / TRAIN_ROWS).unlink(missing_ok=True)
    write_text(folder / TRAINING_LOG, "".join(f"{json.dumps(line)}\n" for line in log))
    return steps
