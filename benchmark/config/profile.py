"""The settings of a profile: one YAML file, checked whole before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, model_validator

from benchmark.config.datasets import DatasetConfig, OutsideRoot
from benchmark.config.learning import (
    BackboneConfig,
    Bootstrap,
    Compute,
    NetworkConfig,
    Training,
)
from benchmark.config.names import Name, NameOrNone, PlainName
from benchmark.config.strict import Strict
from benchmark.errors import did_you_mean

__all__ = ["Config"]

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
