"""Tables and figures: made again in memory from the results, and compared byte by byte."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path

from benchmark.errors import BenchmarkError
from benchmark.experiment.plan import Plan
from benchmark.reporting.artefacts import Artefact
from benchmark.reporting.made import Work
from benchmark.reporting.sources import Sources
from benchmark.verification.files import Hashes

__all__ = ["check_artefact"]


def check_artefact(plan: Plan, artefact: Artefact, hashes: Hashes) -> tuple[list[str], int]:
    """Return what is wrong with an artefact's own files, and how many numbers were compared."""
    paths = {name: hashes.root / name for name in artefact.files}
    if absent := [path for path in paths.values() if not path.is_file()]:
        return [f"{path} is missing" for path in absent], 0
    said, num_numbers, texts = [], 0, {}
    try:
        if artefact.is_repeatable:
            work = Work(threads=os.cpu_count() or 1)
            texts = dict(artefact.maker.make(plan, artefact.name, work).texts)
    except (BenchmarkError, OSError, ValueError, KeyError) as fault:
        said.append(f"cannot be made again: {fault}")
    for name, text in texts.items():
        there = paths[name].read_bytes()
        if there != text.encode():
            said.append(_first_difference(paths[name], there, text))
        elif name.endswith(".csv"):
            num_numbers += _count_numbers(text)
    return said + _source_faults(plan, artefact, hashes, said), num_numbers


def _source_faults(
    plan: Plan, artefact: Artefact, hashes: Hashes, known: Sequence[str]
) -> list[str]:
    """Hold the record of an artefact against its results and, unless known, its own files."""
    root, record = hashes.root, hashes.root / artefact.record
    try:
        sources = Sources.load(record)
        keys = artefact.maker.runs_behind(plan, artefact.name)
    except BenchmarkError as fault:
        return [str(fault)]
    results = [key.folder(root / "runs") / "result.json" for key in keys]
    planned = {str(path.relative_to(root)) for path in results}
    runs = {name for name in sources.results if name.startswith("runs/")}
    said = [f"{root / n}: shown, though the plan has no such run" for n in sorted(runs - planned)]
    there = {n: sha256 for n, sha256 in sources.results.items() if n in planned or n not in runs}
    said += hashes.faults(root, there, record)
    for name in sorted(planned - runs):
        said.append(f"{root / name} is {'not shown yet' if hashes.of(root / name) else 'missing'}")
    own = {n: s for n, s in sources.files.items() if not any(f"/{n}:" in fault for fault in known)}
    return said + hashes.faults(root, own, record)


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
