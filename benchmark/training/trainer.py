"""Trains all that a method needs on a dataset: each stage once for all variants that share it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric

from benchmark.backbones.registry import Backbone
from benchmark.backbones.views import CropFlip
from benchmark.contract import Method, Stage
from benchmark.experiment.layout import method_files
from benchmark.experiment.plan import Plan
from benchmark.experiment.stage_code import stage_code
from benchmark.files.sealed import file_sha256
from benchmark.files.writing import digest_of_files, replace_when_complete
from benchmark.methods.loading import load_method, make_params
from benchmark.progress import JobLog
from benchmark.seeds import derive_seed, video_keys
from benchmark.training.checkpoints import StageKey, load_released, load_stage, stage_params
from benchmark.training.dataset import (
    Networks,
    OpenDataset,
    make_network,
    open_dataset,
    weights_digest,
)
from benchmark.training.distributed.processes import single_process
from benchmark.training.distributed.request import StageRequest, train_together
from benchmark.training.fit import Epoch, fit
from benchmark.training.frozen_features import FrozenFeatures
from benchmark.training.kept_state import StageState
from benchmark.training.resume import Interrupted
from benchmark.training.same_answers import Model
from benchmark.training.trained import Trained
from benchmark.videos import FeatureSource, Videos

__all__ = ["Trainer"]

_COMPARED_VIDEOS = 4


class Trainer:
    """Trains, or finds trained, the variants of one method on one dataset.

    Args:
        plan: of the profile.
        dataset: its name.
        method: its name.
        log: is told how far the work is.
        device: of networks and method; the CPU by default.
    """

    def __init__(
        self,
        plan: Plan,
        dataset: str,
        method: str,
        log: JobLog | None = None,
        device: torch.device | None = None,
    ) -> None:
        self.plan, self.name, self.log = plan, method, log or JobLog(method, None, quiet=True)
        self.data: OpenDataset = open_dataset(plan.config, dataset, plan.roles(dataset, method))
        self.folder = plan.layout.runs / dataset / method
        self.device = device or torch.device("cpu")
        self.finetuned_features = plan.layout.finetuned_features(dataset, method)
        self._frozen = FrozenFeatures(self.data, self.finetuned_features, self.log.progress)
        code = method_files(dict(plan.methods), method) + stage_code("train")
        self._code_digest = digest_of_files(code)

    def params(self, variant: str) -> Any:
        """Return a variant's parameters on this dataset."""
        where = self.plan.methods[self.name].folder / "method.yaml"
        return make_params(
            self.kind, self.plan.params(self.data.name, self.name, variant), f"{where}: {variant}"
        )

    @cached_property
    def kind(self) -> type[Method]:
        """The method's class; code that does not import is a fault of the run, not of the job."""
        return load_method(self.plan.methods[self.name])

    @cached_property
    def frozen_networks(self) -> Networks:
        """The profile's networks as they are before any fine-tuning."""
        return {role: self._network(role) for role in self.data.task.networks}

    @cached_property
    def weights(self) -> dict[str, str]:
        """The digests of their weights, by role."""
        return {role: weights_digest(network) for role, network in self.frozen_networks.items()}

    def get(self, variant: str, seed: int, fold: int) -> Trained:
        """Return a trained variant; what is missing is trained and stored first."""
        params = self.params(variant)
        given = self.plan.checkpoint(self.data.name, self.name, variant)
        if given is not None:
            return self._released(params, variant, given, seed)
        method, networks = self._build(params, derive_seed("build", self.name, seed, fold))
        stages = list(method.stages)
        log: list[dict[str, Any]] = []
        paths: list[Path] = []
        for number in range(len(stages)):
            path = self._key(params, stages, number, seed, fold).path(self.folder)
            loaded = load_stage(path, method, networks)
            if loaded is None:
                self._train_or_delegate(variant, stages[number], number, seed, fold)
                loaded = load_stage(path, method, networks)
            assert loaded is not None, "it was written a moment ago"
            paths.append(path)
            log += loaded
        changing = stages[-1].finetunes if stages else ()
        return self._ready(method, networks, log, paths, seed if not changing else None)

    def train(
        self, variant: str, number: int, seed: int, fold: int, fabric: Fabric | None = None
    ) -> None:
        """Train one stage of a variant, whose earlier stages are there, and store it.

        Args:
            variant: its name.
            number: of the stage, from 0.
            seed: of the run.
            fold: of the dataset.
            fabric: the processes that train together; this one alone by default.
        """
        params = self.params(variant)
        stages = list(self.kind(self.data.task, params).stages)
        stage, key = stages[number], self._key(params, stages, number, seed, fold)
        derived = derive_seed(
            key.dataset, key.method, sorted(key.params.items()), key.seed, key.fold, key.stage
        )
        canonical = stage_params(self.kind, params, stages[: number + 1])
        before = [self._key(params, stages, n, seed, fold).path(self.folder) for n in range(number)]

        def start(build_seed: int) -> Model:
            made = Model(*self._build(canonical, build_seed))
            for path in before:
                load_stage(path, made.method, made.networks)
            return made

        model = start(derived)
        method, networks = model.method, model.networks
        finetuned = {role: networks[role] for role in stage.finetunes if role in networks}
        ids = self.data.fold(fold)[0]
        log: list[dict[str, Any]] = []

        def note(epoch: Epoch) -> None:
            log.append(asdict(epoch))
            self.log.write(f"{variant}, seed {seed}, fold {fold}: {epoch}")

        def augmented(epoch_seed: int) -> Mapping[str, FeatureSource]:
            return self.data.computed(ids, networks, CropFlip(epoch_seed))

        sources = self._sources(method, networks, ids, None if finetuned else seed)

        def compared(one: Model) -> Videos:
            seen = self.data.computed(ids, one.networks) if finetuned else sources
            rows = np.arange(0, len(ids), max(1, len(ids) // _COMPARED_VIDEOS))[:_COMPARED_VIDEOS]
            keys, lengths = video_keys(ids)[rows], self.data.lengths(ids)[rows]
            return Videos(seen, torch.from_numpy(rows), keys, lengths, 0, device=self.device)

        state = StageState(stage.name, model, finetuned)
        config, path = self.plan.config, key.path(self.folder)
        every = config.compute.checkpoint_epochs
        interrupted = Interrupted.beside(path, every, self.log.write) if every else None
        fabric = fabric or single_process(config.training.precision, self.device.type)
        crops = config.training.augmentation == "crop_flip" and finetuned
        fit(
            method,
            stage,
            self.data.training_set(fold, sources, augmented if crops else None),
            config.training,
            derived,
            finetuned=list(finetuned.values()),
            fabric=fabric,
            interrupted=interrupted,
            report=note,
            watch=self.log.stage(f"{variant}, stage {stage.name}"),
        )
        if fabric.is_global_zero:
            other_seed = derive_seed("build", self.name, seed, fold)
            state.store(path, log, start(other_seed), compared)
            if interrupted:
                interrupted.forget()

    def forget_features(self, seeds: Sequence[int]) -> None:
        """Delete the features of fine-tuned networks that were kept while the job ran."""
        self._frozen.forget(seeds)

    def _train_or_delegate(
        self, variant: str, stage: Stage, number: int, seed: int, fold: int
    ) -> None:
        """Train here, or in processes of their own where several fine-tune together."""
        compute = self.plan.config.compute
        if compute.devices * compute.num_nodes == 1 or not (
            stage.finetunes and self.plan.config.backbone.finetune
        ):
            self.train(variant, number, seed, fold)
            return
        request = StageRequest(
            config=self.plan.config,
            dataset=self.data.name,
            method=self.name,
            variant=variant,
            number=number,
            seed=seed,
            fold=fold,
            folder=self.folder,
        )
        train_together(request)

    def _key(
        self, params: Any, stages: Sequence[Stage], number: int, seed: int, fold: int
    ) -> StageKey:
        canonical = stage_params(self.kind, params, stages[: number + 1])
        return StageKey(
            self.data.name,
            self.name,
            stages[number].name,
            asdict(canonical),
            seed,
            fold,
            self.data.digest,
            self._code_digest,
            self.plan.config.training.model_dump(),
        )

    def _released(self, params: Any, variant: str, given: Path, seed: int) -> Trained:
        """Return a variant with published weights; the run keeps a copy of their file."""
        name = f"released-{variant}-{file_sha256(given)[:16]}.safetensors"
        path = self.folder / "checkpoints" / name
        with replace_when_complete(path) as partial:
            shutil.copyfile(given, partial)
        torch.manual_seed(0)  # every weight is replaced
        roles = self.plan.variant_roles(self.name, variant)
        method = self.kind(self.data.task, params).to(self.device)
        networks = {role: self._network(role) for role in roles}
        load_released(path, method, networks, given)
        return self._ready(method, networks, [], [path], seed)

    def _build(self, params: Any, seed: int) -> tuple[Method, Networks]:
        torch.manual_seed(seed)
        method = self.kind(self.data.task, params).to(self.device)
        roles = self.data.task.networks if self.plan.config.backbone.finetune else ()
        return method, {role: self._network(role) for role in roles}

    def _network(self, role: str) -> Backbone:
        return make_network(self.plan.config, role).to(self.device)

    def _sources(
        self,
        method: Method,
        networks: Networks,
        video_ids: Sequence[str],
        frozen_seed: int | None,
    ) -> dict[str, FeatureSource]:
        """Return the features of some videos: stored ones where nothing changes the networks.

        Stores are those of a seed, so that no job deletes what another reads.
        """
        if not networks:
            return self.data.stored(video_ids, self.weights)
        computed = self.data.computed(video_ids, networks)
        if frozen_seed is None:
            return computed
        return {**computed, **self._frozen.sources(method, networks, video_ids, frozen_seed)}

    def _ready(
        self,
        method: Method,
        networks: Networks,
        log: list[dict[str, Any]],
        paths: list[Path],
        frozen_seed: int | None,
    ) -> Trained:
        method.eval()

        def sources(video_ids: Sequence[str]) -> dict[str, FeatureSource]:
            return self._sources(method, networks, video_ids, frozen_seed)

        return Trained(method, networks, log, paths, sources, self.device)
