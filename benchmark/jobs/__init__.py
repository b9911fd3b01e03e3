"""What each job of the workflow does: reads the files of the stage before, writes its own.

A job's last act is to write the file that the workflow waits for; everything else that it writes
is found again, by name and digest, when it is killed and started once more.
"""

from __future__ import annotations

from collections.abc import Callable

from benchmark.errors import BenchmarkError, did_you_mean
from benchmark.jobs import data, learning, reporting
from benchmark.jobs.job import Job

__all__ = ["JOBS", "Job", "run_job"]

JOBS: dict[str, Callable[[Job], None]] = {
    name: getattr(module, name) for module in (data, learning, reporting) for name in module.__all__
}


def run_job(stage: str, job: Job) -> None:
    """Do a job of a stage.

    Raises:
        BenchmarkError: if there is no such stage or dataset, and for whatever the job finds.
    """
    if stage not in JOBS:
        raise BenchmarkError(f"no stage '{stage}'{did_you_mean(stage, JOBS)}")
    known = job.config.datasets
    if job.dataset not in ("", *known):
        raise BenchmarkError(f"no dataset '{job.dataset}'{did_you_mean(job.dataset, known)}")
    JOBS[stage](job)
