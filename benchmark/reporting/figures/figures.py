"""Figures 3 to 6 as png, svg and the data that they draw: pure functions of a profile's files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

from benchmark.config.profile import Config
from benchmark.experiment.paper import load_paper
from benchmark.methods.discovery import MethodFolder
from benchmark.reporting.figures.classes import draw_classes
from benchmark.reporting.figures.exits import draw_exit_statistics, draw_other_exits
from benchmark.reporting.figures.shown_runs import shown_runs
from benchmark.reporting.figures.style import SETTINGS, write_files
from benchmark.reporting.figures.tradeoff import draw_tradeoff
from benchmark.reporting.sources import result_files, shown_keys, write_sources
from benchmark.reporting.tables.formats import Value, to_csv

__all__ = ["figure_texts", "write_figure"]

_OF_STEPS = {
    "figure3": draw_exit_statistics,
    "figure4": draw_other_exits,
    "figure5": draw_classes,
}


def write_figure(
    config: Config, methods: Mapping[str, MethodFolder], figure: str, folder: Path
) -> None:
    """Write `<figure>.png`, `.svg`, `.csv`, and what they were made of.

    Where nothing ran, the picture says why.

    Args:
        config: the profile.
        methods: by name.
        figure: 'figure3' to 'figure6'.
        folder: where to write.

    Raises:
        BenchmarkError: if a file of a measured run cannot be read.
    """
    with rc_context(SETTINGS):
        drawn, records = _drawn(config, methods, figure)
        write_files(drawn, records, folder, figure)
    keys = shown_keys(config, methods, figure, load_paper().figures[figure].roles)
    write_sources(config, folder, figure, result_files(config, keys))


def figure_texts(
    config: Config, methods: Mapping[str, MethodFolder], figure: str
) -> dict[str, str]:
    """Return the text of the csv of the data that a figure shows, by its name."""
    with rc_context(SETTINGS):
        return {f"{figure}.csv": to_csv(_drawn(config, methods, figure)[1])}


def _drawn(
    config: Config, methods: Mapping[str, MethodFolder], figure: str
) -> tuple[Figure, list[dict[str, Value]]]:
    spec = load_paper().figures[figure]
    if figure in _OF_STEPS:
        return _OF_STEPS[figure](config, spec.title, shown_runs(config, methods, spec))
    return draw_tradeoff(config, methods, spec)
