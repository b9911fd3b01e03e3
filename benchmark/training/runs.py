"""Trains all that a method needs on a dataset: each stage once for all variants that share it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from benchmark.contract import Method
from benchmark.data.probe import file_sha256
from benchmark.errors import explained
from benchmark.files import digest_of_files, replace_when_complete
from benchmark.inputs import (
    Networks,
    OpenDataset,
    make_network,
    open_dataset,
    weights_digest,
)
from benchmark.layout import Layout, method_code, stage_code
from benchmark.methods import load_method, make_params
from benchmark.plan import Plan
from benchmark.seeds import derive_seed
from benchmark.training.checkpoints import (
    StageKey,
    load_released,
    load_stage,
    save_stage,
    stage_params,
)
from benchmark.training.fit import Epoch, fit

__all__ = ["Trained", "Trainer", "train_all"]


@dataclass(frozen=True)
class Trained:
    """A trained method, ready to predict.

    Attributes:
        method: in evaluation mode.
        networks: fine-tuned with it, by role; none where features come from the store.
        log: a line an epoch, of all its stages.
        checkpoints: the files that it was made of, in the order of the stages.
    """

    method: Method
    networks: Networks
    log: list[dict[str, Any]]
    checkpoints: list[Path]


class Trainer:
    """Trains, or finds trained, the variants of one method on one dataset."""

    def __init__(self, plan: Plan, dataset: str, method: str) -> None:
        self.plan, self.name = plan, method
        self.data: OpenDataset = open_dataset(plan.config, dataset, plan.roles(dataset, method))
        self.folder = Layout.of(plan.config).runs / dataset / method
        code = method_code(dict(plan.methods), method) + stage_code("train")
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
        return {role: make_network(self.plan.config, role) for role in self.data.task.networks}

    @cached_property
    def weights(self) -> dict[str, str]:
        """The digests of their weights, by role."""
        return {role: weights_digest(network) for role, network in self.frozen_networks.items()}

    def get(self, variant: str, seed: int, fold: int) -> Trained:
        """Return a trained variant; what is missing is trained and stored first."""
        params = self.params(variant)
        given = self.plan.checkpoint(self.data.name, self.name, variant)
        if given is not None:
            return self._released(params, variant, given)
        method, networks = self._build(params, derive_seed("build", self.name, seed, fold))
        stages = list(method.stages)
        log: list[dict[str, Any]] = []
        paths: list[Path] = []
        for number, stage in enumerate(stages):
            canonical = stage_params(self.kind, params, stages[: number + 1])
            key = StageKey(
                self.data.name,
                self.name,
                stage.name,
                asdict(canonical),
                seed,
                fold,
                self.data.digest,
                self._code_digest,
                self.plan.config.training.model_dump(),
            )
            path = key.path(self.folder)
            loaded = load_stage(path, method, networks)
            if loaded is None:
                self._train(canonical, number, key, paths)
                loaded = load_stage(path, method, networks)
            assert loaded is not None, "it was written a moment ago"
            paths.append(path)
            log += loaded
        method.eval()
        return Trained(method, networks, log, paths)

    def _released(self, params: Any, variant: str, given: Path) -> Trained:
        """Return a variant with published weights; the run keeps a copy of their file."""
        name = f"released-{variant}-{file_sha256(given)[:16]}.safetensors"
        path = self.folder / "checkpoints" / name
        if not path.is_file():
            with replace_when_complete(path) as partial:
                shutil.copyfile(given, partial)
        torch.manual_seed(0)  # every weight is replaced
        roles = self.plan.variant_roles(self.name, variant)
        method = self.kind(self.data.task, params)
        networks = {role: make_network(self.plan.config, role) for role in roles}
        load_released(path, method, networks, given)
        method.eval()
        return Trained(method, networks, [], [path])

    def _build(self, params: Any, seed: int) -> tuple[Method, Networks]:
        torch.manual_seed(seed)
        method = self.kind(self.data.task, params)
        roles = self.data.task.networks if self.plan.config.backbone.finetune else ()
        return method, {role: make_network(self.plan.config, role) for role in roles}

    def _train(self, params: Any, number: int, key: StageKey, before: Sequence[Path]) -> None:
        seed = derive_seed(
            key.dataset, key.method, sorted(key.params.items()), key.seed, key.fold, key.stage
        )
        method, networks = self._build(params, seed)
        for path in before:
            load_stage(path, method, networks)
        stage = list(method.stages)[number]
        finetuned = {role: networks[role] for role in stage.finetunes if role in networks}
        log: list[dict[str, Any]] = []

        def note(epoch: Epoch) -> None:
            log.append(asdict(epoch))

        fit(
            method,
            stage,
            self.data.training_set(key.fold, networks),
            self.plan.config.training,
            seed,
            finetuned=list(finetuned.values()),
            report=note,
        )
        save_stage(key.path(self.folder), method, stage.name, finetuned, log)


def train_all(
    plan: Plan,
    dataset: str,
    method: str,
    seeds: Sequence[int],
    progress: Callable[[int, int], None],
) -> list[dict[str, Any]]:
    """Train every variant of a method for some seeds.

    Returns:
        one entry for each (variant, seed): the SHA-256 of its checkpoints, or why it failed. A
        method that fails is recorded and the others go on.
    """
    trainer = Trainer(plan, dataset, method)
    variants = plan.variants[dataset, method]
    folds = range(trainer.data.manifest.num_folds)
    entries: list[dict[str, Any]] = []
    for variant in variants:
        for seed in seeds:
            entry: dict[str, Any] = {"variant": variant, "seed": seed}
            absent = plan.absent_networks(method, variant)
            try:
                if absent:
                    entry["skipped"] = f"this profile has no network: {', '.join(absent)}"
                else:
                    trained = [trainer.get(variant, seed, fold) for fold in folds]
                    paths = {path for one in trained for path in one.checkpoints}
                    entry["checkpoints"] = {
                        str(path.relative_to(trainer.folder)): file_sha256(path)
                        for path in sorted(paths)
                    }
            except Exception as fault:
                entry["failed"] = f"training: {explained(fault)}"
            entries.append(entry)
            progress(len(entries), len(variants) * len(seeds))
    return entries
