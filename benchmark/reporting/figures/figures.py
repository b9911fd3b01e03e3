"""Figures 3 to 6 as png, svg and the data that they draw: pure functions of a profile's files."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib import rc_context
from matplotlib.figure import Figure

from benchmark.config.profile import Config
from benchmark.experiment.layout import RunKey
from benchmark.experiment.paper import load_paper
from benchmark.experiment.plan import Plan
from benchmark.experiment.shown_runs import shown_keys
from benchmark.methods.discovery import MethodFolder
from benchmark.reporting.figures.classes import draw_classes
from benchmark.reporting.figures.exits import draw_exit_statistics, draw_other_exits
from benchmark.reporting.figures.shown_runs import shown_runs
from benchmark.reporting.figures.style import SETTINGS
from benchmark.reporting.figures.tradeoff import draw_tradeoff
from benchmark.reporting.made import Made, Work
from benchmark.reporting.tables.formats import Value, to_csv

__all__ = ["make", "runs_behind"]

_OF_STEPS = {
    "figure3": draw_exit_statistics,
    "figure4": draw_other_exits,
    "figure5": draw_classes,
}


def make(plan: Plan, name: str, work: Work) -> Made:
    """Make a figure, with a csv of what it shows; where nothing ran, the picture says why.

    Raises:
        BenchmarkError: if a file of a measured run cannot be read.
    """
    del work
    with rc_context(SETTINGS):
        figure, records = _drawn(plan.config, plan.methods, name)
    return Made({f"figures/{name}.csv": to_csv(records)}, figure)


def runs_behind(plan: Plan, name: str) -> list[RunKey]:
    """Return the runs that the figure draws."""
    return shown_keys(plan.config, plan.methods, name, plan.paper.figures[name].roles)


def _drawn(
    config: Config, methods: Mapping[str, MethodFolder], figure: str
) -> tuple[Figure, list[dict[str, Value]]]:
    spec = load_paper().figures[figure]
    if figure in _OF_STEPS:
        return _OF_STEPS[figure](config, spec.title, shown_runs(config, methods, spec))
    return draw_tradeoff(config, methods, spec)
