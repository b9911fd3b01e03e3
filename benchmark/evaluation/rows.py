"""The prediction rows of a run, held against the record of the job that wrote them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmark.evaluation.result import Result
from benchmark.experiment.layout import RunKey
from benchmark.files.sealed import again, check_file
from benchmark.step_records import StepRecords

__all__ = [
    "TEST_ROWS",
    "TRAINING_LOG",
    "TRAIN_ROWS",
    "checked_output",
    "list_of_rows",
    "load_steps",
]

TEST_ROWS, TRAIN_ROWS = "predictions.parquet", "train_predictions.parquet"
TRAINING_LOG = "training.jsonl"


def checked_output(
    runs: Path, key: RunKey, name: str, outputs: Mapping[str, str], record: Path
) -> Path:
    """Return the path of a file that a run's prediction job wrote.

    Args:
        runs: the folder of all runs.
        key: names the run.
        name: of the file.
        outputs: SHA-256 of the run's files, by path below `runs`.
        record: that holds them, for the message.

    Raises:
        DamagedFileError: if the file is missing or is another one.
    """
    path = key.folder(runs) / name
    sha256 = outputs.get(str(path.relative_to(runs)))
    return check_file(path, sha256, record=record, fix=again(list_of_rows(runs, key)))


def list_of_rows(runs: Path, key: RunKey) -> Path:
    """Return the list of files of the job that wrote a run's rows; its name tells the seeds."""
    folder, start = runs / key.dataset / key.method, "predictions_seeds"
    named = {
        path: path.stem.removeprefix(start).split("-") for path in folder.glob(f"{start}*.json")
    }
    own = (path for path, seeds in sorted(named.items()) if str(key.seed) in seeds)
    return next(own, folder / f"{start}{key.seed}.json")


def load_steps(runs: Path, key: RunKey, *, answers_only: bool = False) -> StepRecords:
    """Read the rows of a run that has a result.

    Args:
        runs: the folder of all runs.
        key: names the run.
        answers_only: see `StepRecords.load`.

    Raises:
        BenchmarkError: if the result or the rows are missing or are not as they were written.
    """
    record = key.folder(runs) / "result.json"
    outputs = Result.load(record).provenance.get("outputs", {})
    path = checked_output(runs, key, TEST_ROWS, outputs, record)
    return StepRecords.load(path, answers_only=answers_only)
