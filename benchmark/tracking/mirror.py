"""The MLflow mirror: results can be browsed and compared there, and losing it loses nothing.

Files are the truth. One process reads all of them and brings MLflow to the same state: jobs that
log while they run would race for the database, and a killed one would leave half a run. A family
of runs is written together and closed last, so what is closed and carries the right digests is
left alone; anything else is deleted (MLflow keeps it, hidden, until `mlflow gc`) and written anew.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmark.config.profile import Config
from benchmark.errors import BenchmarkError
from benchmark.experiment.layout import RunKey
from benchmark.experiment.plan import Plan
from benchmark.files.writing import locked
from benchmark.tracking.runs import (
    DIGEST_TAG,
    GROUP_TAG,
    Family,
    Run,
    read_families,
    tables_family,
)

__all__ = ["MirrorReport", "mirror", "mirror_plan", "tracking_uri"]

# No usage statistics, no chatter; a server that is away or does not answer costs a minute at most.
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "25",
}
_RUNS_PER_PAGE = 1000
_WHERE_TABLES_ARE = "artifacts of the run 'tables'; search tags.kind = \"tables\""
# Otherwise MLflow 3 opens an experiment as one of language models, without any run.
_KIND = ("mlflow.experimentKind", "custom_model_development")


@dataclass(frozen=True)
class MirrorReport:
    """What a mirroring did; numbers count results, that is child runs.

    Attributes:
        uri: the MLflow store, without any password.
        reason: why MLflow could not be brought up to date, empty if it was.
    """

    uri: str
    num_added: int = 0
    num_replaced: int = 0
    num_removed: int = 0
    num_unchanged: int = 0
    reason: str = ""

    def __str__(self) -> str:
        if self.reason:
            return (
                f"warning: MLflow at {self.uri} is not up to date: {self.reason}. "
                "All results are in their files; to catch up: python -m benchmark track"
            )
        return (
            f"MLflow at {self.uri}: {self.num_added} results added, {self.num_replaced} replaced, "
            f"{self.num_removed} removed, {self.num_unchanged} unchanged"
        )


def mirror_plan(plan: Plan, uri: str = "") -> MirrorReport:
    """Bring MLflow to the state of a profile's files.

    Args:
        plan: the profile's.
        uri: the store, if not the one that the profile or the environment names.

    Raises:
        BenchmarkError: if there are no results, or some cannot be read.
    """
    config, layout = plan.config, plan.layout
    if uri:
        config = config.model_copy(update={"mlflow_uri": uri})
    manifests = {name: layout.manifest(name) for name in config.datasets}
    wanted = {key for pair in plan.variants for key in plan.runs(*pair)}
    return mirror(config, layout.runs, layout.tables, manifests, wanted)


def mirror(
    config: Config,
    runs_folder: Path,
    tables_folder: Path,
    manifests: Mapping[str, Path],
    wanted: Collection[RunKey],
) -> MirrorReport:
    """Bring MLflow to the state of the result files.

    A failure of MLflow is reported and not raised: the benchmark is complete without it.

    Args:
        config: the profile, which names the experiment and, where it likes, the store.
        runs_folder: searched for `<dataset>/<method>/<variant>/seed<n>/result.json`.
        tables_folder: kept as the artifacts of one run, if there are any.
        manifests: by dataset, the file that its dataset input points to.
        wanted: the runs of the plan; what others left behind is not mirrored.

    Raises:
        BenchmarkError: if there are no results, or some cannot be read.
    """
    families = read_families(runs_folder, wanted)
    tables = tables_family(tables_folder)
    uri = tracking_uri(config)
    shown = _without_password(uri)
    try:
        with _one_writer(uri):
            store = _Store(config, uri, manifests)
            counts = store.synchronise(families)
            store.synchronise_tables(tables, tables_folder)
    except Exception as fault:  # whatever MLflow, its database or the network may raise
        cause = next(iter(str(fault).splitlines()), "")
        reason = _without_password(f"{type(fault).__name__}: {cause.strip()}").rstrip(".")
        return MirrorReport(shown, reason=reason)
    added, replaced = counts["added"], counts["replaced"]
    return MirrorReport(shown, added, replaced, counts["removed"], counts["unchanged"])


def tracking_uri(config: Config) -> str:
    """Return the store: of the profile, else of the environment, else in the results folder.

    Raises:
        BenchmarkError: if the name of that folder cannot be part of an address.
    """
    if named := _named_store(config):
        return named
    database = (config.folder / "mlflow.db").resolve()
    if "?" in str(database):  # what follows it would be options, and the database lie elsewhere
        what = "MLflow's database cannot lie in a folder with '?' in its name"
        fix = "name another folder (--config results=DIR) or another store (mlflow_uri)"
        raise BenchmarkError(what, where=database.parent, fix=fix)
    return f"sqlite:///{database}"


def _named_store(config: Config) -> str:
    return config.mlflow_uri or os.environ.get("MLFLOW_TRACKING_URI", "")


@contextmanager
def _one_writer(uri: str) -> Iterator[None]:
    """Let one mirror at a time write to a database in a file; servers keep order themselves.

    Of several processes that meet a fresh file at once each would create the tables, and fail at
    those that another one had just made.
    """
    if not uri.startswith("sqlite:"):
        yield
        return
    import sqlalchemy  # noqa: PLC0415

    database = sqlalchemy.engine.make_url(uri).database
    if database is None:  # in memory
        yield
        return
    with locked(Path(f"{database}.lock")):
        yield


def _without_password(text: str) -> str:
    return re.sub(r"://[^/@\s]*@", "://***@", text)


class _Store:
    """The experiment of a profile; runs without the mirror's tag are other people's."""

    def __init__(self, config: Config, uri: str, manifests: Mapping[str, Path]) -> None:
        self._mlflow = _import_mlflow()
        if not _named_store(config):
            _flush_when_the_system_likes()
        self._client = self._mlflow.MlflowClient(uri)
        self._manifests = manifests
        self._experiment = self._open_experiment(config, uri)
        self._mirrored = self._read_mirrored()

    def _open_experiment(self, config: Config, uri: str) -> str:
        experiment = self._client.get_experiment_by_name(config.profile)
        if experiment is None:
            # A server knows its artifact store; a bare database would use the working folder.
            served = uri.startswith(("http", "databricks"))
            artifacts = None if served else (config.folder / "mlflow-artifacts").resolve().as_uri()
            experiment_id = str(self._client.create_experiment(config.profile, artifacts))
        else:
            experiment_id = str(experiment.experiment_id)
            if experiment.lifecycle_stage == "deleted":
                self._client.restore_experiment(experiment_id)
        self._client.set_experiment_tag(experiment_id, *_KIND)
        return experiment_id

    def _read_mirrored(self) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = defaultdict(list)
        token = None
        while True:
            page = self._client.search_runs(
                [self._experiment],
                filter_string=f"tags.`{GROUP_TAG}` != ''",
                max_results=_RUNS_PER_PAGE,
                page_token=token,
            )
            for run in page:
                found[run.data.tags[GROUP_TAG]].append(run)
            token = page.token
            if not token:
                return found

    def synchronise(self, families: Mapping[str, Family]) -> Counter[str]:
        """Write what is missing or changed, delete what has no file; count the results."""
        counts: Counter[str] = Counter()
        for name in self._mirrored.keys() - families.keys() - {"tables"}:
            counts["removed"] += max(len(self._mirrored[name]) - 1, 0)
            self._delete(name)
        for name, family in families.items():
            if self._is_current(family):
                counts["unchanged"] += len(family.children)
                continue
            counts["replaced" if self._mirrored[name] else "added"] += len(family.children)
            self._delete(name)
            parent = self._begin(family.parent, name, {})
            for child in family.children:
                run_id = self._begin(child, name, {"mlflow.parentRunId": parent})
                self._end(run_id, child)
            self._end(parent, family.parent)
        return counts

    def synchronise_tables(self, tables: Family | None, folder: Path) -> None:
        """Keep the tables as artifacts of one run."""
        if tables and self._is_current(tables):
            return
        self._delete("tables")
        if tables:
            run_id = self._begin(tables.parent, tables.name, {})
            self._client.log_artifacts(run_id, str(folder))
            self._end(run_id, tables.parent)

    def _is_current(self, family: Family) -> bool:
        runs = self._mirrored[family.name]
        closed = all(run.info.status != "RUNNING" for run in runs)
        return closed and family.digests == sorted(run.data.tags[DIGEST_TAG] for run in runs)

    def _delete(self, group: str) -> None:
        for run in self._mirrored[group]:
            self._client.delete_run(run.info.run_id)

    def _begin(self, run: Run, group: str, tags: Mapping[str, str]) -> str:
        own = {GROUP_TAG: group, DIGEST_TAG: run.digest, "tables": _WHERE_TABLES_ARE}
        created = self._client.create_run(
            self._experiment, run.finished_ms, {**run.tags, **own, **tags}, run.name
        )
        run_id = str(created.info.run_id)
        entities = self._mlflow.entities
        metrics = [entities.Metric(n, value, run.finished_ms, s) for n, value, s in run.metrics]
        params = [entities.Param(name, value) for name, value in run.params.items()]
        self._client.log_batch(run_id, metrics, params)
        if run.dataset:
            self._client.log_inputs(run_id, [self._dataset_input(*run.dataset)])
        return run_id

    def _end(self, run_id: str, run: Run) -> None:
        status = "FAILED" if run.failed else "FINISHED"
        self._client.set_terminated(run_id, status, run.finished_ms)

    def _dataset_input(self, name: str, digest: str) -> Any:
        entities = self._mlflow.entities
        path = self._manifests.get(name)
        source = json.dumps({"uri": path.resolve().as_uri() if path else ""})
        dataset = entities.Dataset(name, digest, source_type="local", source=source)
        return entities.DatasetInput(dataset, [entities.InputTag("mlflow.data.context", "eval")])


def _flush_when_the_system_likes() -> None:
    """Halve the time of thousands of small commits: a power cut may cost the mirror, no result."""
    import sqlalchemy  # noqa: PLC0415

    sqlalchemy.event.listen(sqlalchemy.Engine, "connect", _stop_flushing)


def _stop_flushing(connection: Any, _record: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = OFF")


def _import_mlflow() -> ModuleType:
    """Import MLflow only where it is used: that takes seconds, and reads the environment."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    import mlflow  # noqa: PLC0415
    import mlflow.entities  # noqa: PLC0415

    module: ModuleType = mlflow
    return module
