"""How each table and figure is made: in memory, by a module with the two functions of `Maker`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from benchmark.experiment.layout import RunKey
from benchmark.experiment.plan import Plan

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Made", "Maker", "Work"]


@dataclass(frozen=True)
class Work:
    """How an artefact is made.

    Attributes:
        threads: that may be used.
        progress: is told what is done, and of how much.
    """

    threads: int = 1
    progress: Callable[[int, int], None] = lambda done, of: None


@dataclass(frozen=True)
class Made:
    """What an artefact consists of.

    Attributes:
        texts: of its text files, by their path below the results of the profile.
        figure: drawn, for the files with the suffixes .png and .svg.
        made_of: files that it was made of beside the results of its runs.
    """

    texts: Mapping[str, str]
    figure: Figure | None = None
    made_of: tuple[Path, ...] = ()


class Maker(Protocol):
    """The module of an artefact."""

    def make(self, plan: Plan, name: str, work: Work) -> Made:
        """Make the artefact in memory, as a pure function of the profile's files."""

    def runs_behind(self, plan: Plan, name: str) -> list[RunKey]:
        """Return the runs whose results it shows."""
