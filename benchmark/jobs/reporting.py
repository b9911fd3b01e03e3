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

__all__ = [
    "claims",
    "costs",
    "document",
    "figure",
    "frontier",
    "further_figure",
    "known_answers",
    "ledger",
    "outcome",
    "report",
    "salvage",
    "table",
    "timing",
    "track",
]


def table(job: Job) -> None:
    """Write a table of the paper."""
    from benchmark.reporting.tables.tables import write_table  # noqa: PLC0415

    write_table(job.config, dict(job.plan().methods), job.item, job.layout.tables)


def document(job: Job) -> None:
    """Write the LaTeX document of all tables."""
    from benchmark.reporting.tables.tables import write_document  # noqa: PLC0415

    write_document(job.layout.tables)


def figure(job: Job) -> None:
    """Write a figure of the paper."""
    from benchmark.reporting.figures.figures import write_figure  # noqa: PLC0415

    write_figure(job.config, dict(job.plan().methods), job.item, job.layout.figures)


def further_figure(job: Job) -> None:
    """Write a figure that the paper does not have."""
    from benchmark.reporting.figures.further_figures import write_further  # noqa: PLC0415

    write_further(job.plan(), job.item, job.layout.figures)


def costs(job: Job) -> None:
    """Write the costs of the published networks."""
    from benchmark.cost.literature.table import write_table as write_costs  # noqa: PLC0415

    bind_threads(job.threads)
    write_costs(Path(job.config.results) / "costs")


def timing(job: Job) -> None:
    """Measure latency and throughput."""
    from benchmark.reporting.tables.timings import write_timings  # noqa: PLC0415

    bind_threads(job.threads)
    write_timings(job.plan(), job.layout.tables, job.log.progress)


def known_answers(job: Job) -> None:
    """Compare with what is known of generated videos."""
    from benchmark.reporting.tables.known_answers import write_known_answers  # noqa: PLC0415

    write_known_answers(job.config, job.layout.tables)


def claims(job: Job) -> None:
    """Judge the paper's claims."""
    from benchmark.reporting.claims.table import write_claims  # noqa: PLC0415

    write_claims(job.config, dict(job.plan().methods), job.layout.tables)


def ledger(job: Job) -> None:
    """List every published number beside ours."""
    from benchmark.reporting.ledger.files import write_ledger  # noqa: PLC0415

    bind_threads(job.threads)
    write_ledger(job.plan(), job.layout.tables)


def frontier(job: Job) -> None:
    """Write accuracy against cost over all thresholds."""
    from benchmark.reporting.frontier.files import write_frontier  # noqa: PLC0415

    bind_threads(job.threads)
    layout = job.layout
    write_frontier(job.plan(), layout.tables, layout.figures, job.log.progress, job.threads)


def report(job: Job) -> None:
    """Write the page that shows everything."""
    from benchmark.reporting.report.page import write_report  # noqa: PLC0415

    write_report(job.plan(), job.layout.report)


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

    plan, asked = job.plan(), job.item.split(",")
    if not mark_missing(plan):
        return
    for item in sorted(set(plan.paper.tables).intersection(asked)):
        table(replace(job, item=item))
    for item in sorted(set(plan.paper.figures).intersection(asked)):
        figure(replace(job, item=item))
    others = {"document": document, "known_answers": known_answers, "claims": claims}
    for name in sorted(others.keys() & asked):
        others[name](job)
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
