"""One job of the workflow, and the settings that all of a run's jobs read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from benchmark.config import Config
from benchmark.errors import BenchmarkError
from benchmark.layout import Layout
from benchmark.plan import Plan, make_plan
from benchmark.progress import JobLog
from benchmark.text_files import read_text

__all__ = ["Job", "bind_threads", "finished_plan", "read_resolved"]


@dataclass(frozen=True)
class Job:
    """One job as the workflow asked for it.

    Attributes:
        config: the resolved settings.
        dataset: wildcards, empty where the stage has none.
        seeds: of this job; all of the profile where the stage has no seeds.
        threads: how many the job may use.
        part: of the jobs that decode a dataset.
    """

    config: Config
    log: JobLog
    dataset: str = ""
    method: str = ""
    item: str = ""
    seeds: tuple[int, ...] = ()
    threads: int = 1
    part: int = 0

    @property
    def layout(self) -> Layout:
        """Where the profile's files lie."""
        return Layout.of(self.config)

    def plan(self) -> Plan:
        """Return what the profile runs."""
        return make_plan(self.config)


def bind_threads(threads: int) -> None:
    """Let torch use so many threads, and only operations that repeat to the bit."""
    import torch  # noqa: PLC0415

    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)
    torch.use_deterministic_algorithms(True)


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
