"""From prediction rows to results: metrics, costs, counts and where they come from."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from benchmark.backbones.origin import described, is_usual
from benchmark.data.frames.store import FrameStore
from benchmark.data.manifest.manifest import Manifest
from benchmark.data.manifest.of_dataset import manifest_of
from benchmark.errors import DamagedFileError
from benchmark.evaluation.bootstrap import dataset_resamples, replicate_metric
from benchmark.evaluation.metrics import evaluate
from benchmark.evaluation.result import Counts, Result, facts_of
from benchmark.evaluation.rows import TEST_ROWS, checked_output, list_of_rows
from benchmark.experiment.layout import RunKey
from benchmark.experiment.plan import Plan
from benchmark.experiment.stage_index import Entry
from benchmark.files.sealed import again, file_sha256
from benchmark.files.writing import digest_of
from benchmark.machine import provenance
from benchmark.step_records import StepRecords

__all__ = ["Evaluator", "audits_of", "evaluate_all"]

# What a result repeats of its prediction job's entry: every link back to videos and labels.
_CHAIN = ("data_digest", "weights", "inputs", "outputs", "made_with")


class Evaluator:
    """Works out the results of a dataset's runs: when they are made, and when they are verified."""

    def __init__(self, plan: Plan, dataset: str) -> None:
        self._plan, self._dataset, self._layout = plan, dataset, plan.layout
        self.manifest = manifest_of(plan.config, dataset)
        store = FrameStore.open(self._layout.frames(plan.config.frames_name(dataset)))
        self._made_of = {"manifest": self.manifest.digest, "frames": store.digest}
        self._sources = {video: store.source_frames(video) for video in store.video_ids}
        self._num_undecodable = len(store.failures)

    def result(
        self, key: RunKey, entry: Entry, audit: Sequence[str] = ()
    ) -> tuple[Result, npt.NDArray[np.float64] | None]:
        """Return a run's result, and its metric in each resample where it has numbers.

        Args:
            key: names the run.
            entry: what its prediction job said.
            audit: what the audit of the variant found, on whichever seed it ran.

        Raises:
            BenchmarkError: if the rows cannot be read.
        """
        base = _base(self._plan, self.manifest, self._num_undecodable, key)
        base["provenance"] |= {name: entry[name] for name in _CHAIN if name in entry}
        if num_silent := entry.get("num_silent", 0):
            base["labels"] = (*base["labels"], f"no sound in {num_silent} videos")
        if audit:
            base["labels"] = (*base["labels"], f"AUDIT FAILED: {audit[0]}")
        status = _status(entry)
        if status != "ok":
            return Result(**base, status=status, reason=entry[status]), None
        runs = self._layout.runs
        record = list_of_rows(runs, key)
        for name, digest in self._made_of.items():
            if entry.get(f"{name}_digest") != digest:
                what = f"the rows of {key.variant} were made of another {name} than is there now"
                raise DamagedFileError(what, where=record, fix=again(record))
        path = checked_output(runs, key, TEST_ROWS, entry["outputs"], record)
        steps = StepRecords.load(path, answers_only=True)
        ids = steps.video_ids.tolist()
        targets = self.manifest.targets(ids)
        opened = _opened(steps, self._sources)
        known = {"params": entry["params"], "num_parameters": entry["num_parameters"]}
        scores = steps.exit_scores()
        metrics = evaluate(scores, targets, self.manifest.categories)
        result = _measured({**base, **opened, **known, "metrics": metrics}, steps)
        number = self._plan.config.bootstrap.replicates
        weights = dataset_resamples(self._dataset, tuple(ids), number)
        return result, replicate_metric(result.primary_metric, scores, targets, weights)


def evaluate_all(
    plan: Plan,
    dataset: str,
    method: str,
    entries: Sequence[Entry],
    progress: Callable[[int, int], None],
) -> list[dict[str, Any]]:
    """Write the result of every run of a method on a dataset.

    Args:
        plan: the profile.
        dataset: its name.
        method: its name.
        entries: what the prediction jobs said: a file or a failure for each (variant, seed).
        progress: called with (done, in all).

    Returns:
        one entry for each result: its file, SHA-256 and status.
    """
    runs, evaluator = plan.layout.runs, Evaluator(plan, dataset)
    said = {(entry["variant"], entry["seed"]): entry for entry in entries}
    audits = audits_of(entries)
    written = []
    keys = plan.runs(dataset, method)
    for number, key in enumerate(keys, 1):
        entry = said[key.variant, key.seed]
        result, replicates = evaluator.result(key, entry, audits.get(key.variant, ()))
        path = result.save(runs, replicates)
        written.append(
            {
                "variant": key.variant,
                "seed": key.seed,
                "result": str(path.relative_to(runs)),
                "sha256": file_sha256(path),
                "status": result.status,
            }
        )
        progress(number, len(keys))
    return written


