"""Every kind of file in the results of a profile.

This is the only list. For each kind, `python -m benchmark verify` and the jobs that read such a
file are tried on spoilt ones, and a file of a finished run that no kind claims fails a test.
"""

from __future__ import annotations

from pathlib import Path

from case_of_damage import Kind
from kinds_of_data import KINDS_OF_DATA
from kinds_of_runs import KINDS_OF_RUNS

__all__ = ["KINDS", "unclaimed_files"]

_TESTED_ELSEWHERE: dict[str, Kind] = {
    "generated videos": Kind(
        ("data/*/videos/videos/*/*.mp4",), {}, "tests/data/builtin/test_builtin_generate.py"
    ),
    "descriptions of shards": Kind(
        ("data/*/frames/shard-*.json",), {}, "tests/data/frames/test_frame_store.py"
    ),
    "sound": Kind(("data/*/sound/*",), {}, "tests/data/sound/test_sound_store.py"),
    "states of interrupted trainings": Kind(
        ("runs/*/*/checkpoints/*.interrupted.pt",), {}, "tests/training/test_fit.py"
    ),
}
KINDS = {**KINDS_OF_DATA, **KINDS_OF_RUNS, **_TESTED_ELSEWHERE}

_UNREAD = (
    ".claim",  # held open by the run that writes here
    "logs/*",
    "mlflow.db*",  # the mirror, from which no job of the workflow reads
    "mlflow-artifacts/**/*",
    "tracked.json",  # how much was mirrored
    "outcome.json",  # for Snakemake: no run failed
    "networks/*.features.json",  # for Snakemake: the features are there
    "data/*/report.txt",  # for people
    "data/*/videos/recipe.json",  # what is to be generated; videos and lists have their digests
)
"""Patterns of files that no number depends on."""


def unclaimed_files(results: Path) -> list[str]:
    """Return the files of a profile's results that no kind claims."""
    patterns = [*_UNREAD, *(pattern for kind in KINDS.values() for pattern in kind.files)]
    claimed = {path for pattern in patterns for path in results.glob(pattern)}
    found = (path for path in results.rglob("*") if path.is_file() and path not in claimed)
    return sorted(str(path.relative_to(results)) for path in found)
