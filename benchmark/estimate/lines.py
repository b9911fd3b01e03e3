"""From videos, work and rates to a plan: a line for each thing that takes time or disk.

A line holds what it was worked out from, so that each number can be checked with pencil and paper.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from benchmark.config.profile import Config
from benchmark.estimate.counting import Networks
from benchmark.estimate.pictures import PictureRates
from benchmark.estimate.predictions import Predictions
from benchmark.estimate.ranges import ZERO, Range, exactly
from benchmark.estimate.rates import Rates
from benchmark.estimate.stages import TrainingStage
from benchmark.estimate.videos import VideoFacts
from benchmark.evaluation.predict import CONTROL_VIDEOS
from benchmark.experiment.plan import Plan

__all__ = ["Line", "data_lines", "run_lines", "training_lines"]

_HOUR = 3600.0
# Of rows of float32, by how far a network's scores are from noise.
_COMPRESSED = Range(0.6, 1.0)


@dataclass(frozen=True)
class Line:
    """What one thing takes.

    Attributes:
        stage: of the workflow.
        what: within it: a method, its stage, a network.
        macs: executed, in all.
        device_hours: of the device that runs the networks.
        core_hours: of one processor core.
        disk_bytes: that stay.
        passing_bytes: of the disk while a job runs.
        inputs: the numbers that were multiplied, by name.
    """

    stage: str
    dataset: str
    what: str
    macs: Range = ZERO
    device_hours: Range = ZERO
    core_hours: Range = ZERO
    disk_bytes: Range = ZERO
    passing_bytes: Range = ZERO
    inputs: Mapping[str, Range | float] = field(default_factory=dict)


def data_lines(
    config: Config, facts: Mapping[str, VideoFacts], networks: Networks, rates: Rates
) -> Iterator[Line]:
    """Yield manifests, frames, and features where networks are frozen."""
    for name, known in facts.items():
        if config.frames_name(name) != name:
            continue  # it shares the videos of another
        size = known.num_videos * known.file_bytes
        yield Line(
            "manifest",
            name,
            "files read and hashed",
            core_hours=size / (rates.hashed_bytes * _HOUR),
            inputs={"videos": known.num_videos, "bytes a video": known.file_bytes},
        )
        stored = known.num_videos * known.positions
        pictures = rates.pictures[name]
        per_pixel = Range(*pictures.stored_bytes)
        decoded = known.num_videos * known.source_frames
        yield Line(
            "frames",
            name,
            "decoded and stored",
            core_hours=decoded / Range(*pictures.decoded_frames) / _HOUR,
            disk_bytes=stored * known.pixels * per_pixel,
            inputs={
                "videos": known.num_videos,
                "frames a video": known.source_frames,
                "decoded a second": Range(*pictures.decoded_frames),
                "stored a video": known.positions,
                "pixels a stored frame": known.pixels,
                "bytes a pixel": per_pixel,
            },
        )
        for role, info in {} if config.backbone.finetune else networks.items():
            count = stored / max(1, info.num_frames)
            macs = count * info.macs
            yield Line(
                "features",
                name,
                role,
                macs=macs,
                device_hours=macs / rates.forward_macs / _HOUR,
                disk_bytes=count * (4.0 * info.num_features),
                inputs={"inputs": count, "MACs an input": float(info.macs)},
            )


def training_lines(
    stages: Iterable[TrainingStage], facts: VideoFacts, rates: Rates, pictures: PictureRates
) -> Iterator[Line]:
    """Yield a line for each distinct stage, and for the features that are kept of it."""
    for stage in stages:
        epochs = facts.num_train * float(stage.trainings * stage.epochs)
        macs = epochs * stage.work.macs
        yield Line(
            "training",
            stage.dataset,
            f"{stage.method} {stage.stage}",
            macs=macs,
            device_hours=macs / rates.training_macs / _HOUR,
            core_hours=_reading(epochs, stage.work.frames, facts, pictures),
            disk_bytes=exactly(stage.weight_bytes * stage.trainings),
            inputs={
                "trainings": float(stage.trainings),
                "epochs": float(stage.epochs),
                "videos": facts.num_train,
                "forward MACs with gradients": stage.work.learned,
                "forward MACs without": stage.work.fixed,
                "frames read": stage.work.frames,
            },
        )
        if stage.kept_macs:
            videos = facts.num_train + facts.num_val
            macs = videos * float(stage.trainings * stage.kept_macs)
            yield Line(
                "training",
                stage.dataset,
                f"{stage.method} features kept",
                macs=macs,
                device_hours=macs / rates.forward_macs / _HOUR,
                core_hours=_reading(
                    videos, float(stage.trainings * stage.kept_frames), facts, pictures
                ),
                passing_bytes=videos * float(stage.kept_bytes),
                inputs={
                    "trainings": float(stage.trainings),
                    "videos": videos,
                    "MACs a video": float(stage.kept_macs),
                    "frames read": float(stage.kept_frames),
                },
            )


def run_lines(
    plan: Plan,
    runs: Sequence[Predictions],
    facts: VideoFacts,
    rates: Rates,
    pictures: PictureRates,
) -> Iterator[Line]:
    """Yield predictions, the rows of exit controls, and evaluation, of one dataset."""
    seeds, rows = float(len(plan.config.seeds)), {}
    for run in runs:
        sample = min(CONTROL_VIDEOS, facts.num_train.low) if run.on_train else 0.0
        videos = facts.num_val + exactly(sample)
        macs = videos * seeds * run.macs
        size = exactly(float(run.row_bytes)) * _COMPRESSED
        rows[run.method, run.variant] = size
        yield Line(
            "predictions",
            run.dataset,
            f"{run.method} {run.variant}",
            macs=macs,
            device_hours=macs / rates.forward_macs / _HOUR,
            core_hours=_reading(videos * seeds, run.frames, facts, pictures),
            disk_bytes=videos * seeds * size,
            inputs={
                "seeds": seeds,
                "videos": videos,
                "MACs a video": run.macs,
                "steps": float(run.num_steps),
                "bytes a row": float(run.row_bytes),
                "compressed to": _COMPRESSED,
            },
        )
    dataset, num_runs = runs[0].dataset, len(runs)
    for name, method in plan.methods.items():
        source = method.manifest.source
        variants = plan.variants.get((dataset, name), ())
        if source is None or not variants or (source.method, source.variant) not in rows:
            continue
        num_runs += len(variants)
        size = rows[source.method, source.variant]
        yield Line(
            "predictions",
            dataset,
            f"{name} (rows of {source.method} {source.variant})",
            disk_bytes=facts.num_val * (seeds * len(variants)) * size,
            inputs={"runs": seeds * len(variants), "videos": facts.num_val, "bytes a row": size},
        )
    replicates = float(plan.config.bootstrap.replicates)
    classes = facts.num_classes if plan.config.datasets[dataset].metric == "map" else 1
    resampled = facts.num_val * (replicates * classes * seeds * num_runs)
    yield Line(
        "evaluation",
        dataset,
        "resampled metrics",
        core_hours=resampled / rates.resampled / _HOUR,
        inputs={
            "runs": seeds * num_runs,
            "videos": facts.num_val,
            "classes": float(classes),
            "replicates": replicates,
        },
    )


def _reading(
    videos: Range, frames: Range | float, facts: VideoFacts, pictures: PictureRates
) -> Range:
    """Return the core hours of reading JPEG; raw frames are not worth counting."""
    if pictures.jpeg_pixels is None:
        return ZERO
    return videos * frames * facts.pixels / (pictures.jpeg_pixels * _HOUR)
