"""The settings of a profile: one YAML file, checked whole before anything runs."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, model_validator

from benchmark.config_data import DatasetConfig, OutsideRoot
from benchmark.config_faults import cross_faults, explain
from benchmark.config_learning import (
    BackboneConfig,
    Bootstrap,
    Compute,
    NetworkConfig,
    Training,
)
from benchmark.errors import BenchmarkError, did_you_mean, raise_all
from benchmark.names import Name, NameOrNone, PlainName
from benchmark.strict import Strict
from benchmark.yaml_files import place_of, read_mapping

__all__ = ["Config", "load_config", "validate"]

_ROOTS = ("clips_root", "activitynet_root", "mini_kinetics_root", "hvu_root", "weights_root")


def _names(text: str) -> list[str]:
    """Return the names between commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


class Config(Strict):
    """A profile."""

    profile: Name
    description: str = Field(description="what the numbers are, said under every table")
    seeds: tuple[Annotated[int, Field(ge=0, lt=2**31)], ...] = Field(min_length=1)
    runs_per_job: int = Field(
        32, ge=1, le=10_000, description="runs of a method that one job trains, about"
    )
    results: str = Field("results", min_length=1)
    methods_path: str = ""
    clips_root: str | None = None
    activitynet_root: str | None = None
    mini_kinetics_root: str | None = None
    hvu_root: str | None = None
    weights_root: str | None = Field(None, description="folder of weights that are files")
    outside_root: OutsideRoot = Field(
        "error",
        description="which listed files may lie outside their dataset's root: none (error), those "
        "that symbolic links lead to (links), or any",
    )
    only: str = Field("", description="names of datasets to run, commas between; default: all")
    only_methods: str = Field(
        "", description="method or method/variant to run, commas between; default: all"
    )
    data_of: NameOrNone = Field(
        "", description="a profile with the same datasets, whose manifests and frames these are"
    )
    extraction_parts: int = Field(1, ge=1, le=10_000, description="jobs that decode a dataset")
    checkpoints: dict[str, str] = Field(
        {}, description="dataset/method/variant -> file of weights that were published"
    )
    mlflow_uri: str = Field("", description="empty: a database in the results folder")
    datasets: dict[PlainName, DatasetConfig] = Field(min_length=1)
    backbone: BackboneConfig
    networks: dict[PlainName, NetworkConfig] = Field(
        {}, description="further networks by role, for methods that ask for them"
    )
    training: Training
    compute: Compute = Compute()
    bootstrap: Bootstrap = Bootstrap(replicates=1000)

    @model_validator(mode="before")
    @classmethod
    def _leave_out(cls, content: Any) -> Any:
        """Keep the datasets that `only` names."""
        if not isinstance(content, dict) or not isinstance(content.get("datasets"), dict):
            return content
        wanted = _names(str(content.get("only", "")))
        known = content["datasets"]
        for name in wanted:
            if name not in known:
                raise ValueError(f"only: no dataset '{name}'{did_you_mean(name, known)}")
        kept = {name: known[name] for name in known if name in wanted or not wanted}
        return {**content, "datasets": kept}

    @property
    def folder(self) -> Path:
        """Folder of this profile's results."""
        return Path(self.results) / self.profile

    @property
    def data_folder(self) -> Path:
        """Folder of the manifests and the frames."""
        return Path(self.results) / (self.data_of or self.profile) / "data"

    @property
    def roots(self) -> dict[str, str | None]:
        """The folders that a user names, by the placeholder that stands for each."""
        return {name: getattr(self, name) for name in _ROOTS}

    def place(self, path: str) -> Path:
        """Return a path with the user's folders in the places of their names."""
        return Path(path.format_map(self.roots))

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles of all networks."""
        return ("backbone", *self.networks)

    def network(self, role: str) -> NetworkConfig:
        """Return the settings of the network of a role; 'backbone' is always there."""
        return self.backbone if role == "backbone" else self.networks[role]

    @property
    def asked_methods(self) -> list[str]:
        """The methods and variants that `only_methods` names; none where all run."""
        return _names(self.only_methods)

    def asks_for(self, method: str, variant: str) -> bool:
        """Say whether `only_methods` leaves a variant in."""
        asked = self.asked_methods
        return not asked or method in asked or f"{method}/{variant}" in asked

    @property
    def frame_owners(self) -> list[str]:
        """The datasets whose frames are stored; others share them."""
        return [name for name, dataset in self.datasets.items() if dataset.sampling]

    def frames_name(self, dataset: str) -> str:
        """Return the dataset whose stored frames a dataset reads."""
        return self.datasets[dataset].frames_of or dataset


def validate(content: Mapping[str, Any], where: object, *, folders_named: bool = True) -> Config:
    """Check settings, all faults at once.

    Args:
        content: the settings.
        where: names them in messages.
        folders_named: whether the folders of the user must be named.

    Raises:
        BenchmarkError: naming each key at fault, with what was expected.
    """
    try:
        config = Config.model_validate(content)
    except ValidationError as faults:
        raise_all([explain(fault, where, Config) for fault in faults.errors()], str(where))
        raise AssertionError("pydantic reports at least one fault") from faults
    raise_all(cross_faults(config, where, folders_named=folders_named), str(where))
    return config


def load_config(
    path: Path, overrides: Mapping[str, Any] | None = None, *, folders_named: bool = True
) -> Config:
    """Read a profile's YAML file, with overrides of its top-level keys.

    A file may say `extends: NAME`, which names another file in its folder. It then has the
    top-level keys of that file where it has none of its own.

    Args:
        path: of the file.
        overrides: of its top-level keys.
        folders_named: whether the folders of the user must be named.

    Raises:
        BenchmarkError: if the file is missing, is no YAML, or holds faults.
    """
    content = _read_profile(path)
    if "extends" in content:
        content = {**_extended(path, content["extends"]), **content}
        del content["extends"]
    return validate({**content, **(overrides or {})}, path, folders_named=folders_named)


def _read_profile(path: Path) -> dict[str, Any]:
    if not os.path.exists(path):
        known = [p.stem for p in path.parent.glob("*.yaml")]
        what = f"no profile '{path.stem}'{did_you_mean(path.stem, known)}"
        raise BenchmarkError(what, where=path)
    return read_mapping(path)


def _extended(path: Path, name: object) -> dict[str, Any]:
    """Return the settings of the profile that another one extends."""
    place = place_of(path, ["extends"])
    if not isinstance(name, str) or not re.fullmatch(r"[\w-]+", name):
        what = f"extends: {name!r} is no name of a profile"
        fix = f"name a file in {path.parent} without its suffix"
        raise BenchmarkError(what, where=place, fix=fix)
    if name == path.stem:
        raise BenchmarkError("the profile extends itself", where=place, fix="name another one")
    known = [other.stem for other in path.parent.glob("*.yaml") if other != path]
    if name not in known:
        what = f"extends: no profile '{name}'{did_you_mean(name, known)}"
        raise BenchmarkError(what, where=place)
    base = _read_profile(path.with_name(f"{name}.yaml"))
    if "extends" in base:
        what = f"'{name}' extends another profile itself"
        raise BenchmarkError(what, where=place, fix="name that one")
    return base
