"""What is wrong with a profile's settings, with the place and what to do about it."""

from __future__ import annotations

from pathlib import Path
from string import Formatter
from typing import Any

from pydantic import BaseModel

from benchmark.config.datasets import (
    ActivityNetVideos,
    BuiltinVideos,
    CsvVideos,
    DatasetConfig,
    HvuVideos,
    KineticsVideos,
    Listed,
    Sampling,
)
from benchmark.config.learning import (
    BackboneConfig,
    Bootstrap,
    Compute,
    NetworkConfig,
    Pretraining,
    Training,
)
from benchmark.config.names import name_rule
from benchmark.config.networks import IN_PACKAGE, NETWORKS
from benchmark.config.profile import Config
from benchmark.config.roots import paths_outside
from benchmark.errors import BenchmarkError, did_you_mean
from benchmark.files.yaml import place_of

__all__ = ["cross_faults", "explain"]

_MAX_SEED_CHARACTERS = 200  # of a file's name, which may have 255 bytes


def explain(fault: Any, where: object, top: type[BaseModel]) -> BenchmarkError:
    """Return what pydantic found wrong, with its line where the settings are a file.

    Args:
        fault: one of a `ValidationError`.
        where: the file, or what messages call the settings.
        top: the model of all settings.
    """
    key = ".".join(str(part) for part in fault["loc"]) or "(top level)"
    if isinstance(where, Path):
        where = place_of(where, fault["loc"])
    if fault["type"] == "extra_forbidden":
        parent = _model_at(fault["loc"][:-1], top)
        return BenchmarkError(
            f"unknown key '{key}'{did_you_mean(str(fault['loc'][-1]), parent.model_fields)}",
            where=where,
        )
    # A whole part of the settings says nothing that the place does not.
    found = "" if isinstance(fault["input"], dict) else f", found {fault['input']!r}"
    what = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "string_pattern_mismatch":
        what = name_rule(fault["ctx"]["pattern"])
    return BenchmarkError(f"key '{key}': {what}{found}", where=where)


def _model_at(loc: tuple[Any, ...], top: type[BaseModel]) -> type[BaseModel]:
    parts: dict[str, type[BaseModel]] = {
        "datasets": DatasetConfig,
        "builtin": BuiltinVideos,
        "csv": CsvVideos,
        "activity_net": ActivityNetVideos,
        "kinetics": KineticsVideos,
        "hvu": HvuVideos,
        "sampling": Sampling,
        "backbone": BackboneConfig,
        "networks": NetworkConfig,
        "pretraining": Pretraining,
        "training": Training,
        "compute": Compute,
        "bootstrap": Bootstrap,
    }
    model = top
    for part in loc:
        model = parts.get(str(part), model)
    return model


def cross_faults(config: Config, where: object, *, folders_named: bool) -> list[BenchmarkError]:
    """Return what is wrong with settings that are each right alone.

    Args:
        config: the settings.
        where: names them in messages.
        folders_named: whether the folders of the user must be named.
    """
    faults = _seed_faults(config, where)
    for name, dataset in config.datasets.items():
        shared = dataset.frames_of
        if shared is not None and shared not in config.datasets:
            faults.append(
                BenchmarkError(
                    f"dataset '{name}' shares frames of unknown '{shared}'"
                    f"{did_you_mean(shared, config.datasets)}",
                    where=where,
                )
            )
        source = dataset.source
        if isinstance(source, Listed):
            key = f"datasets.{name}"
            unnamed = _unnamed_folders(config, source.root, key, where, must=folders_named)
            faults += unnamed or _lists_outside(config, source, key, where)
    roles = [dataset.role for dataset in config.datasets.values()]
    faults += [
        BenchmarkError(f"two datasets play the part '{role}'", where=where, fix="keep one of them")
        for role in sorted(set(roles))
        if roles.count(role) > 1
    ]
    for role in config.roles:
        faults += _network_faults(config, role, where, folders_named=folders_named)
    if "backbone" in config.networks:
        faults.append(
            BenchmarkError(
                "networks.backbone: this role is the profile's backbone",
                where=where,
                fix="choose another name",
            )
        )
    return faults


