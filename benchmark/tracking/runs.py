"""What MLflow shows of the result files, worked out without MLflow.

A variant of a method is a parent run with a child for each seed. Each carries a digest of the
files that it came from, by which the mirror knows what to leave alone.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmark.errors import BenchmarkError, raise_all
from benchmark.evaluation.result import Result
from benchmark.evaluation.rows import TRAINING_LOG, checked_output
from benchmark.experiment.layout import RunKey
from benchmark.files.writing import digest_of, digest_of_files

__all__ = ["DIGEST_TAG", "GROUP_TAG", "Family", "Run", "read_families", "tables_family"]

DIGEST_TAG = "benchmark.digest"
GROUP_TAG = "benchmark.group"

# To be raised when the same files are to be shown otherwise: existing mirrors are written anew.
_FORMAT = 2
# MLflow's limits; what is longer is cut here, and said, rather than refused or cut in silence.
_MAX_PARAM_CHARACTERS = 6000
_MAX_TAG_CHARACTERS = 8000


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        name: shown by MLflow.
        digest: of the files that it came from.
        tags: at most as long as MLflow allows, none empty.
        params: the same.
        metrics: (name, value, step).
        finished_ms: when the files were written, in ms since 1970.
        dataset: name and manifest digest of the videos that it was evaluated on.
        failed: whether there are no numbers because something broke.
    """

    name: str
    digest: str
    tags: Mapping[str, str]
    finished_ms: int
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Sequence[tuple[str, float, int]] = ()
    dataset: tuple[str, str] | None = None
    failed: bool = False


@dataclass(frozen=True)
class Family:
    """A parent run and its children, which are written and replaced together."""

    name: str
    parent: Run
    children: tuple[Run, ...]

    @property
    def digests(self) -> list[str]:
        """The digests of all its runs, sorted."""
        return sorted(run.digest for run in (self.parent, *self.children))


def read_families(runs_folder: Path, wanted: Collection[RunKey]) -> dict[str, Family]:
    """Read the results of the runs that are wanted, by '<dataset>/<method>/<variant>'.

    Raises:
        BenchmarkError: if there is none, or some cannot be read.
    """
    seeds: dict[str, list[tuple[Result, Run]]] = defaultdict(list)
    faults = []
    for key in sorted(wanted):
        path = key.folder(runs_folder) / "result.json"
        if not path.is_file():
            continue
        try:
            result = Result.load(path)
            name = f"{result.dataset}/{result.method}/{result.variant}"
            seeds[name].append((result, _child(name, path, result)))
        except BenchmarkError as fault:
            faults.append(fault)
    raise_all(faults, str(runs_folder))
    if not seeds:
        raise BenchmarkError(
            "no results to mirror", where=runs_folder, fix="run the workflow first"
        )
    return {name: _family(name, members) for name, members in seeds.items()}


def tables_family(folder: Path) -> Family | None:
    """Return the run that holds the tables as artifacts, None without any."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if not files:
        return None
    content = [(str(path.relative_to(folder)), digest_of_files([path])) for path in files]
    finished_ms = max(_written_ms(path) for path in files)
    digest = digest_of([_FORMAT, content])
    return Family("tables", Run("tables", digest, {"kind": "tables"}, finished_ms), ())


def _child(group: str, path: Path, result: Result) -> Run:
    log = _training_log(path, result)
    identity = {
        name: str(getattr(result, name)) for name in ("dataset", "method", "variant", "seed")
    }
    params, cut = _params({**result.params, **identity})
    tags = {
        **{k: str(v) for k, v in result.provenance.items() if not isinstance(v, Mapping)},
        "run_key": f"{group}/seed{result.seed}",
        "kind": result.kind,
        "role": result.role,
        "status": result.status,
        "reason": result.reason,
        "labels": ", ".join(result.labels),
        "primary_metric": result.primary_metric,
        "cut_params": ", ".join(cut),
        **identity,
    }
    manifest_digest = str(result.provenance.get("manifest_digest", ""))
    return Run(
        name=f"{group}/seed{result.seed}",
        digest=digest_of([_FORMAT, digest_of_files([path, log] if log else [path])]),
        tags={name: text[:_MAX_TAG_CHARACTERS] for name, text in tags.items() if text},
        finished_ms=_written_ms(path),
        params=params,
        metrics=[(n, value, 0) for n, value in _numbers(result).items()] + _training_curves(log),
        dataset=(result.dataset, manifest_digest) if manifest_digest else None,
        failed=result.status in {"failed", "missing"},
    )


def _family(name: str, members: Sequence[tuple[Result, Run]]) -> Family:
    """Make the parent of: what the children agree on, and the means of their numbers."""
    children = tuple(child for _, child in members)
    by_name: dict[str, list[float]] = defaultdict(list)
    for result, _ in members:
        for number, value in _numbers(result).items():
            by_name[number].append(value)
    num_ok = sum(result.status == "ok" for result, _ in members)
    means = [(number, sum(values) / len(values), 0) for number, values in by_name.items()]
    parent = Run(
        name=name,
        digest=digest_of([child.digest for child in children]),
        tags=_common([child.tags for child in children]),
        finished_ms=max(child.finished_ms for child in children),
        params=_common([child.params for child in children]),
        metrics=[*means, ("num_seeds_ok", num_ok, 0)],
        dataset=children[0].dataset,
        failed=not num_ok and any(child.failed for child in children),
    )
    return Family(name, parent, children)


def _numbers(result: Result) -> dict[str, float]:
    if result.status != "ok":
        return {}
    numbers = {**result.metrics, "num_videos": float(result.num_videos.evaluated)}
    if result.macs_per_video is not None:
        numbers["macs_per_video"] = result.macs_per_video
        numbers["gflops_per_video"] = result.macs_per_video / 1e9
    if result.frames_per_video is not None:
        numbers["frames_per_video"] = result.frames_per_video
    return numbers | {f"macs.{name}": macs for name, macs in result.macs_by_component.items()}


def _training_log(path: Path, result: Result) -> Path | None:
    """Return the training log that a result names; one of an earlier run is not named."""
    runs, outputs = path.parents[4], result.provenance.get("outputs", {})
    if str(path.with_name(TRAINING_LOG).relative_to(runs)) not in outputs:
        return None
    return checked_output(runs, result.key, TRAINING_LOG, outputs, path)


def _training_curves(log: Path | None) -> list[tuple[str, float, int]]:
    if log is None:
        return []
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    return [
        (f"training/{line['stage']}/fold{line.get('fold', 0)}/loss", line["loss"], line["epoch"])
        for line in lines
    ]


def _params(values: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """Return the parameters as MLflow takes them, and the names of those that are cut."""
    whole = dict(_flat("", values))
    cut = [name for name, text in whole.items() if len(text) > _MAX_PARAM_CHARACTERS]
    return {name: text[:_MAX_PARAM_CHARACTERS] for name, text in whole.items()}, cut


def _flat(prefix: str, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(f"{prefix}{name}.", value)
        else:
            yield f"{prefix}{name}", value if isinstance(value, str) else json.dumps(value)


def _common(parts: Sequence[Mapping[str, str]]) -> dict[str, str]:
    first, *others = parts
    return {k: v for k, v in first.items() if all(part.get(k) == v for part in others)}


def _written_ms(path: Path) -> int:
    return int(path.stat().st_mtime * 1000)
