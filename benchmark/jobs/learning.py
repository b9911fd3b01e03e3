"""The jobs that make weights, features, trained methods, predictions and metrics."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmark.experiment.plan import Plan
from benchmark.experiment.stage_index import Entry, Stage, read_stage_index, write_stage_index
from benchmark.files.writing import write_json
from benchmark.jobs.job import Job, bind_threads

__all__ = ["control", "evaluate", "features", "pretrain", "train", "weights"]


def pretrain(job: Job) -> None:
    """Train a network on the built-in videos."""
    from benchmark.backbones.pretrain import pretrain  # noqa: PLC0415
    from benchmark.data.builtin.truth import load_truth  # noqa: PLC0415
    from benchmark.data.frames.store import FrameStore  # noqa: PLC0415
    from benchmark.data.manifest.of_dataset import manifest_of  # noqa: PLC0415
    from benchmark.training.distributed.processes import device_of  # noqa: PLC0415

    bind_threads(job.threads)
    layout, sets = job.layout, []
    for name, settings in job.config.datasets.items():
        if settings.builtin is not None:
            store = FrameStore.open(layout.frames(name))
            train = manifest_of(job.config, name).fold(0)[0]
            readable = [video for video in train if video not in store.failures]
            sets.append((store, load_truth(layout.videos(name) / "truth.jsonl"), readable))
    schedule = job.config.backbone.pretraining
    assert schedule is not None, "checked with the settings"
    network = job.config.network(job.item).entry
    device = device_of(job.config.compute)
    path = layout.weights(job.item)
    losses = pretrain(network, schedule, sets, path, job.log.progress, device=device)
    for epoch, loss in enumerate(losses, 1):
        job.log.write(f"epoch {epoch}: loss {loss:.5f}")


def weights(job: Job) -> None:
    """Fetch a network's published weights, or read them from the user's file."""
    from benchmark.backbones.build import build_network  # noqa: PLC0415
    from benchmark.backbones.weights import fetch  # noqa: PLC0415

    settings = job.config.network(job.item)
    network = settings.entry
    given = job.config.place(settings.file) if settings.file else None
    fetch(settings, build_network(network), network.hub, given, job.layout.weights(job.item))


def features(job: Job) -> None:
    """Run a network once over every stored frame."""
    from benchmark.backbones.feature_store import extract_features  # noqa: PLC0415
    from benchmark.data.frames.store import FrameStore  # noqa: PLC0415
    from benchmark.data.sound.store import SoundStore  # noqa: PLC0415
    from benchmark.training.dataset import make_network, weights_digest  # noqa: PLC0415
    from benchmark.training.distributed.processes import device_of  # noqa: PLC0415

    bind_threads(1)  # of each worker
    role, layout = job.item, job.layout
    network = make_network(job.config, role).to(device_of(job.config.compute))
    digest = weights_digest(network)
    for dataset in job.config.frame_owners:
        store = FrameStore.open(layout.frames(dataset))
        sound = SoundStore.open(layout.sound(dataset)) if network.network.is_audio else None
        extract_features(
            store,
            network,
            digest,
            layout.features(dataset, role),
            sound=sound,
            workers=job.threads,
            progress=job.log.progress,
        )
    write_json(layout.features_done(role), {"weights_digest": digest})


def train(job: Job) -> None:
    """Train, then predict with what was trained: the second would import and read it all again."""
    from benchmark.evaluation.predict import predict_all  # noqa: PLC0415
    from benchmark.training.distributed.processes import device_of  # noqa: PLC0415
    from benchmark.training.train_all import train_all  # noqa: PLC0415
    from benchmark.training.trainer import Trainer  # noqa: PLC0415

    bind_threads(job.threads)
    plan = job.plan()
    device = device_of(plan.config.compute)
    trainer = Trainer(plan, job.dataset, job.method, job.log, device)
    entries = train_all(trainer, job.seeds)
    index = job.layout.stage_index(job.dataset, job.method, "training", job.seeds)
    _write_index(job, plan, "train", index, entries)
    rows = predict_all(trainer, job.seeds)
    _write_predictions(job, plan, rows)
    trainer.forget_features(job.seeds)


def control(job: Job) -> None:
    """Re-read stored steps under another exit rule."""
    from benchmark.evaluation.exit_controls import control_all  # noqa: PLC0415

    bind_threads(job.threads)
    plan = job.plan()
    _write_predictions(job, plan, control_all(plan, job.dataset, job.method, job.log.progress))


def _write_predictions(job: Job, plan: Plan, entries: Sequence[Any]) -> None:
    index = job.layout.stage_index(job.dataset, job.method, "predictions", job.seeds)
    _write_index(job, plan, "predict", index, entries)


def evaluate(job: Job) -> None:
    """Compute the metrics of a method's runs on a dataset."""
    from benchmark.evaluation.evaluate import evaluate_all  # noqa: PLC0415

    plan, layout = job.plan(), job.layout
    blocks = plan.seed_blocks(job.dataset, job.method)
    paths = [layout.stage_index(job.dataset, job.method, "predictions", b) for b in blocks]
    owner = (job.dataset, job.method)
    entries = [entry for path in paths for entry in read_stage_index(path, "predict", *owner)]
    written = evaluate_all(plan, job.dataset, job.method, entries, job.log.progress)
    index = layout.results_index(job.dataset, job.method)
    _write_index(job, plan, "evaluate", index, written)


def _write_index(job: Job, plan: Plan, stage: Stage, path: Path, entries: Sequence[Entry]) -> None:
    """Write a stage's list of files, with what they were made with."""
    from benchmark.experiment.fingerprints import made_with  # noqa: PLC0415

    digests = made_with(plan, stage, job.dataset, job.method)
    made = [{**entry, "made_with": digests} for entry in entries]
    write_stage_index(path, stage, job.dataset, job.method, made)