def audits_of(entries: Sequence[Entry]) -> dict[str, Sequence[str]]:
    """Return what the audits found wrong, by variant."""
    return {entry["variant"]: entry["audit"] for entry in entries if entry.get("audit")}


def _status(entry: Mapping[str, Any]) -> Literal["ok", "failed", "skipped"]:
    if "failed" in entry:
        return "failed"
    return "skipped" if "skipped" in entry else "ok"


def _base(plan: Plan, manifest: Manifest, num_undecodable: int, key: RunKey) -> dict[str, Any]:
    counts = manifest.counts()
    return {
        **facts_of(plan, key),
        "labels": labels(plan, key),
        "num_videos": Counts(
            manifest=len(manifest.rows),
            evaluated=0,
            missing=counts.get("missing", 0),
            unreadable=counts.get("unreadable", 0) + num_undecodable,
            duplicate=counts.get("duplicate", 0),
        ),
        "provenance": {
            "manifest_digest": manifest.digest,
            "config_digest": digest_of(json.loads(plan.config.model_dump_json())),
            "weights_from": _weights_from(plan, key),
            **provenance(),
        },
    }


def _weights_from(plan: Plan, key: RunKey) -> dict[str, str]:
    """Return where the weights of a run's networks came from, by role."""
    if plan.checkpoint(key.dataset, key.method, key.variant) is not None:
        return {}
    config, layout = plan.config, plan.layout
    roles = [r for r in plan.variant_roles(key.method, key.variant) if r in config.roles]
    return {role: described(config.network(role), layout.weights(role)) for role in roles}


def _opened(steps: StepRecords, sources: Mapping[str, npt.NDArray[np.int64]]) -> dict[str, float]:
    """Return what was fed to networks, and what a decoder reads to reach the last opened frame."""
    last, ids = steps.at_exit(steps.last_opened), steps.video_ids.tolist()
    decoded = [sources[v][p] + 1 if p >= 0 else 0 for v, p in zip(ids, last, strict=True)]
    return {
        "frames_per_video": float(steps.frames_at_exit().mean()),
        "pixels_per_video": float(steps.at_exit(steps.pixels_fed).mean()),
        "frames_decoded_per_video": float(np.mean(decoded)),
    }


def _measured(base: Mapping[str, Any], steps: StepRecords) -> Result:
    macs = steps.macs_by_component().mean(axis=0)
    counts = base["num_videos"].model_copy(update={"evaluated": steps.num_videos})
    histogram = np.bincount(steps.exit_step, minlength=steps.num_steps + 1)[1:]
    return Result(
        **{
            **base,
            "status": "ok",
            "num_videos": counts,
            "macs_per_video": float(steps.macs().mean()),
            "macs_by_component": dict(zip(steps.components, macs.tolist(), strict=True)),
            "exit_histogram": tuple(histogram.tolist()),
        }
    )


def labels(plan: Plan, key: RunKey) -> tuple[str, ...]:
    """Return what a reader must know about the numbers of a run under this profile."""
    config = plan.config
    said = []
    if config.datasets[key.dataset].builtin:
        said.append("built-in data")
    if plan.checkpoint(key.dataset, key.method, key.variant) is not None:
        return (*said, "released weights, the same for every seed")
    roles = plan.variant_roles(key.method, key.variant)
    networks = [config.network(role) for role in roles if role in config.roles]
    if any(network.weights == "random" for network in networks):
        said.append("random weights")
    others = [n.trained_on or "not said" for n in networks if not is_usual(n)]
    said += [f"weights of a file (trained on: {what})" for what in dict.fromkeys(others)]
    if config.training.epochs_scale < 1:
        said.append(f"unfinished training ({config.training.epochs_scale:g} of the epochs)")
    return tuple(said)
