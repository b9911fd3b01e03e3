"""The jobs that make tables, figures, the report and the mirror in MLflow."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.errors import BenchmarkError
from benchmark.experiment.stage_index import read_stage_index
from benchmark.files.writing import write_json
from benchmark.jobs.job import Job, bind_threads

if TYPE_CHECKING:
    from benchmark.tracking.mirror import MirrorReport

__all__ = ["artefact", "costs", "outcome", "salvage", "track"]


def artefact(job: Job) -> None:
    """Write a table, a figure or the report."""
    from benchmark.reporting.artefacts import artefact_named  # noqa: PLC0415
    from benchmark.reporting.made import Work  # noqa: PLC0415
    from benchmark.reporting.sources import write_artefact  # noqa: PLC0415

    plan, wanted = job.plan(), artefact_named(job.config, job.item)
    if wanted.threads != 1:
        bind_threads(job.threads)
    write_artefact(plan, wanted, Work(job.threads, job.log.progress))


def costs(job: Job) -> None:
    """Write the costs of the published networks."""
    from benchmark.cost.literature.table import write_table as write_costs  # noqa: PLC0415

    bind_threads(job.threads)
    write_costs(Path(job.config.results) / "costs")


def track(job: Job) -> None:
    """Mirror the runs in MLflow."""
    write_json(job.layout.root / "tracked.json", asdict(_mirrored(job)))


def _mirrored(job: Job) -> MirrorReport:
    """Bring MLflow up to date with the results."""
    from benchmark.tracking.mirror import mirror_plan  # noqa: PLC0415

    report = mirror_plan(job.plan())
    job.log.write(str(report))
    print(report)
    return report


def salvage(job: Job) -> None:
    """Write tables and figures after jobs that died, with rows that say which and why.

    `job.item` names them, joined by commas.
    """
    from benchmark.jobs.stale_results import mark_missing  # noqa: PLC0415

    if not mark_missing(job.plan()):
        return
    for item in job.item.split(","):
        artefact(replace(job, item=item))
    _mirrored(job)


def outcome(job: Job) -> None:
    """Say what failed, after every table is complete.

    Raises:
        BenchmarkError: if any run failed; it names the first and counts the others.
    """
    from benchmark.evaluation.result import Result  # noqa: PLC0415

    plan, failed = job.plan(), []
    for dataset, method in plan.variants:
        index = job.layout.results_index(dataset, method)
        for entry in read_stage_index(index, "evaluate", dataset, method):
            if entry["status"] == "failed":
                result = Result.load(job.layout.runs / entry["result"])
                failed.append(f"{dataset}/{method}/{entry['variant']}: {result.reason}")
    if failed:
        raise BenchmarkError(
            f"{len(failed)} runs failed, their rows say so; first {failed[0]}",
            where=job.layout.runs,
            fix="mend the method and run the same command again; if the cause has passed, "
            "with --forcerun train train_source (what is trained is kept)",
        )
    write_json(job.layout.root / "outcome.json", {"failed": 0})
