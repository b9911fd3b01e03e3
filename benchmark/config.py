"""The settings of a profile: one YAML file, checked whole before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from benchmark.errors import BenchmarkError, did_you_mean, raise_all
from benchmark.yaml_lines import place_of

__all__ = [
    "PAPER_DATASETS",
    "BackboneConfig",
    "Config",
    "DatasetConfig",
    "NetworkConfig",
    "load_config",
    "validate",
]

Metric = Literal["map", "top1"]
Role = Literal["long", "short", "multi"]
PaperDataset = Literal["ActivityNet", "Mini-Kinetics", "HVU"]
PAPER_DATASETS: dict[Role, PaperDataset] = {
    "long": "ActivityNet",
    "short": "Mini-Kinetics",
    "multi": "HVU",
}


class Strict(BaseModel):
    """A part of the settings: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class BuiltinVideos(Strict):
    """Videos that the project generates."""

    set: Role = Field(description="which of the three built-in sets")
    num_train: int = Field(gt=0)
    num_val: int = Field(gt=0)
    seed: int = 0


class CsvVideos(Strict):
    """Videos of the user, listed in a CSV file with named columns."""

    csv: str = Field(description="the list, relative to root")
    root: str = Field(description="folder of the videos; may hold {clips_root}")
    path: str = Field("path", description="column with the video's path below root")
    labels: tuple[str, ...] = Field(("label",), description="columns with labels")
    split: str | None = Field(None, description="column with train or val")
    group: str | None = Field(None, description="column that never stands on both sides")
    num_folds: int = Field(1, ge=1, description="1: the split column; more: group k-fold")
    multi_label: bool = False
    on_duplicate: Literal["error", "keep_train", "keep_val", "keep_first"] = "error"


class Sampling(Strict):
    """Which frames of a video are stored."""

    positions: int | None = Field(None, gt=0, description="so many equally spaced frames")
    fps: float | None = Field(None, gt=0, description="or so many a second")
    short_side: int | None = Field(None, gt=0, description="scale the short side to this")
    skip_start_s: float = Field(0.0, ge=0, description="seconds left out at the beginning")

    @model_validator(mode="after")
    def _one_grid(self) -> Sampling:
        if (self.positions is None) == (self.fps is None):
            raise ValueError("give either positions or fps")
        return self


class DatasetConfig(Strict):
    """One dataset, in the part of one of the paper's three."""

    role: Role = Field(description="long: ActivityNet, short: Mini-Kinetics, multi: HVU")
    builtin: BuiltinVideos | None = None
    csv: CsvVideos | None = None
    frames_of: str | None = Field(None, description="a dataset whose stored frames it shares")
    sampling: Sampling | None = None
    metric: Metric = "map"
    max_unreadable_fraction: float = Field(0.0, ge=0, le=1)
    paper_dataset: PaperDataset | None = Field(
        None, description="the paper's dataset, if these are its videos: they fill the ledger"
    )

    @model_validator(mode="after")
    def _the_papers_own(self) -> DatasetConfig:
        if self.paper_dataset is None:
            return self
        if self.builtin is not None:
            raise ValueError("built-in videos are no dataset of the paper's: drop paper_dataset")
        if self.paper_dataset != PAPER_DATASETS[self.role]:
            raise ValueError(
                f"{self.paper_dataset} does not play the part '{self.role}' in the paper, "
                f"{PAPER_DATASETS[self.role]} does"
            )
        return self

    @model_validator(mode="after")
    def _one_source(self) -> DatasetConfig:
        if (self.builtin is None) == (self.csv is None):
            raise ValueError("give either builtin or csv")
        if (self.sampling is None) == (self.frames_of is None):
            raise ValueError("give either sampling or frames_of")
        return self


class Pretraining(Strict):
    """How the small network learns which cues a built-in frame shows."""

    epochs: int = Field(gt=0)
    frames_per_video: int = Field(gt=0, description="random stored frames a video and epoch")
    learning_rate: float = Field(gt=0)
    batch_size: int = Field(gt=0)


class NetworkConfig(Strict):
    """A feature extractor."""

    network: str = Field(description="name in the registry")
    weights: Literal["pretrained", "package", "file", "random"]
    file: str | None = Field(None, description="safetensors file, with weights: file")
    size: int | None = Field(None, gt=0, description="side of its input, if not the network's own")


class BackboneConfig(NetworkConfig):
    """The feature extractor that every method may use, and what holds for the others too."""

    finetune: bool = Field(False, description="train the networks with each method")
    pretraining: Pretraining | None = None
    paper_group: str = Field("ResNet", description="the paper's rows that it is set beside")


class Training(Strict):
    """The same budget for every method: the papers' epochs, scaled."""

    head_units: int = Field(gt=0)
    learning_rate: float = Field(gt=0)
    batch_size: int = Field(gt=1)
    epochs_scale: float = Field(1.0, gt=0, description="factor on the papers' epochs")


class Bootstrap(Strict):
    """Resampling of videos and seeds for the intervals."""

    replicates: int = Field(1000, ge=20)


