"""Figures 3 to 6 as png, svg and the data that they draw: pure functions of a profile's files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from matplotlib import rc_context

from benchmark.config import Config
from benchmark.methods import MethodFolder
from benchmark.reporting.figure_classes import draw_classes
from benchmark.reporting.figure_exits import draw_exit_statistics, draw_other_exits
from benchmark.reporting.figure_runs import shown_runs
from benchmark.reporting.figure_tradeoff import draw_tradeoff
from benchmark.reporting.paper import load_paper
from benchmark.reporting.style import SETTINGS, write_files

__all__ = ["write_figure"]

_OF_STEPS = {
    "figure3": draw_exit_statistics,
    "figure4": draw_other_exits,
    "figure5": draw_classes,
}


def write_figure(
    config: Config, methods: Mapping[str, MethodFolder], figure: str, folder: Path
) -> None:
    """Write `<figure>.png`, `.svg` and `.csv`; where nothing ran, the picture says why.

    Args:
        config: the profile.
        methods: by name.
        figure: 'figure3' to 'figure6'.
        folder: where to write.

    Raises:
        BenchmarkError: if a file of a measured run cannot be read.
    """
    spec = load_paper().figures[figure]
    with rc_context(SETTINGS):
        if figure in _OF_STEPS:
            runs = shown_runs(config, methods, spec)
            drawn, records = _OF_STEPS[figure](config, spec.title, runs)
        else:
            drawn, records = draw_tradeoff(config, methods, spec)
        write_files(drawn, records, folder, figure)
