"""Tables and figures of made-up results, written as their jobs write them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from benchmark.config.profile import Config
from benchmark.experiment.layout import Layout
from benchmark.experiment.paper import load_paper
from benchmark.experiment.plan import Plan
from benchmark.methods.discovery import MethodFolder
from benchmark.reporting.artefacts import artefact_named
from benchmark.reporting.made import Work
from benchmark.reporting.sources import write_artefact

__all__ = ["plan_of", "write_shown"]


def plan_of(config: Config, methods: Mapping[str, MethodFolder]) -> Plan:
    """Return a plan of these methods that runs nothing."""
    return Plan(config, methods, load_paper(), {})


def write_shown(
    config: Config, methods: Mapping[str, MethodFolder], name: str, folder: Path
) -> None:
    """Write a table or a figure among the results, and copy its files into a folder."""
    artefact = artefact_named(config, name)
    write_artefact(plan_of(config, methods), artefact, Work())
    folder.mkdir(exist_ok=True)
    for file in (*artefact.files, artefact.record):
        shutil.copy(Layout.of(config).root / file, folder)
