"""What a job that trains, predicts or evaluates writes last: the sealed list of its files.

There is an entry for each variant and seed: the digests of the files that it read and wrote, or why
there are none. The next job takes the list of files from here, never from the disk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from benchmark.errors import DamagedFileError
from benchmark.files.sealed import again, read_sealed, write_sealed

__all__ = ["Entry", "Stage", "read_stage_index", "write_stage_index"]

Entry = Mapping[str, Any]
"""What a job said of one run: 'variant', 'seed', and either its files or why it has none."""
Stage = Literal["train", "predict", "evaluate"]


def write_stage_index(
    path: Path, stage: Stage, dataset: str, method: str, entries: Sequence[Entry]
) -> None:
    """Write the list of the files of a stage's job."""
    write_sealed(path, {**_owner(stage, dataset, method), "entries": list(entries)})


def read_stage_index(path: Path, stage: Stage, dataset: str, method: str) -> list[dict[str, Any]]:
    """Read the list of the files of a stage's job.

    Raises:
        DamagedFileError: if there is none, it was changed, or is that of another job.
    """
    said = read_sealed(path, f"list of files of stage '{stage}'", again(path))
    entries: list[dict[str, Any]] = said.pop("entries", [])
    if said != _owner(stage, dataset, method):
        names = ", ".join(f"{name} '{value}'" for name, value in said.items())
        what = f"it lists the files of {names}, not of '{method}' on '{dataset}'"
        raise DamagedFileError(what, where=path, fix=again(path))
    return entries


def _owner(stage: Stage, dataset: str, method: str) -> dict[str, str]:
    return {"stage": stage, "dataset": dataset, "method": method}
