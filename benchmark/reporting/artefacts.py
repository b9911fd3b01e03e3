"""The one list of all that is shown of a profile: tables, figures, the ledger, the report.

Snakemake's rules, `python -m benchmark verify` and the report read this list. To add a table or a
figure, write a module with the two functions of `benchmark.reporting.made.Maker`, and add an entry
here. No such module is imported before it is needed, since Snakemake reads the list at each start.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from benchmark.config.profile import Config
from benchmark.errors import BenchmarkError, did_you_mean
from benchmark.experiment.layout import Layout
from benchmark.experiment.paper import load_paper
from benchmark.reporting.made import Maker

__all__ = ["Artefact", "Reads", "artefact_named", "artefacts_of"]

Reads = Literal["truth", "frames", "other profiles", "LaTeX tables", "other artefacts"]


@dataclass(frozen=True)
class Artefact:
    """A table, a figure or a page.

    Attributes:
        name: of its files, its rule and its log.
        module: that makes it, below `benchmark.reporting`.
        files: their paths below the results of the profile.
        title: for people; empty where the artefact's own text says it.
        reads: what else it is made of than results and manifests of methods.
        on_request: whether `all_tables` leaves it out.
        threads: that it uses; 0 stands for all, so that nothing else runs beside it.
        is_repeatable: whether the same results give the same bytes.
    """

    name: str
    module: str
    files: tuple[str, ...]
    title: str = ""
    reads: tuple[Reads, ...] = ()
    on_request: bool = False
    threads: int = 1
    is_repeatable: bool = True

    @property
    def maker(self) -> Maker:
        """The module that makes it."""
        return cast(Maker, importlib.import_module(self.dotted_module))

    @property
    def dotted_module(self) -> str:
        """The whole name of that module."""
        return f"{__package__}.{self.module}"

    @property
    def record(self) -> str:
        """The path of the file that says what it was made of."""
        return str(Path(self.files[0]).with_name(f"{self.name}.sources.json"))

    def is_there(self, layout: Layout) -> bool:
        """Say whether it was made."""
        return (layout.root / self.record).is_file()


def artefacts_of(config: Config) -> list[Artefact]:
    """Return all that can be shown of a profile, those that `all_tables` makes first."""
    paper = load_paper()
    tables = [
        Artefact(name, "tables.tables", _table(name, "csv", "md", "tex"), spec.title)
        for name, spec in paper.tables.items()
    ]
    figures = [
        Artefact(name, "figures.figures", _figure(name), spec.title)
        for name, spec in paper.figures.items()
    ]
    has_truth = any(dataset.builtin for dataset in config.datasets.values())
    return [*tables, _DOCUMENT, *([_KNOWN_ANSWERS] if has_truth else []), _CLAIMS, *figures, *_MORE]


def artefact_named(config: Config, name: str) -> Artefact:
    """Return an artefact by its name.

    Raises:
        BenchmarkError: if the profile has none of this name.
    """
    known = {artefact.name: artefact for artefact in artefacts_of(config)}
    if name not in known:
        raise BenchmarkError(f"no table or figure '{name}'{did_you_mean(name, known)}")
    return known[name]


def _table(name: str, *kinds: str) -> tuple[str, ...]:
    return tuple(f"tables/{name}.{kind}" for kind in kinds or ("csv", "md"))


def _figure(name: str) -> tuple[str, ...]:
    return tuple(f"figures/{name}.{kind}" for kind in ("csv", "png", "svg"))


_DOCUMENT = Artefact("tables", "tables.document", _table("tables", "tex"), reads=("LaTeX tables",))
_KNOWN_ANSWERS = Artefact(
    *("known_answers", "tables.known_answers", _table("known_answers")),
    title="Known answers of the built-in videos",
    reads=("truth",),
)
_CLAIMS = Artefact("claims", "claims.table", _table("claims"))
_MORE = (
    Artefact(
        "ledger", "ledger.files", _table("ledger"), reads=("other profiles",), on_request=True
    ),
    Artefact(
        *("exits", "figures.further_figures", _figure("exits")),
        title="Where videos exit: each method that stops early, on every dataset",
        reads=("frames",),
        on_request=True,
    ),
    Artefact(
        *("strip", "figures.further_figures", _figure("strip")),
        title="What a method saw of a few videos, and where it stopped",
        reads=("frames", "truth"),
        on_request=True,
    ),
    Artefact(
        *("frontier", "frontier.files", (*_table("frontier"), *_figure("frontier"))),
        title="The frontier of each exit rule",
        on_request=True,
        threads=2,
    ),
    Artefact(
        *("timing", "tables.timings", _table("timing")),
        title="Measured time",
        on_request=True,
        threads=0,
        is_repeatable=False,
    ),
    Artefact(
        *("report", "report.page", ("report.html",)),
        reads=("frames", "other artefacts"),
        on_request=True,
    ),
)
