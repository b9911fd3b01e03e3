"""Every run from its training to its result: files, records and numbers, held against each other.

A result is worked out again from the rows by the very functions that made it, and compared exactly.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.errors import BenchmarkError, DamagedFileError
from benchmark.evaluation.evaluate import Evaluator, audits_of
from benchmark.evaluation.result import Result
from benchmark.experiment.fingerprints import made_with
from benchmark.experiment.layout import RunKey
from benchmark.experiment.plan import Plan
from benchmark.experiment.stage_index import Entry, Stage, read_stage_index
from benchmark.machine import provenance
from benchmark.verification.data import DataChecks
from benchmark.verification.files import Hashes

__all__ = ["RunChecks"]

# What says when and where a result was made, not what it is.
_CIRCUMSTANCES = {*provenance(), "config_digest"}
_MADE_WITH = {
    "settings": "other settings than the profile has now",
    "method": "other code than the method has now",
    "harness": "other code than the harness has now",
}


class RunChecks:
    """What is wrong with a profile's runs.

    Attributes:
        faults: sentences by run.
        counts: what was compared: 'results', 'numbers', 'resampled numbers'.
    """

    def __init__(self, plan: Plan, data: DataChecks, hashes: Hashes) -> None:
        self._plan, self._data, self._hashes = plan, data, hashes
        self._layout = plan.layout
        self.faults: dict[RunKey, list[str]] = defaultdict(list)
        self.counts: Counter[str] = Counter()

    def check(self, dataset: str, method: str, evaluator: Evaluator | None) -> None:
        """Look at all runs of a method on a dataset; without an evaluator, at no numbers."""
        keys, layout = self._plan.runs(dataset, method), self._layout
        blocks = self._plan.seed_blocks(dataset, method)

        def indices(stage: str) -> list[Path]:
            return [layout.stage_index(dataset, method, stage, block) for block in blocks]

        for key in keys:  # causes stand before what follows from them
            self.faults[key] += self._data.faults(dataset, self._plan.roles(dataset, method))
        if not self._plan.is_control(method):
            self._read(keys, "train", indices("training"))
        predicted = self._read(keys, "predict", indices("predictions"))
        self._read(keys, "evaluate", [layout.results_index(dataset, method)])
        audits = audits_of([entry for _, entry in predicted.values()])
        for key in keys:
            if key in predicted:
                self.faults[key] += self._prediction_faults(key, *predicted[key])
            if key in predicted and evaluator is not None:
                audit = audits.get(key.variant, ())
                self.faults[key] += self._number_faults(key, predicted[key][1], audit, evaluator)

    def _read(
        self, keys: Sequence[RunKey], stage: Stage, paths: Sequence[Path]
    ) -> dict[RunKey, tuple[Path, Entry]]:
        """Read what a stage's jobs said of each run; what is wrong with that is noted."""
        found: dict[RunKey, tuple[Path, Entry]] = {}
        now = made_with(self._plan, stage, keys[0].dataset, keys[0].method)
        said = []
        for path in paths:
            try:
                entries = read_stage_index(path, stage, keys[0].dataset, keys[0].method)
            except DamagedFileError as fault:
                said.append(str(fault))
                continue
            by_run = {(entry["variant"], entry["seed"]): entry for entry in entries}
            found |= {k: (path, by_run[r]) for k in keys if (r := (k.variant, k.seed)) in by_run}
            then = entries[0].get("made_with", {}) if entries else {}
            said += [
                f"{path}: made with {_MADE_WITH[name]}"
                for name, digest in now.items()
                if then.get(name) != digest
            ]
        for key in keys:
            self.faults[key] += said
        return found

    def _prediction_faults(self, key: RunKey, path: Path, entry: Entry) -> list[str]:
        if "predictions" not in entry:
            return []
        runs, roles = self._layout.runs, self._plan.roles(key.dataset, key.method)
        said = self._hashes.faults(runs, {**entry["inputs"], **entry["outputs"]}, path)
        if self._plan.is_control(key.method):
            source = self._plan.methods[key.method].manifest.source
            assert source is not None, "an exit control has a source"
            roles = self._plan.roles(key.dataset, source.method)
        if entry["data_digest"] != self._data.digest(key.dataset, roles):
            place = self._layout.manifest(key.dataset).parent
            said.append(
                f"{path}: made of another manifest, other frames, features or weights than are "
                f"there now, see {place}"
            )
        return said

    def _number_faults(
        self, key: RunKey, entry: Entry, audit: Sequence[str], evaluator: Evaluator
    ) -> list[str]:
        """Work a result out again, and compare it and its resamples exactly."""
        folder = key.folder(self._layout.runs)
        path = folder / "result.json"
        try:
            result = Result.load(path)
            made, replicates = evaluator.result(key, entry, audit)
            resampled = None if replicates is None else result.replicates(self._layout.runs)
        except BenchmarkError as fault:
            return [str(fault)]
        stored = result.model_dump(mode="json")
        fresh = json.loads(json.dumps(made.model_dump(mode="json")))
        for content in (stored, fresh):
            del content["replicates_sha256"]  # the resamples themselves are compared
            known = content["provenance"].items()
            content["provenance"] = {n: v for n, v in known if n not in _CIRCUMSTANCES}
        wrong = [name for name in fresh if stored[name] != fresh[name]]
        self.counts += Counter(results=1, numbers=_count_numbers(fresh))
        said = [f"{path}: {', '.join(wrong)} not as the rows give"] if wrong else []
        if replicates is not None and resampled is not None:
            self.counts["resampled numbers"] += len(replicates)
            if not np.array_equal(resampled, replicates):
                said.append(f"{folder / 'replicates.npy'} is not as the rows give")
        return said


def _count_numbers(result: Mapping[str, Any]) -> int:
    """Count the numbers that a result reports: metrics, costs, exits, videos."""
    values = [result[name] for name in result if name not in {"provenance", "params", "seed"}]
    flat: list[Any] = []
    for value in values:
        nested = value.values() if isinstance(value, dict) else value
        flat += nested if isinstance(value, dict | list) else [value]
    return sum(isinstance(x, int | float) and not isinstance(x, bool) for x in flat)
