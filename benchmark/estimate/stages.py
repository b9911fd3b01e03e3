"""The training stages of a profile: each distinct one once, with the MACs of a video in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from benchmark.contract import Method, Stage
from benchmark.cost.counter import ExecutedOps
from benchmark.estimate.counting import (
    NUM_VIDEOS,
    CountedFeatures,
    Subject,
    batch_of,
    num_parameters,
)
from benchmark.estimate.videos import VideoFacts
from benchmark.experiment.plan import Plan
from benchmark.training.checkpoints import StageKey, stage_params

__all__ = ["StageWork", "TrainingStage", "stage_work", "training_stages"]

_BYTES = 4  # of a float32


@dataclass(frozen=True)
class StageWork:
    """Forward MACs of one training video in one epoch of a stage.

    Attributes:
        learned: of what needs gradients.
        fixed: of what is only run.
        frames: stored frames that networks read of a video.
    """

    learned: float
    fixed: float
    frames: float

    @property
    def macs(self) -> float:
        """MACs with the backward pass, which takes twice the forward pass.

        A layer's backward pass makes two products of its forward size: the gradients of its inputs
        and of its weights.
        """
        return 3 * self.learned + self.fixed


@dataclass(frozen=True)
class TrainingStage:
    """A training stage that some variants of a method share.

    Attributes:
        variants: that share its weights.
        trainings: how often it is trained: seeds times folds.
        epochs: of this profile.
        work: of one video in one epoch.
        weight_bytes: of its checkpoint.
        kept_macs: of one video, once a training: features that later stages and predictions read.
        kept_frames: stored frames that are read for them.
        kept_bytes: of these features of one video, while the job runs.
    """

    dataset: str
    method: str
    stage: str
    variants: tuple[str, ...]
    trainings: int
    epochs: int
    work: StageWork
    weight_bytes: int
    kept_macs: int = 0
    kept_frames: int = 0
    kept_bytes: int = 0


def training_stages(plan: Plan, subject: Subject) -> Iterator[TrainingStage]:
    """Yield the distinct training stages of a method; variants share by the rule of `Trainer`."""
    found: dict[Path, list[tuple[str, Any, int]]] = {}
    for variant in subject.variants():
        if plan.checkpoint(subject.dataset, subject.method, variant) is not None:
            continue  # its weights were published
        params = subject.params(variant)
        stages = subject.build(params, real_size=False).stages
        for number, stage in enumerate(stages):
            canonical = stage_params(subject.kind, params, stages[: number + 1])
            names = (subject.dataset, subject.method, stage.name)
            key = StageKey(*names, asdict(canonical), 0, 0, "", "", {})
            found.setdefault(key.path(Path()), []).append((variant, canonical, number))
    for shared in found.values():
        _, canonical, number = shared[0]
        variants = tuple(variant for variant, _, _ in shared)
        yield _training_stage(plan, subject, variants, subject.build(canonical), number)


def _training_stage(
    plan: Plan, subject: Subject, variants: tuple[str, ...], method: Method, number: int
) -> TrainingStage:
    config, stages = plan.config, list(method.stages)
    stage, finetune = stages[number], config.backbone.finetune
    finetuned = stage.finetunes if finetune else ()
    kept = subject.kept_inputs(method) if finetune else None
    last = max((n for n, s in enumerate(stages) if s.finetunes), default=-1)
    own = sum(parameter.numel() for parameter in method.trainable(stage.name))
    others = sum(num_parameters(config.network(role)) for role in finetuned)
    infos = subject.networks.values()
    num_kept = kept if kept is not None and number == last else 0
    read = not finetune or (kept is not None and not finetuned)
    return TrainingStage(
        dataset=subject.dataset,
        method=subject.method,
        stage=stage.name,
        variants=variants,
        trainings=len(config.seeds) * subject.facts.num_folds,
        epochs=max(1, round(stage.epochs * config.training.epochs_scale)),
        work=stage_work(method, stage, subject.facts, finetuned, stored=read),
        weight_bytes=_BYTES * (own + others),
        kept_macs=sum(num_kept * info.macs for info in infos),
        kept_frames=sum(num_kept * info.num_frames for info in infos),
        kept_bytes=sum(_BYTES * num_kept * info.num_features for info in infos),
    )


def stage_work(
    method: Method, stage: Stage, facts: VideoFacts, finetuned: Sequence[str], *, stored: bool
) -> StageWork:
    """Count what the loss of a stage executes for a video.

    Args:
        method: built at its real size.
        stage: one of its stages.
        facts: of the videos, for their length.
        finetuned: roles of the networks that are trained too.
        stored: whether features are read from a store, so that no network runs.
    """
    task, macs = method.task, {True: 0.0, False: 0.0}
    sources = {role: CountedFeatures(info) for role, info in task.networks.items()}

    def record(_op: str, count: int) -> None:
        macs[torch.is_grad_enabled()] += count / NUM_VIDEOS

    method.train()
    shape = (NUM_VIDEOS, task.num_classes) if task.multi_label else (NUM_VIDEOS,)
    targets = torch.zeros(shape, dtype=torch.float32 if task.multi_label else torch.int64)
    with ExecutedOps(record):
        method.loss(stage.name, batch_of(sources, facts, targets=targets))
    frames = 0.0
    for role, source in ({} if stored else sources).items():
        info, asked = task.networks[role], source.with_gradients + source.without
        learned = source.with_gradients if role in finetuned else 0
        macs[True] += learned * info.macs / NUM_VIDEOS
        macs[False] += (asked - learned) * info.macs / NUM_VIDEOS
        frames += asked * info.num_frames / NUM_VIDEOS
    return StageWork(macs[True], macs[False], frames)
