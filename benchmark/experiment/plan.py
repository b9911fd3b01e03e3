"""What a profile has to run: derived from the methods' manifests and the tables alone.

A variant runs on the datasets of every table or figure that shows it, unless the profile names
others with `only_methods`; the source of an exit control runs wherever the control does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmark.config.profile import Config
from benchmark.errors import BenchmarkError, did_you_mean, raise_all
from benchmark.experiment.layout import Layout, RunKey
from benchmark.experiment.paper import Paper, load_paper
from benchmark.experiment.rows_of_tables import owners_of_rows
from benchmark.files.repository import REPOSITORY
from benchmark.files.writing import digest_of
from benchmark.methods.discovery import MethodFolder, discover

__all__ = ["Plan", "make_plan", "method_roots", "repository_methods"]


@dataclass(frozen=True)
class Plan:
    """A profile's settings, methods and runs.

    Attributes:
        config: the settings.
        methods: by name.
        paper: the paper's tables and figures.
        variants: (dataset, method) -> names of the variants to run, sorted.
    """

    config: Config
    methods: Mapping[str, MethodFolder]
    paper: Paper
    variants: Mapping[tuple[str, str], tuple[str, ...]]

    def runs(self, dataset: str, method: str) -> list[RunKey]:
        """Return all runs of a method on a dataset."""
        return [
            RunKey(dataset, method, variant, seed)
            for variant in self.variants.get((dataset, method), ())
            for seed in self.config.seeds
        ]

    @cached_property
    def layout(self) -> Layout:
        """Where the profile's files lie."""
        return Layout.of(self.config)

    @property
    def method_folders(self) -> list[Path]:
        """The folders of all methods."""
        return [method.folder for method in self.methods.values()]

    def params(self, dataset: str, method: str, variant: str) -> dict[str, Any]:
        """Return a variant's parameters on a dataset."""
        manifest = self.methods[method].manifest
        by_role = manifest.params_on.get(self.config.datasets[dataset].role, {})
        return {**by_role, **manifest.variants[variant].params}

    def variant_roles(self, method: str, variant: str) -> tuple[str, ...]:
        """Return the networks that a variant asks for, by role; a control's are its source's."""
        manifest = self.methods[method].manifest
        if manifest.source is not None:
            return self.variant_roles(manifest.source.method, manifest.source.variant)
        return manifest.variants[variant].networks or manifest.networks

    def absent_networks(self, method: str, variant: str) -> list[str]:
        """Return those of them that the profile does not have."""
        return [r for r in self.variant_roles(method, variant) if r not in self.config.roles]

    def roles(self, dataset: str, method: str) -> tuple[str, ...]:
        """Return the networks that a method's variants on a dataset ask for, of the profile's."""
        asked = {
            role
            for variant in self.variants.get((dataset, method), ())
            for role in self.variant_roles(method, variant)
        }
        return tuple(role for role in self.config.roles if role in asked)

    def is_audio(self, method: str, variant: str) -> bool:
        """Say whether a variant asks for a network whose input is sound."""
        roles = [r for r in self.variant_roles(method, variant) if r in self.config.roles]
        return any(self.config.network(role).is_audio for role in roles)

    def checkpoint(self, dataset: str, method: str, variant: str) -> Path | None:
        """Return the file of a released variant's weights; None for one that is trained here."""
        given = self.config.checkpoints.get(f"{dataset}/{method}/{variant}")
        return None if given is None else Path(given)

    def checkpoints(self, dataset: str, method: str) -> list[Path]:
        """Return the files of all released variants of a method on a dataset."""
        names = self.variants.get((dataset, method), ())
        return [p for name in names if (p := self.checkpoint(dataset, method, name)) is not None]

    def is_control(self, method: str) -> bool:
        """Say whether a method re-reads the steps of another one's run."""
        return self.methods[method].manifest.source is not None

    def needs_train_steps(self, dataset: str, method: str, variant: str) -> bool:
        """Say whether a control asks for the steps of a run on its training videos."""
        return any(
            source is not None
            and source.train_steps
            and (source.method, source.variant) == (method, variant)
            and (dataset, other.name) in self.variants
            for other in self.methods.values()
            for source in [other.manifest.source]
        )

    def seed_blocks(self, dataset: str, method: str) -> list[tuple[int, ...]]:
        """Return the seeds in the blocks that one job trains and predicts.

        The more variants, the fewer seeds; a control, which trains nothing, has one block.
        """
        seeds = self.config.seeds
        if self.is_control(method):
            return [seeds]
        num_variants = len(self.variants.get((dataset, method), ())) or 1
        size = max(1, self.config.runs_per_job // num_variants)
        return [seeds[i : i + size] for i in range(0, len(seeds), size)]

    def settings_digest(
        self, stage: str, dataset: str = "", method: str = "", item: str = ""
    ) -> str:
        """Return a digest of the settings that a stage depends on, so that no others rerun it."""
        config = self.config
        parts: list[Any] = []
        if dataset:
            owner = config.frames_name(dataset) if stage in {"frames", "sound"} else dataset
            # Only the ledger asks whose videos they are, and only methods how they are learned.
            learned = {"loss"} if stage in {"videos", "manifest", "frames", "sound"} else set()
            unasked = {"paper_dataset", *learned}
            parts.append(config.datasets[owner].model_dump(exclude=unasked))
            parts.append(config.roots)
        if stage in {"pretrain", "weights", "features"}:
            parts += [config.network(item).model_dump(), config.backbone.pretraining]
        if stage in {"train", "predict", "control"}:
            parts.append(config.training.model_dump())
        if method:
            names = self.variants[dataset, method]
            roles = self.roles(dataset, method)
            said = set() if stage == "evaluate" else {"trained_on"}
            networks = {role: config.network(role).model_dump(exclude=said) for role in roles}
            parts.append(networks)
            parts.append([config.backbone.finetune, config.backbone.pretraining])
            parts.append([self.absent_networks(method, name) for name in names])
            parts.append({name: self.params(dataset, method, name) for name in names})
            parts.append([n for n in names if self.needs_train_steps(dataset, method, n)])
            if checkpoints := self.checkpoints(dataset, method):
                parts.append([str(path) for path in checkpoints])
        if stage == "evaluate":
            parts += [config.bootstrap.model_dump(), config.training.epochs_scale, config.seeds]
        if stage in {"table", "figure", "track"}:
            parts.append(config.model_dump())
        return digest_of(parts)


def repository_methods(methods_path: str = "") -> list[Path]:
    """Return the folders that hold methods: the repository's, then those between the colons."""
    return [REPOSITORY / "methods", *(Path(part) for part in methods_path.split(":") if part)]


def method_roots(config: Config) -> list[Path]:
    """Return the folders that hold a profile's methods."""
    return repository_methods(config.methods_path)


def make_plan(config: Config) -> Plan:
    """Read methods and tables, and decide what runs.

    Raises:
        BenchmarkError: all faults of all manifests at once.
    """
    methods, paper = discover(method_roots(config)), load_paper()
    raise_all(_unknown_tables(methods, paper), "the methods' manifests")
    raise_all(_rows_claimed_twice(methods, paper), "the methods' manifests")
    raise_all(_checkpoint_faults(config, methods), "the profile's checkpoints")
    raise_all(_unknown_methods(config, methods), "the profile's only_methods")
    config = _with_sources(config, methods)
    by_role = {dataset.role: name for name, dataset in config.datasets.items()}
    wanted: dict[tuple[str, str], set[str]] = {}
    for name, method in methods.items():
        for variant, settings in method.manifest.variants.items():
            if not config.asks_for(name, variant):
                continue
            for role in {r for shown in settings.shown_in for r in paper.roles[shown]}:
                dataset = by_role.get(role)
                if dataset and method.has_weights(variant, dataset, config.checkpoints):
                    wanted.setdefault((dataset, name), set()).add(variant)
    for (dataset, name), _ in sorted(wanted.items()):
        source = methods[name].manifest.source
        if source is not None:
            needed = {source.variant, source.budget or source.variant}
            wanted.setdefault((dataset, source.method), set()).update(needed)
    if config.asked_methods and not wanted:
        raise BenchmarkError(
            f"none of {', '.join(config.asked_methods)} runs on the profile's datasets",
            where="only_methods",
            fix="released weights need a line under checkpoints; a table must show the variant",
        )
    variants = {key: tuple(sorted(names)) for key, names in sorted(wanted.items())}
    return Plan(config, methods, paper, variants)


def _checkpoint_faults(config: Config, methods: Mapping[str, MethodFolder]) -> list[BenchmarkError]:
    known = [
        f"{dataset}/{name}/{variant}"
        for dataset in config.datasets
        for name, method in methods.items()
        for variant, settings in method.manifest.variants.items()
        if settings.released
    ]
    faults = []
    for key, path in config.checkpoints.items():
        where = f"checkpoints.{key}"
        if key not in known:
            what = f"no dataset, method and variant of this name{did_you_mean(key, known)}"
            faults.append(BenchmarkError(what, where=where))
        elif not Path(path).is_file():
            fix = "make it with `python -m benchmark import`"
            faults.append(BenchmarkError(f"no such file: {path}", where=where, fix=fix))
    return faults


def _unknown_methods(config: Config, methods: Mapping[str, MethodFolder]) -> list[BenchmarkError]:
    known = [*methods]
    known += [f"{name}/{v}" for name, method in methods.items() for v in method.manifest.variants]
    return [
        BenchmarkError(
            f"no method or method/variant '{name}'{did_you_mean(name, known)}", where="only_methods"
        )
        for name in config.asked_methods
        if name not in known
    ]


def _with_sources(config: Config, methods: Mapping[str, MethodFolder]) -> Config:
    """Return settings whose `only_methods` names what the named exit controls read, too."""
    asked = config.asked_methods
    if not asked:
        return config
    read = [
        f"{source.method}/{variant}"
        for name, method in methods.items()
        if (source := method.manifest.source) is not None
        if any(config.asks_for(name, own) for own in method.manifest.variants)
        for variant in (source.variant, source.budget)
        if variant is not None and not config.asks_for(source.method, variant)
    ]
    return config.model_copy(update={"only_methods": ",".join([*asked, *dict.fromkeys(read)])})


def _rows_claimed_twice(methods: Mapping[str, MethodFolder], paper: Paper) -> list[BenchmarkError]:
    faults = []
    for table in paper.tables:
        try:
            owners_of_rows(methods, table)
        except BenchmarkError as fault:
            faults.append(fault)
    return faults


def _unknown_tables(methods: Mapping[str, MethodFolder], paper: Paper) -> list[BenchmarkError]:
    known = list(paper.roles)
    return [
        BenchmarkError(
            f"variant '{variant}' is shown in unknown '{shown}'{did_you_mean(shown, known)}",
            where=method.folder / "method.yaml",
        )
        for method in methods.values()
        for variant, settings in method.manifest.variants.items()
        for shown in settings.shown_in
        if shown not in known
    ]
