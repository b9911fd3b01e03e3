"""The settings that the workflow wrote for its jobs, and the plan of a finished run."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from benchmark.config.profile import Config
from benchmark.errors import BenchmarkError
from benchmark.experiment.plan import Plan, make_plan
from benchmark.files.text import read_text

__all__ = ["finished_plan", "read_resolved"]


def finished_plan(results: str, profile: str) -> Plan:
    """Return the plan of a profile that has been run, wherever its results lie now.

    Raises:
        BenchmarkError: if it has not been run.
    """
    path = Path(results) / profile / "config.json"
    if not path.is_file():
        fix = f"run: snakemake --cores 2 --config profile={profile}"
        raise BenchmarkError("this profile has not been run", where=path, fix=fix)
    return make_plan(read_resolved(path).model_copy(update={"results": results}))


def read_resolved(path: Path) -> Config:
    """Read the settings that the workflow wrote for its jobs.

    Raises:
        BenchmarkError: if the file is not what this version of the workflow writes.
    """
    try:
        return Config.model_validate_json(read_text(path))
    except ValidationError as fault:
        cause = str(fault).splitlines()[0]
        fix = "run snakemake again, which writes it anew"
        what = f"holds no settings of this version ({cause})"
        raise BenchmarkError(what, where=path, fix=fix) from fault
