"""The mirror against a real MLflow with a real database, read back through its client."""

import json
import multiprocessing
import os
import shutil
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.data import get_source
from mlflow.entities import ViewType

from benchmark.config.load import load_config
from benchmark.errors import BenchmarkError
from benchmark.evaluation.result import Counts, Result
from benchmark.experiment.layout import RunKey
from benchmark.files.repository import REPOSITORY
from benchmark.files.sealed import file_sha256
from benchmark.files.writing import write_text
from benchmark.tracking.mirror import mirror, tracking_uri

SMOKE = REPOSITORY / "config" / "smoke.yaml"
MANIFEST_DIGEST = "0123456789abcdef"
WANTED = [
    RunKey("long", method, "default", seed)
    for method in ("frameexit", "broken", "wordy")
    for seed in (0, 1)
]


def result(method="frameexit", seed=0, **changes):
    content = {
        "dataset": "long",
        "role": "long",
        "method": method,
        "variant": "default",
        "seed": seed,
        "kind": "method",
        "status": "ok",
        "primary_metric": "map",
        "metrics": {"map": 0.5 + seed / 10, "top1": 0.4, "macro_f1": 0.3},
        "macs_per_video": 2.5e9,
        "macs_by_component": {"backbone": 2.4e9, "gate": 0.1e9},
        "frames_per_video": 4.5,
        "num_videos": Counts(manifest=25, evaluated=24, unreadable=1),
        "params": {"beta": 1e-4, "order": [0, 2, 1], "gate": {"units": 64}, "pooling": "max"},
        "labels": ("built-in data", "random weights"),
        "provenance": {"manifest_digest": MANIFEST_DIGEST, "commit": "abc", "packages": {"a": "1"}},
    }
    return Result(**(content | changes))


class Folder:
    """A results folder, its mirror and a client that reads it."""

    def __init__(self, root):
        self.config = load_config(SMOKE, {"results": str(root), "mlflow_uri": ""})
        self.root = self.config.folder
        self.runs = self.root / "runs"
        self.manifest = self.root / "manifest.csv"

    def trained(self, seed, log=None, **changes):
        """Write a run's result and, where it is given, another training log."""
        made = result(seed=seed, **changes)
        path = made.key.folder(self.runs) / "training.jsonl"
        if log is not None:
            write_text(path, "".join(f"{json.dumps(line)}\n" for line in log))
        outputs = {str(path.relative_to(self.runs)): file_sha256(path)}
        named = {"provenance": {**made.provenance, "outputs": outputs}}
        return made.model_copy(update=named).save(self.runs)

    def fill(self):
        log = [
            {"fold": 0, "stage": stage, "epoch": epoch, "loss": 1 / epoch}
            for stage in ("classifier", "gates")
            for epoch in (1, 2, 3)
        ]
        for seed in (0, 1):
            self.trained(seed, log)
        numbers = {"metrics": {}, "macs_per_video": None, "macs_by_component": {}}
        failed = {"status": "failed", "reason": "loss is nan", "frames_per_video": None, **numbers}
        result(method="broken", **failed).save(self.runs)
        (self.root / "tables").mkdir()
        (self.root / "tables" / "table1.csv").write_text("method,map\n")
        self.manifest.write_text("id\n")
        return self

    def mirror(self):
        manifests = {"long": self.manifest}
        report = mirror(self.config, self.runs, self.root / "tables", manifests, WANTED)
        assert not report.reason, report
        return report.num_added, report.num_replaced, report.num_removed, report.num_unchanged

    @property
    def client(self):
        return MlflowClient(tracking_uri(self.config))

    def found(self):
        """All runs that are not deleted, by name."""
        experiment = self.client.get_experiment_by_name("smoke").experiment_id
        runs = self.client.search_runs([experiment])
        assert len({run.info.run_name for run in runs}) == len(runs)
        return {run.info.run_name: run for run in runs}

    def identifiers(self):
        return {name: run.info.run_id for name, run in self.found().items()}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    return Folder(tmp_path / "results").fill()


