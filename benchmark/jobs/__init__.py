"""What each job of the workflow does: reads the files of the stage before, writes its own.

A job's last act is to write the file that the workflow waits for; everything else that it writes
is found again, by name and digest, when it is killed and started once more.
"""

from __future__ import annotations

from collections.abc import Callable

from benchmark.jobs import data, learning, reporting
from benchmark.jobs.job import Job, finished_plan, read_resolved

__all__ = ["JOBS", "Job", "finished_plan", "read_resolved"]

JOBS: dict[str, Callable[[Job], None]] = {
    name: getattr(module, name) for module in (data, learning, reporting) for name in module.__all__
}