class Config(Strict):
    """A profile."""

    profile: str
    description: str = Field(description="what the numbers are, said under every table")
    seeds: tuple[int, ...] = Field(min_length=1)
    runs_per_job: int = Field(32, ge=1, description="runs of a method that one job trains, about")
    results: str = "results"
    methods_path: str = ""
    clips_root: str | None = None
    checkpoints: dict[str, str] = Field(
        {}, description="dataset/method/variant -> file of weights that were published"
    )
    mlflow_uri: str = Field("", description="empty: a database in the results folder")
    datasets: dict[Annotated[str, Field(pattern=r"^[a-z0-9_]+$")], DatasetConfig]
    backbone: BackboneConfig
    networks: dict[Annotated[str, Field(pattern=r"^[a-z0-9_]+$")], NetworkConfig] = Field(
        {}, description="further networks by role, for methods that ask for them"
    )
    training: Training
    bootstrap: Bootstrap = Bootstrap(replicates=1000)

    @property
    def folder(self) -> Path:
        """Folder of this profile's results."""
        return Path(self.results) / self.profile

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles of all networks."""
        return ("backbone", *self.networks)

    def network(self, role: str) -> NetworkConfig:
        """Return the settings of the network of a role; 'backbone' is always there."""
        return self.backbone if role == "backbone" else self.networks[role]

    @property
    def frame_owners(self) -> list[str]:
        """The datasets whose frames are stored; others share them."""
        return [name for name, dataset in self.datasets.items() if dataset.sampling]

    def frames_name(self, dataset: str) -> str:
        """Return the dataset whose stored frames a dataset reads."""
        return self.datasets[dataset].frames_of or dataset


def validate(content: Mapping[str, Any], where: object) -> Config:
    """Check settings, all faults at once.

    Raises:
        BenchmarkError: naming each key at fault, with what was expected.
    """
    try:
        config = Config.model_validate(content)
    except ValidationError as faults:
        raise_all([_explain(fault, where) for fault in faults.errors()], str(where))
        raise AssertionError("pydantic reports at least one fault") from faults
    raise_all(_cross_faults(config, where), str(where))
    return config


def load_config(path: Path, overrides: Mapping[str, Any] | None = None) -> Config:
    """Read a profile's YAML file, with overrides of its top-level keys.

    Raises:
        BenchmarkError: if the file is missing, is no YAML, or holds faults.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as fault:
        known = [p.stem for p in path.parent.glob("*.yaml")]
        raise BenchmarkError(
            f"no profile '{path.stem}'{did_you_mean(path.stem, known)}", where=path
        ) from fault
    except yaml.YAMLError as fault:
        raise BenchmarkError(f"is not YAML: {fault}", where=path) from fault
    if not isinstance(content, dict):
        raise BenchmarkError("holds no settings", where=path, fix="begin from a file of config/")
    return validate({**content, **(overrides or {})}, path)


def _explain(fault: Any, where: object) -> BenchmarkError:
    key = ".".join(str(part) for part in fault["loc"]) or "(top level)"
    if isinstance(where, Path):
        where = place_of(where, fault["loc"])
    if fault["type"] == "extra_forbidden":
        parent = _model_at(fault["loc"][:-1])
        return BenchmarkError(
            f"unknown key '{key}'{did_you_mean(str(fault['loc'][-1]), parent.model_fields)}",
            where=where,
        )
    return BenchmarkError(f"key '{key}': {fault['msg']}, found {fault['input']!r}", where=where)


def _model_at(loc: tuple[Any, ...]) -> type[BaseModel]:
    parts: dict[str, type[BaseModel]] = {
        "datasets": DatasetConfig,
        "builtin": BuiltinVideos,
        "csv": CsvVideos,
        "sampling": Sampling,
        "backbone": BackboneConfig,
        "networks": NetworkConfig,
        "pretraining": Pretraining,
        "training": Training,
        "bootstrap": Bootstrap,
    }
    model: type[BaseModel] = Config
    for part in loc:
        model = parts.get(str(part), model)
    return model


def _cross_faults(config: Config, where: object) -> list[BenchmarkError]:
    faults = []
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
        if dataset.csv and "{clips_root}" in dataset.csv.root and not config.clips_root:
            faults.append(
                BenchmarkError(
                    f"dataset '{name}' needs the folder of the clips",
                    where=where,
                    fix="add --config clips_root=DIR",
                )
            )
    roles = [dataset.role for dataset in config.datasets.values()]
    faults += [
        BenchmarkError(f"two datasets play the part '{role}'", where=where, fix="keep one of them")
        for role in sorted(set(roles))
        if roles.count(role) > 1
    ]
    for role in config.roles:
        key = role if role == "backbone" else f"networks.{role}"
        network = config.network(role)
        if network.weights == "file" and not network.file:
            faults.append(BenchmarkError(f"{key}.weights: file needs {key}.file", where=where))
        if network.weights == "pretrained" and not config.backbone.pretraining:
            faults.append(
                BenchmarkError(f"{key}.weights: pretrained needs backbone.pretraining", where=where)
            )
    if "backbone" in config.networks:
        faults.append(
            BenchmarkError(
                "networks.backbone: this role is the profile's backbone",
                where=where,
                fix="choose another name",
            )
        )
    return faults