def test_runs_read_back_as_the_files_say(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_RUN_ID", "0" * 32)  # would take over any run that fluent calls start
    assert folder.mirror() == (3, 0, 0, 0)
    runs = folder.found()
    assert set(runs) == {
        "long/frameexit/default",
        "long/frameexit/default/seed0",
        "long/frameexit/default/seed1",
        "long/broken/default",
        "long/broken/default/seed0",
        "tables",
    }
    parent, child = runs["long/frameexit/default"], runs["long/frameexit/default/seed1"]
    assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert "mlflow.parentRunId" not in parent.data.tags
    assert child.data.params == {
        "dataset": "long",
        "method": "frameexit",
        "variant": "default",
        "seed": "1",
        "beta": "0.0001",
        "order": "[0, 2, 1]",
        "gate.units": "64",
        "pooling": "max",
    }
    assert parent.data.params == {k: v for k, v in child.data.params.items() if k != "seed"}
    assert child.data.metrics == {
        "map": 0.6,
        "top1": 0.4,
        "macro_f1": 0.3,
        "num_videos": 24,
        "macs_per_video": 2.5e9,
        "gflops_per_video": 2.5,
        "frames_per_video": 4.5,
        "macs.backbone": 2.4e9,
        "macs.gate": 0.1e9,
        "training/classifier/fold0/loss": 1 / 3,
        "training/gates/fold0/loss": 1 / 3,
    }
    assert parent.data.metrics["map"] == pytest.approx(0.55)
    assert parent.data.metrics["num_seeds_ok"] == 2
    curve = folder.client.get_metric_history(child.info.run_id, "training/gates/fold0/loss")
    assert [(point.step, point.value) for point in curve] == [(1, 1), (2, 1 / 2), (3, 1 / 3)]
    expected_tags = {
        "run_key": "long/frameexit/default/seed1",
        "status": "ok",
        "labels": "built-in data, random weights",
        "manifest_digest": MANIFEST_DIGEST,
        "commit": "abc",
    }
    assert expected_tags.items() <= child.data.tags.items()
    assert {parent.info.status, child.info.status} == {"FINISHED"}
    for run in (parent, child):
        (given,) = run.inputs.dataset_inputs
        assert (given.dataset.name, given.dataset.digest) == ("long", MANIFEST_DIGEST)
        assert get_source(given.dataset).uri == folder.manifest.as_uri()
        assert [(tag.key, tag.value) for tag in given.tags] == [("mlflow.data.context", "eval")]
    broken = runs["long/broken/default/seed0"]
    assert (broken.info.status, broken.data.tags["status"]) == ("FAILED", "failed")
    assert broken.data.tags["reason"] == "loss is nan"
    assert broken.data.metrics == {}
    assert runs["long/broken/default"].info.status == "FAILED"
    tables = folder.client.download_artifacts(runs["tables"].info.run_id, "table1.csv")
    assert Path(tables).read_text() == "method,map\n"
    assert not (tmp_path / "mlruns").exists()


def _mirror_when_all_are_ready(folder, barrier, reports):
    barrier.wait()
    reports.put(mirror(folder.config, folder.runs, folder.root / "tables", {}, WANTED))


def test_eight_processes_mirror_to_a_fresh_database_at_once(folder):
    """One of them writes all runs, and the others find them."""
    processes = multiprocessing.get_context("fork")  # they have MLflow imported
    barrier, reports = processes.Barrier(8), processes.SimpleQueue()
    started = [
        processes.Process(target=_mirror_when_all_are_ready, args=(folder, barrier, reports))
        for _ in range(8)
    ]
    for process in started:
        process.start()
    found = [reports.get() for _ in started]
    for process in started:
        process.join()
    assert [report.reason for report in found] == [""] * 8
    counts = sorted((report.num_added, report.num_unchanged) for report in found)
    assert counts == [(0, 3)] * 7 + [(3, 0)]
    assert len(folder.found()) == 6


def test_a_second_time_writes_nothing(folder):
    folder.mirror()
    before = folder.identifiers()
    os.utime(folder.trained(seed=0))  # the same bytes, written again
    assert folder.mirror() == (0, 0, 0, 3)
    assert folder.identifiers() == before


def test_what_changed_is_replaced_and_the_rest_left_alone(folder):
    folder.mirror()
    before = folder.identifiers()
    folder.trained(seed=1, metrics={"map": 0.9})
    (folder.root / "tables" / "table1.csv").write_text("method,map\nframeexit,0.7\n")
    assert folder.mirror() == (0, 2, 0, 1)
    runs, after = folder.found(), folder.identifiers()
    assert set(after) == set(before)
    kept = {name for name in after if after[name] == before[name]}
    assert kept == {"long/broken/default", "long/broken/default/seed0"}
    assert runs["long/frameexit/default/seed1"].data.metrics["map"] == 0.9
    assert runs["long/frameexit/default"].data.metrics["map"] == pytest.approx(0.7)
    tables = folder.client.download_artifacts(runs["tables"].info.run_id, "table1.csv")
    assert "frameexit" in Path(tables).read_text()


def test_a_changed_training_log_is_a_change(folder):
    folder.mirror()
    folder.trained(seed=1, log=[{"stage": "gates", "epoch": 1, "loss": 7.0}])
    assert folder.mirror() == (0, 2, 0, 1)
    metrics = folder.found()["long/frameexit/default/seed1"].data.metrics
    assert metrics["training/gates/fold0/loss"] == 7
    assert "training/classifier/fold0/loss" not in metrics


def test_a_training_log_that_its_result_does_not_name_is_an_error(folder):
    log = result(seed=1).key.folder(folder.runs) / "training.jsonl"
    log.write_text(log.read_text().replace("0.5", "0.6", 1))
    with pytest.raises(
        BenchmarkError, match=r"seed1/training\.jsonl: the file is not the one that"
    ):
        folder.mirror()


def test_runs_without_files_go_and_come_back_with_them(folder):
    folder.mirror()
    shutil.rmtree(folder.runs / "long" / "broken")
    shutil.rmtree(folder.root / "tables")
    assert folder.mirror() == (0, 0, 1, 2)
    assert {name.split("/")[0] for name in folder.found()} == {"long"}
    assert not any("broken" in name for name in folder.found())
    result(method="broken", status="skipped", reason="no sound").save(folder.runs)
    assert folder.mirror() == (1, 0, 0, 2)
    assert folder.found()["long/broken/default/seed0"].data.tags["status"] == "skipped"


def test_what_a_removed_method_left_behind_is_not_mirrored(folder):
    result(method="removed").save(folder.runs)
    result(seed=2).save(folder.runs)  # of a seed that the profile no longer has
    assert folder.mirror() == (3, 0, 0, 0)
    assert not any("removed" in name or "seed2" in name for name in folder.found())


def test_a_lost_store_is_restored(folder, tmp_path):
    folder.mirror()
    shutil.copytree(folder.root, tmp_path / "again" / "smoke", ignore=lambda *_: ["mlflow.db"])
    again = Folder(tmp_path / "again")
    assert again.mirror() == (3, 0, 0, 0)

    def content(runs):
        own = {
            n: {k: v for k, v in r.data.tags.items() if "parent" not in k} for n, r in runs.items()
        }
        return {
            name: (own[name], run.data.params, run.data.metrics, run.info.status, run.info.end_time)
            for name, run in runs.items()
            if name != "tables"
        }

    assert content(again.found()) == content(folder.found())


@pytest.mark.parametrize(
    "harm",
    [
        lambda client, parent, child: client.update_run(parent.info.run_id, status="RUNNING"),
        lambda client, parent, child: client.delete_run(child.info.run_id),
        lambda client, parent, child: client.delete_run(parent.info.run_id),
        lambda client, parent, child: client.delete_experiment(parent.info.experiment_id),
    ],
    ids=["killed while writing", "child deleted", "parent deleted", "experiment deleted"],
)
def test_a_damaged_mirror_is_mended(folder, harm):
    folder.mirror()
    before = folder.found()
    name = "long/frameexit/default"
    harm(folder.client, before[name], before[f"{name}/seed0"])
    folder.mirror()
    after = folder.found()
    assert set(after) == set(before)
    assert all(run.info.status != "RUNNING" for run in after.values())
    parent = after[name].info.run_id
    assert all(after[f"{name}/seed{s}"].data.tags["mlflow.parentRunId"] == parent for s in (0, 1))
    assert folder.mirror() == (0, 0, 0, 3)


def test_other_peoples_runs_are_left_alone(folder):
    folder.mirror()
    experiment = folder.client.get_experiment_by_name("smoke").experiment_id
    mine = folder.client.create_run(experiment, run_name="mine").info.run_id
    assert folder.mirror() == (0, 0, 0, 3)
    assert folder.found()["mine"].info.run_id == mine


def test_long_parameters_are_cut_and_named(folder):
    result(method="wordy", params={"note": "x" * 7000, "beta": 1}).save(folder.runs)
    folder.mirror()
    data = folder.found()["long/wordy/default/seed0"].data
    assert data.params["note"] == "x" * 6000
    assert data.tags["cut_params"] == "note"


@pytest.mark.parametrize("place", ["profile", "environment"])
def test_an_unreachable_server_is_reported_and_not_raised(folder, monkeypatch, place):
    uri = "http://user:secret@127.0.0.1:1"
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    if place == "environment":
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    else:
        folder.config = folder.config.model_copy(update={"mlflow_uri": uri})
    report = mirror(folder.config, folder.runs, folder.root / "tables", {}, WANTED)
    assert report.uri == "http://***@127.0.0.1:1"
    assert "MLflow at http://***@127.0.0.1:1 is not up to date" in str(report)
    assert "to catch up: python -m benchmark track" in str(report)
    assert "refused" in report.reason
    assert "secret" not in str(report)


def test_results_that_cannot_be_read_are_the_users_fault(folder):
    paths = [result(seed=seed).key.folder(folder.runs) / "result.json" for seed in (0, 1)]
    for path in paths:
        path.write_text("{")
    with pytest.raises(BenchmarkError, match="2 faults") as caught:
        folder.mirror()
    assert all(str(path) in str(caught.value) for path in paths)


def test_nothing_to_mirror_deletes_nothing(folder):
    folder.mirror()
    shutil.rmtree(folder.runs)
    with pytest.raises(BenchmarkError, match="no results to mirror"):
        folder.mirror()
    assert len(folder.found()) == 6
    experiment = folder.client.get_experiment_by_name("smoke").experiment_id
    assert not folder.client.search_runs([experiment], run_view_type=ViewType.DELETED_ONLY)
