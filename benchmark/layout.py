"""Where every file of a profile lies, and which code each stage depends on.

The workflow and the stages read the same paths from here, so that they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.config import Config
from benchmark.config_data import Listed
from benchmark.methods import MethodFolder

__all__ = ["FURTHER_FIGURES", "Layout", "annotation_files", "method_files", "stage_code"]

FURTHER_FIGURES = ("exits", "strip")
"""Figures that the paper does not have, made on request."""

_PACKAGE = Path(__file__).parent
_SHARED = ("errors.py", "files.py", "sealed*.py", "seeds.py", "stage_index.py")
_LEARNING = (
    *_SHARED,
    *("contract.py", "layers.py", "videos.py", "inputs.py", "data/*.py", "backbones/*.py"),
)
_CODE: dict[str, tuple[str, ...]] = {
    "videos": (*_SHARED, "data/builtin/*.py"),
    "manifest": (*_SHARED, "text_files.py", "yaml_files.py", "data/*.py"),
    "frames": (*_SHARED, "data/*.py"),
    "sound": (
        *_SHARED,
        "data/extract_sound.py",
        "data/shard_files.py",
        "data/sound*.py",
        "data/manifest*.py",
    ),
    "pretrain": (*_SHARED, "backbones/*.py", "data/sampling.py", "data/resize.py"),
    "weights": (*_SHARED, "backbones/*.py"),
    "features": (
        *_SHARED,
        *("backbones/*.py", "cost/*.py", "data/sampling.py", "data/resize.py"),
        *("data/sound*.py", "data/log_mel.py"),
    ),
    "train": (*_LEARNING, "training/*.py"),
    "predict": (*_LEARNING, "training/*.py", "evaluation/*.py", "cost/*.py"),
    "evaluate": (*_SHARED, "evaluation/*.py", "backbones/origin.py"),
    "costs": (*_SHARED, "cost/*.py"),
    "known_answers": (*_SHARED, "reporting/*.py", "data/builtin/*.py"),
    "claims": (*_SHARED, "reporting/*", "reporting/claims/*.py", "evaluation/*.py"),
    "report": (*_SHARED, "reporting/*", "evaluation/*.py"),
    "further": (*_SHARED, "reporting/*", "evaluation/*.py", "data/*.py", "data/builtin/*.py"),
    "ledger": (*_SHARED, "reporting/*", "cost/*.py"),
    "page": (*_SHARED, "progress.py", "reporting/*", "reporting/report/**/*"),
    "track": (*_SHARED, "tracking*.py", "evaluation/result.py"),
}


def stage_code(stage: str) -> list[Path]:
    """Return the harness's files that a stage depends on."""
    return sorted({p for pattern in _CODE[stage] for p in _PACKAGE.glob(pattern) if p.is_file()})


def method_files(methods: dict[str, MethodFolder], name: str) -> list[Path]:
    """Return the files that a method depends on, those of the methods that it extends too."""
    folder = methods[name]
    parent = folder.manifest.extends
    return folder.files() + (method_files(methods, parent) if parent else [])


@dataclass(frozen=True)
class Layout:
    """Paths below `results/<profile>/`; manifests and frames may be those of another profile."""

    root: Path
    data: Path

    @classmethod
    def of(cls, config: Config) -> Layout:
        """Return the paths of a profile."""
        return cls(config.folder, config.data_folder)

    @property
    def config(self) -> Path:
        """The resolved settings, which every job reads."""
        return self.root / "config.json"

    @property
    def runs(self) -> Path:
        """Folder of all runs."""
        return self.root / "runs"

    @property
    def tables(self) -> Path:
        """Folder of the tables."""
        return self.root / "tables"

    @property
    def figures(self) -> Path:
        """Folder of the figures."""
        return self.root / "figures"

    @property
    def report(self) -> Path:
        """The report, in one file."""
        return self.root / "report.html"

    @property
    def logs(self) -> Path:
        """Folder of the jobs' logs."""
        return self.root / "logs"

    def weights(self, role: str) -> Path:
        """What the job of a network's weights writes: pretrained here, or published."""
        return self.root / "networks" / f"{role}.safetensors"

    def features_done(self, role: str) -> Path:
        """What the features job of a network writes last."""
        return self.root / "networks" / f"{role}.features.json"

    def videos(self, dataset: str) -> Path:
        """Folder of a built-in set's videos and records."""
        return self.data / dataset / "videos"

    def manifest(self, dataset: str) -> Path:
        """A dataset's manifest."""
        return self.data / dataset / "manifest.csv"

    def frames(self, dataset: str) -> Path:
        """Folder of the frame store of the dataset that owns the frames."""
        return self.data / dataset / "frames"

    def frames_part(self, dataset: str, part: object, num_parts: int) -> Path:
        """What a job that decodes a part of a dataset writes last."""
        return self.data / dataset / "parts" / f"{part}-of-{num_parts}.json"

    def sound(self, dataset: str) -> Path:
        """Folder of the sound store of the dataset that owns the frames."""
        return self.data / dataset / "sound"

    def features(self, dataset: str, role: str = "backbone") -> Path:
        """Folder of a network's feature store of the dataset that owns the frames."""
        return self.root / "features" / dataset / role

    def finetuned_features(self, dataset: str, method: str) -> Path:
        """Folder of the features of a method's fine-tuned networks, while its jobs run."""
        return self.root / "features" / dataset / f"finetuned-{method}"

    def stage_index(self, dataset: str, method: str, stage: str, seeds: Sequence[int]) -> Path:
        """What a training or prediction job writes last: the list of its files."""
        return self.runs / dataset / method / f"{stage}_seeds{'-'.join(map(str, seeds))}.json"

    def results_index(self, dataset: str, method: str) -> Path:
        """The list of a method's results on a dataset."""
        return self.runs / dataset / method / "results.json"


def annotation_files(config: Config, dataset: str) -> list[Path]:
    """Return the files that say which videos a dataset has and what they show."""
    listed = config.datasets[dataset].source
    if not isinstance(listed, Listed):
        return [Layout.of(config).videos(dataset) / "labels.csv"]
    return [config.place(listed.root) / name for name in listed.lists]
