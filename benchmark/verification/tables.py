"""Tables and figures: made again in memory from the results, and compared byte by byte."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from benchmark.errors import BenchmarkError
from benchmark.evaluation.timing import timed_keys
from benchmark.experiment.layout import FURTHER_FIGURES, Layout, RunKey
from benchmark.experiment.plan import Plan
from benchmark.reporting.claims.table import claims_keys, claims_texts
from benchmark.reporting.figures.figures import figure_texts
from benchmark.reporting.figures.further_figures import further_keys, further_texts
from benchmark.reporting.frontier.curves import frontier_keys
from benchmark.reporting.frontier.files import frontier_texts
from benchmark.reporting.ledger.files import ledger_keys, ledger_texts
from benchmark.reporting.report.page import report_keys, report_texts
from benchmark.reporting.sources import SUFFIX, Sources, shown_keys
from benchmark.reporting.tables.known_answers import known_answers_keys, known_answers_texts
from benchmark.reporting.tables.tables import document_text, table_texts
from benchmark.reporting.tables.timings import TIMED_TABLES
from benchmark.verification.files import Hashes

__all__ = ["Shown", "check_shown", "shown_things"]

Texts = Callable[[], Mapping[str, str]]
_DOCUMENT, _TIMING = "tables", "timing"


@dataclass(frozen=True)
class Shown:
    """A table or a figure.

    Attributes:
        name: of its files.
        folder: that they lie in.
        files: their names.
        keys: the runs behind it.
        texts: makes again what can be made again, by file name.
    """

    name: str
    folder: Path
    files: tuple[str, ...]
    keys: tuple[RunKey, ...]
    texts: Texts


def shown_things(plan: Plan) -> list[Shown]:
    """Return all tables and figures of a profile; those on request where there are any."""
    config, methods, layout = plan.config, dict(plan.methods), Layout.of(plan.config)

    def shown(name: str, kinds: str, keys: list[RunKey], texts: Texts) -> Shown:
        folder = layout.figures if name in plan.paper.figures else layout.tables
        files = tuple(f"{name}.{kind}" for kind in kinds.split())
        return Shown(name, folder, files, tuple(keys), texts)

    things = []
    for name, table in plan.paper.tables.items():
        keys = shown_keys(config, methods, name, table.roles)
        things.append(shown(name, "csv md tex", keys, partial(table_texts, config, methods, name)))
    things.append(shown(_DOCUMENT, "tex", [], lambda: {"tables.tex": document_text()}))
    if any(dataset.builtin for dataset in config.datasets.values()):
        keys = known_answers_keys(config)
        texts = partial(known_answers_texts, config)
        things.append(shown("known_answers", "csv md", keys, texts))
    keys = claims_keys(config, methods)
    things.append(shown("claims", "csv md", keys, partial(claims_texts, config, methods)))
    if (layout.tables / f"{_TIMING}{SUFFIX}").is_file():
        things.append(shown(_TIMING, "csv md", timed_keys(plan, TIMED_TABLES), dict))
    if (layout.tables / f"ledger{SUFFIX}").is_file():
        things.append(shown("ledger", "csv md", ledger_keys(plan), partial(ledger_texts, plan)))
    if (layout.tables / f"frontier{SUFFIX}").is_file():
        things += _frontier(plan)
    for name, figure in plan.paper.figures.items():
        keys = shown_keys(config, methods, name, figure.roles)
        again = partial(figure_texts, config, methods, name)
        things.append(shown(name, "csv png svg", keys, again))
    for name in FURTHER_FIGURES:
        if (layout.figures / f"{name}{SUFFIX}").is_file():
            keys, again = further_keys(plan), partial(further_texts, plan, name)
            files = tuple(f"{name}.{kind}" for kind in ("csv", "png", "svg"))
            things.append(Shown(name, layout.figures, files, tuple(keys), again))
    if (layout.root / f"{layout.report.stem}{SUFFIX}").is_file():
        things.append(_report(plan, layout.report))
    return things


def _report(plan: Plan, path: Path) -> Shown:
    keys = tuple(report_keys(plan))
    return Shown(path.stem, path.parent, (path.name,), keys, partial(report_texts, plan))


def _frontier(plan: Plan) -> list[Shown]:
    """Return table and figure of the frontiers, which are worked out once for both."""
    layout, keys = Layout.of(plan.config), tuple(frontier_keys(plan))
    texts = cache(partial(frontier_texts, plan, threads=os.cpu_count() or 1))
    files = {
        layout.tables: ("frontier.csv", "frontier.md"),
        layout.figures: ("frontier.csv", "frontier.png", "frontier.svg"),
    }

    def texts_in(folder: Path) -> Mapping[str, str]:
        of_table, of_figure = texts()
        return of_table if folder == layout.tables else of_figure

    return [
        Shown("frontier", folder, names, keys, partial(texts_in, folder))
        for folder, names in files.items()
    ]


def check_shown(shown: Shown, hashes: Hashes) -> tuple[list[str], int]:
    """Return what is wrong with a table's own files, and how many of its numbers were compared."""
    absent = [shown.folder / name for name in shown.files if not (shown.folder / name).is_file()]
    if absent:
        return [f"{path} is missing" for path in absent], 0
    said, num_numbers = [], 0
    try:
        texts = shown.texts()
    except (BenchmarkError, OSError, ValueError, KeyError) as fault:
        texts = {}
        said.append(f"cannot be made again: {fault}")
    for name, text in texts.items():
        there = (shown.folder / name).read_bytes()
        if there != text.encode():
            said.append(_first_difference(shown.folder / name, there, text))
        elif name.endswith(".csv"):
            num_numbers += _count_numbers(text)
    if shown.name != _DOCUMENT:
        said += _source_faults(shown, hashes, said)
    return said, num_numbers


def _source_faults(shown: Shown, hashes: Hashes, known: Sequence[str]) -> list[str]:
    """Hold the hashes beside a table against its results and, unless known, its own files."""
    try:
        sources = Sources.load(shown.folder, shown.name)
    except BenchmarkError as fault:
        return [str(fault)]
    root, record = hashes.root, shown.folder / f"{shown.name}{SUFFIX}"
    results = [key.folder(root / "runs") / "result.json" for key in shown.keys]
    planned = {str(path.relative_to(root)) for path in results}
    runs = {name for name in sources.results if name.startswith("runs/")}
    said = [f"{root / n}: shown, though the plan has no such run" for n in sorted(runs - planned)]
    there = {n: sha256 for n, sha256 in sources.results.items() if n in planned or n not in runs}
    said += hashes.faults(root, there, record)
    if shown.name != _TIMING:  # what has no number has no time either
        for name in sorted(planned - runs):
            said.append(
                f"{root / name} is {'not shown yet' if hashes.of(root / name) else 'missing'}"
            )
    own = {n: s for n, s in sources.files.items() if not any(f"/{n}:" in fault for fault in known)}
    return said + hashes.faults(shown.folder, own, record)


def _first_difference(path: Path, there: bytes, text: str) -> str:
    found, wanted = there.decode(errors="replace").splitlines(), text.splitlines()
    pairs = zip(found, wanted, strict=False)
    number = next((i for i, (one, other) in enumerate(pairs, 1) if one != other), None)
    line = number or min(len(found), len(wanted)) + 1
    return f"{path}:{line}: not what the results give"


def _count_numbers(text: str) -> int:
    return sum(_is_number(cell) for row in csv.reader(io.StringIO(text)) for cell in row)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
