"""Which runs stand behind what is shown, and where their results lie."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from benchmark.config.load import validate
from benchmark.config.profile import Config
from benchmark.experiment.layout import Layout, RunKey
from benchmark.methods.discovery import MethodFolder

__all__ = ["other_paper_profiles", "result_files", "shown_keys"]


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
