"""The settings of a profile: one YAML file, checked whole before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, Field, ValidationError, model_validator

from benchmark.config_data import (
    PAPER_DATASETS,
    ActivityNetVideos,
    BuiltinVideos,
    CsvVideos,
    DatasetConfig,
    HvuVideos,
    KineticsVideos,
    Listed,
    Role,
    Sampling,
    Strict,
)
from benchmark.errors import BenchmarkError, did_you_mean, raise_all
from benchmark.yaml_lines import place_of

__all__ = [
    "PAPER_DATASETS",
    "BackboneConfig",
    "Compute",
    "Config",
    "DatasetConfig",
    "NetworkConfig",
    "Precision",
    "Role",
    "load_config",
    "validate",
]

Precision = Literal["32-true", "bf16-mixed", "16-mixed", "64-true"]
# Those of the registry whose input is sound: a plan must know them without importing PyTorch.
_LISTENING = ("audio_resnet18", "tiny_audio")
_ROOTS = ("clips_root", "activitynet_root", "mini_kinetics_root", "hvu_root", "weights_root")


class Pretraining(Strict):
    """How the small network learns which cues a built-in frame shows."""

    epochs: int = Field(gt=0)
    frames_per_video: int = Field(gt=0, description="random stored frames a video and epoch")
    learning_rate: float = Field(gt=0)
    batch_size: int = Field(gt=0)


class NetworkConfig(Strict):
    """A feature extractor."""

    network: str = Field(description="name in the registry")
    weights: Literal["pretrained", "package", "hub", "file", "random"]
    file: str | None = Field(
        None,
        description="with weights: file, safetensors or a state dict; may hold {weights_root}",
    )
    trained_on: str | None = Field(None, description="what the weights of that file saw")
    size: int | None = Field(None, gt=0, description="side of its input, if not the network's own")

    @property
    def published(self) -> bool:
        """Whether a job fetches its weights, from a hub or a file of the user."""
        return self.weights in {"hub", "file"}

    @property
    def listens(self) -> bool:
        """Whether its input is sound."""
        return self.network in _LISTENING


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
    epochs_scale: float = Field(default=1.0, gt=0, description="factor on the papers' epochs")
    accumulate: int = Field(
        default=1, ge=1, description="parts of a batch that are computed in turn"
    )
    precision: Precision = "32-true"
    augmentation: Literal["none", "crop_flip"] = Field(
        default="none", description="of fine-tuned networks: a random crop and mirror image a video"
    )


class Compute(Strict):
    """Where networks run: more processes change weights by rounding only."""

    accelerator: Literal["cpu", "cuda", "auto"] = "cpu"
    devices: int = Field(default=1, ge=1, description="processes a node that train together")
    num_nodes: int = Field(default=1, ge=1, description="more than one: inside a Slurm allocation")
    checkpoint_epochs: int | None = Field(
        default=None, gt=0, description="a stage that is killed goes on from its last such epoch"
    )


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
    activitynet_root: str | None = None
    mini_kinetics_root: str | None = None
    hvu_root: str | None = None
    weights_root: str | None = Field(None, description="folder of weights that are files")
    only: str = Field("", description="names of datasets to run, commas between; default: all")
    data_of: str = Field(
        "", description="a profile with the same datasets, whose manifests and frames these are"
    )
    extraction_parts: int = Field(1, ge=1, description="jobs that decode a dataset")
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
    compute: Compute = Compute()
    bootstrap: Bootstrap = Bootstrap(replicates=1000)

    @model_validator(mode="before")
    @classmethod
    def _leave_out(cls, content: Any) -> Any:
        """Keep the datasets that `only` names."""
        if not isinstance(content, dict) or not isinstance(content.get("datasets"), dict):
            return content
        wanted = [name.strip() for name in str(content.get("only", "")).split(",") if name.strip()]
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
        raise_all([_explain(fault, where) for fault in faults.errors()], str(where))
        raise AssertionError("pydantic reports at least one fault") from faults
    raise_all(_cross_faults(config, where, folders_named=folders_named), str(where))
    return config


def load_config(
    path: Path, overrides: Mapping[str, Any] | None = None, *, folders_named: bool = True
) -> Config:
    """Read a profile's YAML file, with overrides of its top-level keys.

    A file may say `extends: NAME`, of another in its folder: it then has that one's top-level keys
    where it has none of its own.

    Args:
        path: of the file.
        overrides: of its top-level keys.
        folders_named: whether the folders of the user must be named.

    Raises:
        BenchmarkError: if the file is missing, is no YAML, or holds faults.
    """
    content = _read_yaml(path)
    if (extended := content.pop("extends", None)) is not None:
        base = _read_yaml(path.with_name(f"{extended}.yaml"))
        if "extends" in base:
            what = f"'{extended}' extends another profile itself"
            raise BenchmarkError(what, where=place_of(path, ["extends"]), fix="name that one")
        content = {**base, **content}
    return validate({**content, **(overrides or {})}, path, folders_named=folders_named)


def _read_yaml(path: Path) -> dict[str, Any]:
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
    return content


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
    # A whole part of the settings says nothing that the place does not.
    found = "" if isinstance(fault["input"], dict) else f", found {fault['input']!r}"
    what = fault["msg"].removeprefix("Value error, ")
    return BenchmarkError(f"key '{key}': {what}{found}", where=where)


def _model_at(loc: tuple[Any, ...]) -> type[BaseModel]:
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
    model: type[BaseModel] = Config
    for part in loc:
        model = parts.get(str(part), model)
    return model


def _cross_faults(config: Config, where: object, *, folders_named: bool) -> list[BenchmarkError]:
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
        source = dataset.source
        if isinstance(source, Listed):
            key = f"datasets.{name}"
            faults += _unnamed_folders(config, source.root, key, where, must=folders_named)
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
        file = network.file or ""
        faults += _unnamed_folders(config, file, key, where, must=folders_named)
        if network.weights == "pretrained" and not config.backbone.pretraining:
            faults.append(
                BenchmarkError(f"{key}.weights: pretrained needs backbone.pretraining", where=where)
            )
        faults += _listening_faults(network, key, where)
    if "backbone" in config.networks:
        faults.append(
            BenchmarkError(
                "networks.backbone: this role is the profile's backbone",
                where=where,
                fix="choose another name",
            )
        )
    return faults


def _listening_faults(network: NetworkConfig, key: str, where: object) -> list[BenchmarkError]:
    """Return what makes no sense for a network whose input is sound."""
    if not network.listens:
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


def _unnamed_folders(
    config: Config, path: str, key: str, where: object, *, must: bool
) -> list[BenchmarkError]:
    """Return a fault for each folder that a path asks for and that is unknown, or not named."""
    asked = [name for _, name, _, _ in Formatter().parse(path) if name is not None]
    faults = []
    for name in asked:
        if name not in _ROOTS:
            what = f"{key}: no such folder '{{{name}}}'{did_you_mean(name, _ROOTS)}"
            faults.append(BenchmarkError(what, where=where))
        elif must and not config.roots[name]:
            what = f"{key} needs a folder that only you know"
            faults.append(BenchmarkError(what, where=where, fix=f"add --config {name}=DIR"))
    return faults
