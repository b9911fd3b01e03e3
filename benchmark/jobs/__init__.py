"""What each job of the workflow does: reads the files of the stage before, writes its own.

A job's last act is to write the file that the workflow waits for; everything else that it writes
is found again, by name and digest, when it is killed and started once more.
"""

from __future__ import annotations

from collections.abc import Callable

from benchmark.jobs import data, learning, reporting
from benchmark.jobs.job import Job, finished_plan, read_resolved

__all__ = ["JOBS", "Job", "finished_plan", "read_resolved"]

_ALL = [
    data.videos,
    data.manifest,
    data.frames,
    data.frames_part,
    data.sound,
    learning.pretrain,
    learning.weights,
    learning.features,
    learning.train,
    learning.control,
    learning.evaluate,
    reporting.table,
    reporting.document,
    reporting.figure,
    reporting.further_figure,
    reporting.costs,
    reporting.timing,
    reporting.known_answers,
    reporting.claims,
    reporting.ledger,
    reporting.frontier,
    reporting.report,
    reporting.track,
    reporting.salvage,
    reporting.outcome,
]
JOBS: dict[str, Callable[[Job], None]] = {job.__name__: job for job in _ALL}
