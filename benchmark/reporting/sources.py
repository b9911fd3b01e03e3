"""What a table or figure was made of: the hashes of its results, in a small file beside it.

By it `python -m benchmark verify` tells a table that somebody edited from one that is out of date.
"""

from __future__ import annotations

import os
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure
from pydantic import BaseModel, ConfigDict

from benchmark.config.profile import Config
from benchmark.experiment.layout import Layout
from benchmark.experiment.plan import Plan
from benchmark.experiment.shown_runs import result_files
from benchmark.files.sealed import check_file, file_sha256, read_sealed_model, write_sealed
from benchmark.files.writing import replace_when_complete, write_text
from benchmark.reporting.artefacts import Artefact, artefacts_of
from benchmark.reporting.figures.style import SETTINGS
from benchmark.reporting.made import Work

__all__ = ["Sources", "shown_file", "write_artefact"]

_AGAIN = "delete it and run the same command again"


class Sources(BaseModel):
    """What `<name>.sources.json` says.

    Attributes:
        files: SHA-256 of the table's or figure's own files, by path below the profile's folder.
        results: SHA-256 of what they were made of, by path below the profile's folder.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    files: dict[str, str]
    results: dict[str, str]

    @classmethod
    def load(cls, path: Path) -> Sources:
        """Read the file of a table or figure.

        Raises:
            DamagedFileError: if it is missing, no such file or was changed.
        """
        return read_sealed_model(path, cls, f"record of {path.name.split('.')[0]}", _AGAIN)


def shown_file(config: Config, file: str) -> Path:
    """Return the whole path of a file of an artefact, which is as its job wrote it.

    Args:
        config: the profile.
        file: its path below the results of the profile.

    Raises:
        DamagedFileError: if the file was changed, or nothing says how it was.
    """
    root = Layout.of(config).root
    artefact = next(one for one in artefacts_of(config) if file in one.files)
    record = root / artefact.record
    return check_file(root / file, Sources.load(record).files.get(file), record=record, fix=_AGAIN)


def write_artefact(plan: Plan, artefact: Artefact, work: Work) -> None:
    """Make a table or a figure, and write its files with what they were made of.

    Raises:
        BenchmarkError: if a file of a measured run cannot be read.
    """
    root = plan.layout.root
    made = artefact.maker.make(plan, artefact.name, work)
    for file, text in made.texts.items():
        write_text(root / file, text)
    if made.figure is not None:
        for file in artefact.files:
            _save(made.figure, root / file)
    runs = result_files(plan.config, artefact.maker.runs_behind(plan, artefact.name))
    said = Sources(
        files={file: file_sha256(root / file) for file in artefact.files},
        results={os.path.relpath(p, root): file_sha256(p) for p in (*runs, *made.made_of)},
    )
    write_sealed(root / artefact.record, said)


def _save(figure: Figure, path: Path) -> None:
    """Save a figure, without the time and the names of programs; texts are no picture of it."""
    metadata: dict[str, None] | None = {".png": {"Software": None}, ".svg": {"Date": None}}.get(
        path.suffix
    )
    if metadata is not None:
        with replace_when_complete(path) as partial, rc_context(SETTINGS):
            figure.savefig(partial, format=path.suffix[1:], dpi=200, metadata=metadata)