def _seed_faults(config: Config, where: object) -> list[BenchmarkError]:
    """Return a fault if a file that is named by all seeds would have too long a name."""
    length = len("-".join(map(str, config.seeds)))
    if length <= _MAX_SEED_CHARACTERS:
        return []
    what = f"seeds: all of them name a file, and need {length} characters"
    fix = f"give fewer or smaller ones: at most {_MAX_SEED_CHARACTERS} characters with '-' between"
    return [BenchmarkError(what, where=where, fix=fix)]


def _lists_outside(config: Config, source: Listed, key: str, where: object) -> list[BenchmarkError]:
    """Return a fault for each list of videos that leaves its root although it may not."""
    if any(name not in config.roots or not config.roots[name] for name in _asked(source.root)):
        return []
    outside = paths_outside(config.place(source.root), source.lists, config.outside_root)
    fix = "copy it there, or set outside_root to links or to any"
    return [
        BenchmarkError(f"{key}: '{name}': {reason}", where=where, fix=fix)
        for name, reason in outside.items()
    ]


def _network_faults(
    config: Config, role: str, where: object, *, folders_named: bool
) -> list[BenchmarkError]:
    """Return what is wrong with the settings of one network."""
    key = role if role == "backbone" else f"networks.{role}"
    network = config.network(role)
    file = network.file or ""
    faults = _unnamed_folders(config, file, f"{key}.file", where, must=folders_named)
    if network.weights == "file" and not network.file:
        faults.append(BenchmarkError(f"{key}.weights: file needs {key}.file", where=where))
    if network.weights == "pretrained" and not config.backbone.pretraining:
        what = f"{key}.weights: pretrained needs backbone.pretraining"
        faults.append(BenchmarkError(what, where=where))
    if network.network not in NETWORKS:
        hint = did_you_mean(network.network, NETWORKS)
        what = f"{key}.network: unknown network '{network.network}'{hint}"
        return [*faults, BenchmarkError(what, where=where)]
    if network.weights == "hub" and NETWORKS[network.network].hub is None:
        what, fix = f"nobody publishes weights of '{network.network}'", "use weights: file"
        faults.append(BenchmarkError(f"{key}.weights: {what}", where=where, fix=fix))
    if network.weights == "package" and network.network != IN_PACKAGE:
        what = f"{key}.weights: no package carries weights of '{network.network}'"
        fix = f"use {IN_PACKAGE}, weights: hub or weights: file"
        faults.append(BenchmarkError(what, where=where, fix=fix))
    return faults + _listening_faults(network, key, where)


def _listening_faults(network: NetworkConfig, key: str, where: object) -> list[BenchmarkError]:
    """Return what makes no sense for a network whose input is sound."""
    if not network.is_audio:
        return []
    what = f"{key}: '{network.network}' listens"
    faults = []
    if key == "backbone":
        fix = "name it under networks, for example as sound"
        faults.append(BenchmarkError(f"{what}, and the backbone sees", where=where, fix=fix))
    if network.size is not None:
        fix = f"drop {key}.size"
        faults.append(BenchmarkError(f"{what}, its input has no side", where=where, fix=fix))
    if network.weights == "pretrained":
        fix = f"{key}.weights: random or file"
        what = f"{what}, the pretraining here is on pictures"
        faults.append(BenchmarkError(what, where=where, fix=fix))
    return faults


def _asked(path: str) -> list[str]:
    """Return the names of the user's folders that a path asks for, in braces."""
    return [name for _, name, _, _ in Formatter().parse(path) if name is not None]


def _unnamed_folders(
    config: Config, path: str, key: str, where: object, *, must: bool
) -> list[BenchmarkError]:
    """Return a fault for each folder that a path asks for and that is unknown, or not named."""
    faults = []
    try:
        asked = _asked(path)
    except ValueError:
        fix = "write {clips_root} or its like, and each other brace twice"
        what = f"{key}: '{path}' has a brace without its partner"
        return [BenchmarkError(what, where=where, fix=fix)]
    for name in asked:
        if name not in config.roots:
            what = f"{key}: no such folder '{{{name}}}'{did_you_mean(name, config.roots)}"
            faults.append(BenchmarkError(what, where=where))
        elif must and not config.roots[name]:
            what = f"{key} needs a folder that only you know"
            faults.append(BenchmarkError(what, where=where, fix=f"add --config {name}=DIR"))
    return faults
