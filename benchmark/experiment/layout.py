"""Where every file of a profile lies.

The workflow and the stages read the same paths from here, so that they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.config.datasets import Listed
from benchmark.config.profile import Config
from benchmark.methods.discovery import MethodFolder

__all__ = ["Layout", "RunKey", "annotation_files", "method_files"]


def method_files(methods: dict[str, MethodFolder], name: str) -> list[Path]:
    """Return the files that a method depends on, those of the methods that it extends too."""
    folder = methods[name]
    parent = folder.manifest.extends
    return folder.files() + (method_files(methods, parent) if parent else [])


@dataclass(frozen=True, order=True)
class RunKey:
    """Names one run: a variant of a method on a dataset with a seed."""

    dataset: str
    method: str
    variant: str
    seed: int

    def folder(self, runs: Path) -> Path:
        """Return the folder of this run's files."""
        return runs / self.dataset / self.method / self.variant / f"seed{self.seed}"


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
