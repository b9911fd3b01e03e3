"""What a table or figure was made of: the hashes of its results, in a small file beside it.

By it `python -m benchmark verify` tells a table that somebody edited from one that is out of date.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from benchmark.config.load import validate
from benchmark.config.profile import Config
from benchmark.experiment.layout import Layout, RunKey
from benchmark.files.sealed import check_file, file_sha256, read_sealed_model, write_sealed
from benchmark.methods.discovery import MethodFolder

__all__ = [
    "SUFFIX",
    "Sources",
    "other_paper_profiles",
    "result_files",
    "shown_file",
    "shown_keys",
    "write_sources",
]

SUFFIX = ".sources.json"
_AGAIN = "delete it and run the same command again"


class Sources(BaseModel):
    """What `<name>.sources.json` says.

    Attributes:
        files: SHA-256 of the table's or figure's own files, by name.
        results: SHA-256 of what they were made of, by path below the profile's folder.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    files: dict[str, str]
    results: dict[str, str]

    @classmethod
    def load(cls, folder: Path, name: str) -> Sources:
        """Read the file of a table or figure.

        Raises:
            DamagedFileError: if it is missing, no such file or was changed.
        """
        return read_sealed_model(folder / f"{name}{SUFFIX}", cls, f"record of {name}", _AGAIN)


def shown_file(folder: Path, name: str, kind: str) -> Path:
    """Return the path of a file of a table or figure that is as its job wrote it.

    Args:
        folder: that it lies in.
        name: of the table or figure.
        kind: of the file: 'csv', 'md', 'svg' or 'png'.

    Raises:
        DamagedFileError: if the file was changed, or nothing says how it was.
    """
    path, record = folder / f"{name}.{kind}", folder / f"{name}{SUFFIX}"
    sha256 = Sources.load(folder, name).files.get(path.name)
    return check_file(path, sha256, record=record, fix=_AGAIN)


def shown_keys(
    config: Config, methods: Mapping[str, MethodFolder], shown: str, roles: Collection[str]
) -> list[RunKey]:
    """Return the runs behind a table or figure, on the datasets of its roles."""
    return [
        RunKey(dataset, method.name, variant, seed)
        for dataset, settings in config.datasets.items()
        if settings.role in roles
        for method in methods.values()
        for variant, shown_in in method.manifest.variants.items()
        if shown in shown_in.shown_in and method.has_weights(variant, dataset, config.checkpoints)
        if config.asks_for(method.name, variant)
        for seed in config.seeds
    ]


def result_files(config: Config, keys: Iterable[RunKey]) -> list[Path]:
    """Return the result files of these runs, where they are."""
    runs = Layout.of(config).runs
    paths = [key.folder(runs) / "result.json" for key in keys]
    return [path for path in paths if path.is_file()]


def other_paper_profiles(own: Config) -> list[Config]:
    """Return the other profiles in the same folder of results that ran a dataset of the paper's.

    Raises:
        BenchmarkError: if the settings of one of them hold faults.
    """
    found = []
    for path in sorted(Path(own.results).glob("*/config.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        datasets = content.get("datasets", {}).values()
        if path.parent != own.folder and any(d.get("paper_dataset") for d in datasets):
            found.append(validate({**content, "results": own.results}, path))
    return found


def write_sources(config: Config, folder: Path, name: str, made_of: Iterable[Path]) -> None:
    """Write the hashes of `<name>.*` in a folder, and of the files that they were made of."""
    own = [path for path in sorted(folder.glob(f"{name}.*")) if not path.name.endswith(SUFFIX)]
    root = Layout.of(config).root
    said = Sources(
        files={path.name: file_sha256(path) for path in own},
        results={os.path.relpath(path, root): file_sha256(path) for path in made_of},
    )
    write_sealed(folder / f"{name}{SUFFIX}", said)
