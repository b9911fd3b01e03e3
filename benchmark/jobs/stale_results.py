"""An old number never survives a job that dies.

Before a run makes a number anew, the old one goes, with every table and figure. Whatever ends the
run early, none of them is left; and where Snakemake lives to say so, the results that are missing
are marked as missing with their cause, and the tables are written with those.
"""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

from benchmark.config.profile import Config
from benchmark.evaluation.result import Counts, Result, facts_of
from benchmark.experiment.layout import Layout, RunKey
from benchmark.experiment.plan import Plan
from benchmark.machine import provenance
from benchmark.progress import seconds_of_job

__all__ = ["cause_of_death", "mark_missing", "withdraw", "withdraw_tables"]


_EXIT_CODE_OF_SIGNALS = 128
_NOT_FOUND = 127
_CUT_OFF = "the job was cut off, with all that could have said why"


def withdraw(config: Config, dataset: str, method: str) -> None:
    """Delete the results of a method on a dataset; its checkpoints and rows stay."""
    layout = Layout.of(config)
    layout.results_index(dataset, method).unlink(missing_ok=True)
    for name in ("result.json", "replicates.npy"):
        for path in (layout.runs / dataset / method).glob(f"*/seed*/{name}"):
            path.unlink()


def withdraw_tables(config: Config) -> None:
    """Delete all tables and figures, and the report."""
    layout = Layout.of(config)
    for path in layout.root.glob(f"{layout.report.stem}.*"):
        path.unlink()
    for folder in (layout.tables, layout.figures):
        shutil.rmtree(folder, ignore_errors=True)


def mark_missing(plan: Plan) -> list[RunKey]:
    """Write the cause in place of each result of the plan that no job has made.

    Such a result is 'missing', not 'failed': no method is to blame for it. The file that the
    workflow waits for is not written, so the next run makes the results anew.

    Returns:
        the runs that were marked; none where nothing has run at all.
    """
    layout = plan.layout
    missing = [pair for pair in plan.variants if not layout.results_index(*pair).is_file()]
    if len(missing) == len(plan.variants):
        return []
    keys = [key for pair in missing for key in plan.runs(*pair)]
    for key in keys:
        _missing(plan, key).save(layout.runs)
    return keys


def cause_of_death(log: Path) -> str:
    """Return why the job of a log did not end well; an empty string if it did, or never began."""
    if not log.is_file() or seconds_of_job(log) is not None:
        return ""
    text = f"\n{log.read_text(encoding='utf-8', errors='replace').rstrip()}"
    ended = re.search(r"\nexit code (\d+)$", text)
    said = text[: ended.start()] if ended else text
    _, failed, cause = said.rpartition("\nerror: ")
    if failed:
        return cause
    return f"{log.stem}: {_end_of(int(ended[1])) if ended else _CUT_OFF}"


def _end_of(code: int) -> str:
    """Say how a job ended that left no cause, by the exit code that the shell gave it."""
    number = code - _EXIT_CODE_OF_SIGNALS
    if number == signal.SIGKILL:
        return "the job died without a word: killed, or out of memory"
    if number in set(signal.Signals):
        return f"the job was ended by signal {number} ({signal.Signals(number).name})"
    if code == _NOT_FOUND:
        return f"exit code {code}: there is no such command as the job's Python"
    return f"exit code {code}, and no cause in the log"


def _missing(plan: Plan, key: RunKey) -> Result:
    return Result(
        **facts_of(plan, key),
        status="missing",
        reason=_reason(plan, key),
        num_videos=Counts(manifest=0, evaluated=0),
        provenance=provenance(),
    )


def _reason(plan: Plan, key: RunKey) -> str:
    for log in _logs(plan, key.dataset, key.method):
        if cause := cause_of_death(log):
            return f"{cause.splitlines()[0]} (log: {log})"
    return "not run, since a job before it died"


def _logs(plan: Plan, dataset: str, method: str) -> Iterator[Path]:
    """Yield the logs of the jobs that a result comes from, from the first job to the last."""
    owner, roles = plan.config.frames_name(dataset), plan.roles(dataset, method)
    names = [f"{stage}-{name}" for name in (owner, dataset) for stage in ("videos", "manifest")]
    names += [f"frames-{owner}", f"sound-{owner}"]
    names += [f"{stage}-{role}" for role in roles for stage in ("pretrain", "weights", "features")]
    source = plan.methods[method].manifest.source
    for name in [*([source.method] if source else []), method]:
        for stage in ("train", "control"):
            for block in plan.seed_blocks(dataset, name):
                names.append("-".join([stage, dataset, name, *map(str, block)]))
    names.append(f"evaluate-{dataset}-{method}")
    for name in names:
        yield plan.layout.logs / f"{name}.log"
