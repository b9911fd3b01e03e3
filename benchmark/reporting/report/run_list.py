"""The runs behind the numbers: what was run, with what, where, when, at which cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmark.evaluation.result import Result
from benchmark.experiment.layout import RunKey
from benchmark.experiment.plan import Plan
from benchmark.progress import seconds_of_job
from benchmark.reporting.report.html_table import Cell, HtmlTable, with_orders
from benchmark.reporting.tables.wide import METRIC_NAMES

__all__ = [
    "Environment",
    "VariantRuns",
    "anchor",
    "environments",
    "index_of_runs",
    "read_runs",
    "spelled_time",
]

_OF_ENVIRONMENT = ("commit", "changed_files", "python", "packages", "machine")
_DIGESTS = ("manifest", "data", "config")


@dataclass(frozen=True)
class Environment:
    """Code, packages and machine that several runs share."""

    number: int
    facts: Mapping[str, str]


@dataclass(frozen=True)
class VariantRuns:
    """All seeds of a variant on a dataset.

    Attributes:
        anchor: where links to it lead.
        label: what tables call it.
        statuses: those of its seeds, each once.
        params: all parameters, defaults included.
        facts: what else the seeds share.
        seeds: a row a seed.
        command: makes its results again.
    """

    anchor: str
    dataset: str
    method: str
    variant: str
    label: str
    statuses: tuple[str, ...]
    params: Mapping[str, str]
    facts: Mapping[str, str]
    seeds: HtmlTable
    command: str


def anchor(dataset: str, method: str, variant: str) -> str:
    """Return the name of the place in the report where a variant's runs are described."""
    return f"run/{dataset}/{method}/{variant}"


def environments(results: Iterable[Result]) -> list[Environment]:
    """Return the different environments of some results, in the order of their first use."""
    known: dict[tuple[tuple[str, str], ...], Environment] = {}
    for result in results:
        facts = _environment(result)
        known.setdefault(tuple(facts.items()), Environment(len(known) + 1, facts))
    return list(known.values())


def read_runs(
    plan: Plan, results: Mapping[RunKey, Result], known: Iterable[Environment]
) -> list[VariantRuns]:
    """Return the runs of a plan, by dataset, method and variant.

    Args:
        plan: the profile's.
        results: by run; a run without one is shown as such.
        known: the results' environments.
    """
    numbers = {tuple(e.facts.items()): e.number for e in known}
    return [
        _variant(plan, [k for k in plan.runs(dataset, method) if k.variant == variant], results,
                 numbers)
        for (dataset, method), variants in plan.variants.items()
        for variant in variants
    ]  # fmt: skip


def index_of_runs(runs: Iterable[VariantRuns]) -> HtmlTable:
    """Return a table with a line for each variant, which leads to its runs."""
    rows = tuple(
        (
            Cell(run.label, link=f"#{run.anchor}"),
            Cell(run.dataset),
            Cell(run.method),
            Cell(run.variant),
            Cell(str(len(run.seeds.rows))),
            Cell(", ".join(run.statuses)),
        )
        for run in runs
    )
    return with_orders(
        HtmlTable(("shown as", "dataset", "method", "variant", "seeds", "status"), rows)
    )


def _variant(
    plan: Plan,
    keys: list[RunKey],
    results: Mapping[RunKey, Result],
    numbers: Mapping[tuple[tuple[str, str], ...], int],
) -> VariantRuns:
    first = keys[0]
    found = [results[key] for key in keys if key in results]
    there = found[0] if found else None
    layout = plan.layout
    index = layout.results_index(first.dataset, first.method).relative_to(layout.root)
    rows = tuple(_seed(plan, key, results.get(key), numbers) for key in keys)
    metric = METRIC_NAMES[plan.config.datasets[first.dataset].metric]
    heads = ("seed", "status", f"{metric}, %", "GFLOPs", "frames", "environment", "finished",
             "job, s", "log", "files")  # fmt: skip
    return VariantRuns(
        anchor=anchor(first.dataset, first.method, first.variant),
        dataset=first.dataset,
        method=first.method,
        variant=first.variant,
        label=plan.methods[first.method].manifest.variants[first.variant].label,
        statuses=tuple(dict.fromkeys(results[k].status if k in results else "none" for k in keys)),
        params={name: str(value) for name, value in (there.params if there else {}).items()},
        facts=_facts(there) if there else {},
        seeds=HtmlTable(heads, rows),
        command=f"snakemake --cores 2 --config profile={plan.config.profile} "
        f"-- results/{plan.config.profile}/{index}",
    )


def _seed(
    plan: Plan,
    key: RunKey,
    result: Result | None,
    numbers: Mapping[tuple[tuple[str, str], ...], int],
) -> tuple[Cell, ...]:
    layout = plan.layout
    folder = key.folder(layout.runs).relative_to(layout.root)
    log = _log(plan, key)
    seconds = seconds_of_job(layout.root / log)
    if result is None:
        said = [Cell("no result"), *[Cell("")] * 5]
    else:
        number = numbers[tuple(_environment(result).items())]
        status = f"{result.status}: {result.reason}" if result.reason else result.status
        said = [
            *map(Cell, (status, *_numbers(result))),
            Cell(str(number), link=f"#environment/{number}"),
            Cell(spelled_time(result)),
        ]
    return (
        Cell(str(key.seed)),
        *said,
        Cell("" if seconds is None else f"{seconds:.1f}"),
        Cell(log, link=log),
        Cell(f"{folder}/", link=f"{folder}/"),
    )


def _numbers(result: Result) -> tuple[str, str, str]:
    if result.status != "ok":
        return "", "", ""
    assert result.macs_per_video is not None
    assert result.frames_per_video is not None
    gflops = result.macs_per_video / 1e9
    return f"{100 * result.value:.3f}", f"{gflops:.6g}", f"{result.frames_per_video:.3f}"


def _log(plan: Plan, key: RunKey) -> str:
    """Return the log of the job that made a run's predictions, below the profile's folder."""
    stage = "control" if plan.is_control(key.method) else "train"
    block = next(b for b in plan.seed_blocks(key.dataset, key.method) if key.seed in b)
    seeds = "-".join(map(str, block))
    return f"logs/{stage}-{key.dataset}-{key.method}-{seeds}.log"


def spelled_time(result: Result) -> str:
    """Return when a result was finished, to the second."""
    return str(result.provenance["finished"]).replace("T", " ").replace("+00:00", " UTC")


def _environment(result: Result) -> dict[str, str]:
    said = result.provenance
    return {name: _spelled(said[name]) for name in _OF_ENVIRONMENT if name in said}


def _facts(result: Result) -> dict[str, str]:
    """Return what a reader needs beside parameters and environment to check or repeat a run."""
    digests = {name: result.provenance.get(f"{name}_digest", "") for name in _DIGESTS}
    parts = {name: f"{macs / 1e9:.6g}" for name, macs in result.macs_by_component.items()}
    return {
        "labels": ", ".join(result.labels),
        "videos": ", ".join(f"{number} {name}" for name, number in result.num_videos),
        "GFLOPs by component": _spelled(parts),
        "parameters of the networks": f"{result.num_parameters or 0:,}",
        "digests": _spelled(digests),
        "weights": _spelled(result.provenance.get("weights", "")),
        "weights from": _spelled(result.provenance.get("weights_from", "")),
        "made with": _spelled(result.provenance.get("made_with", "")),
    }


def _spelled(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_spelled(part)}" for name, part in value.items())
    return str(value)
