"""What is reported of one run, with everything needed to trust it or to run it again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from benchmark.experiment.layout import RunKey
from benchmark.experiment.stage_index import read_stage_index
from benchmark.files.sealed import again, check_file, file_sha256, read_sealed_model, write_sealed
from benchmark.files.writing import replace_when_complete

if TYPE_CHECKING:
    from benchmark.experiment.plan import Plan

__all__ = ["Counts", "Result", "facts_of"]

_REPLICATES = "replicates.npy"


class Counts(BaseModel):
    """What became of the manifest's videos."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    manifest: int
    evaluated: int
    missing: int = 0
    unreadable: int = 0
    duplicate: int = 0


class Result(BaseModel):
    """`result.json` of one (dataset, method, variant, seed).

    Attributes:
        status: 'failed' and 'skipped' carry a reason and no numbers.
        metrics: 'map', 'top1', 'macro_f1', each in 0..1; where classes have categories, as HVU's
            tags, also 'category_map', the mean over categories of their mAP.
        macs_per_video: mean over the videos; 1 GFLOP is 10^9 of them.
        macs_by_component: the same, by cost component.
        frames_per_video: mean number of different frames opened.
        frames_decoded_per_video: frames that a decoder reads, from the video's start, to reach the
            last one opened.
        pixels_per_video: fed to networks, each at its own input size.
        num_parameters: of the networks and of all that the method built.
        exit_histogram: number of videos that stop at each step.
        params: all parameters of the method, defaults included.
        labels: what a reader must know, e.g. 'built-in data'.
        replicates_sha256: of `replicates.npy` beside it; empty where there are no numbers.
        provenance: digests, versions, machine, time.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[2] = 2
    dataset: str
    role: str
    method: str
    variant: str
    seed: int
    kind: str
    status: Literal["ok", "failed", "skipped", "missing"]
    reason: str = ""
    primary_metric: Literal["map", "top1"]
    metrics: dict[str, float] = {}
    macs_per_video: float | None = None
    macs_by_component: dict[str, float] = {}
    frames_per_video: float | None = None
    frames_decoded_per_video: float | None = None
    pixels_per_video: float | None = None
    num_parameters: int | None = None
    exit_histogram: tuple[int, ...] = ()
    num_videos: Counts
    params: dict[str, Any] = {}
    labels: tuple[str, ...] = ()
    provenance: dict[str, Any] = {}
    replicates_sha256: str = ""

    @property
    def key(self) -> RunKey:
        """Names the run."""
        return RunKey(self.dataset, self.method, self.variant, self.seed)

    @property
    def value(self) -> float:
        """The dataset's own metric, in 0..1."""
        return self.metrics[self.primary_metric]

    def save(self, runs: Path, replicates: npt.NDArray[np.float64] | None = None) -> Path:
        """Write `result.json`, and `replicates.npy` beside it: the metric in each resample.

        Without numbers those of an earlier run go.
        """
        folder, sha256 = self.key.folder(runs), ""
        resampled = folder / _REPLICATES
        if replicates is None:
            resampled.unlink(missing_ok=True)
        else:
            with replace_when_complete(resampled) as partial, partial.open("wb") as file:
                np.save(file, replicates)
            sha256 = file_sha256(resampled)
        path = folder / "result.json"
        write_sealed(path, self.model_copy(update={"replicates_sha256": sha256}))
        return path

    @classmethod
    def load(cls, path: Path) -> Result:
        """Read a result, and compare it with its seal and with the list of results.

        Raises:
            DamagedFileError: if it is missing, does not follow the schema, was changed, or is the
                result of another run.
        """
        folder, runs = path.parents[2], path.parents[4]
        index = folder / "results.json"
        result = read_sealed_model(path, cls, "result", again(index))
        if index.is_file():  # there is none yet where a run died before its evaluation
            entries = read_stage_index(index, "evaluate", folder.parent.name, folder.name)
            listed = {entry["result"]: entry["sha256"] for entry in entries}
            sha256 = listed.get(str(path.relative_to(runs)))
            check_file(path, sha256, record=index, fix=again(index))
        return result

    def replicates(self, runs: Path) -> npt.NDArray[np.float64]:
        """Return the metric in each bootstrap resample of the videos: `[B]`.

        Raises:
            DamagedFileError: if the file is not the one that the result names.
        """
        folder = self.key.folder(runs)
        fix = again(folder.parents[1] / "results.json")
        record = folder / "result.json"
        path = check_file(folder / _REPLICATES, self.replicates_sha256, record=record, fix=fix)
        loaded: npt.NDArray[np.float64] = np.load(path)
        return loaded


def facts_of(plan: Plan, key: RunKey) -> dict[str, Any]:
    """Return what a result says of its run whatever became of it."""
    settings = plan.config.datasets[key.dataset]
    return {
        "dataset": key.dataset,
        "role": settings.role,
        "method": key.method,
        "variant": key.variant,
        "seed": key.seed,
        "kind": plan.methods[key.method].manifest.kind,
        "primary_metric": settings.metric,
        "params": plan.params(key.dataset, key.method, key.variant),
    }
