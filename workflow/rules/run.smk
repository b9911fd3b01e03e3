# What a run does before its first job and after its last.
import fcntl
import os
import subprocess
import time

from benchmark.files.writing import write_json_if_changed
from benchmark.jobs.leftovers import sweep_leftovers
from benchmark.jobs.stale_results import cause_of_death, withdraw, withdraw_tables

START = time.time()


def claim_results():
    """Keep other runs out of these results, and write the settings that all jobs read.

    A killed run lets go by itself; Snakemake's own lock, which does not, is switched off.
    """
    try:
        LAYOUT.root.mkdir(parents=True, exist_ok=True)
        claim = os.open(
            LAYOUT.root / ".claim", os.O_CREAT | os.O_WRONLY
        )  # open to the end
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        write_json_if_changed(LAYOUT.config, PLAN.config.model_dump(mode="json"))
    except BlockingIOError:
        sys.exit(
            f"error: {LAYOUT.root}: another run is writing here. Fix: let it finish"
        )
    except OSError as fault:  # a full disk, or one that cannot be written
        fix = "Fix: mend that, and give the same command again"
        sys.exit(f"error: {LAYOUT.root}: {fault.strerror}. {fix}")


def sweep_results():
    """Delete what killed runs have left, and no job of this run will take up."""
    training = unfinished("train", "train_source")
    waiting = {(job.wildcards.dataset, job.wildcards.method) for job in training}
    sweep_leftovers(LAYOUT, waiting)


def unfinished(*rules):
    """Return the jobs of some rules that this run has yet to end well."""
    return [job for job in workflow.dag.needrun_jobs() if job.rule.name in rules]


def withdraw_old_numbers():
    """Delete what this run makes anew, so that nothing old is left if a job dies.

    With --touch nothing is made. Then only tables that miss a result go: they would pass for
    finished ones from then on.
    """
    results = unfinished("evaluate")
    if workflow.touch:
        if not all(Path(path).exists() for job in results for path in job.output):
            withdraw_tables(PLAN.config)
        return
    for job in results:
        withdraw(PLAN.config, job.wildcards.dataset, job.wildcards.method)
    if results:
        withdraw_tables(PLAN.config)
    for job in unfinished(*(artefact.name for artefact in ARTEFACTS)):
        for path in job.output:
            Path(path).unlink(missing_ok=True)


def write_tables_with_causes():
    """Write the tables that jobs of this run could not make, with rows that say why.

    They stand as what no job has finished (rerun-incomplete in profiles/default): whatever the next
    run is asked for, it makes them anew, and with them the results that are missing.
    """
    shown = unfinished(*(artefact.name for artefact in SHOWN_BY_DEFAULT))
    if not unfinished("evaluate") or not shown:
        return
    try:
        for job in shown:
            workflow.persistence.started(job)
    except OSError as fault:
        # Then no table may be written, since it would stand as finished.
        print(f"error: no tables with causes: {fault}", file=sys.stderr)
        return
    items = {job.rule.name for job in shown}
    command = [PYTHON, "-m", "benchmark", "job", "salvage", "--config", LAYOUT.config]
    command += ["--item", ",".join(sorted(items)), "--log", LAYOUT.logs / "salvage.log"]
    subprocess.run(command, check=False)


def causes_of_failure():
    """Return what this run's failed jobs left at the end of their logs."""
    logs = [p for p in sorted(LAYOUT.logs.glob("*.log")) if p.stat().st_mtime >= START]
    causes = [(cause_of_death(path), path) for path in logs]
    return "\n".join(
        f"error: {cause}\n  (log: {path})" for cause, path in causes if cause
    )
