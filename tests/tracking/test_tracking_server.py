"""The mirror against a real MLflow server: many writers, a server that dies, one that is away."""

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager

import pytest
from mlflow import MlflowClient

from benchmark.config.load import load_config
from benchmark.evaluation.result import Counts, Result
from benchmark.experiment.layout import RunKey
from benchmark.files.repository import REPOSITORY
from benchmark.tracking.mirror import mirror

SMOKE = REPOSITORY / "config" / "smoke.yaml"
NUM_WRITERS = 8
# A fork has imported MLflow already, as a job of the workflow has.
FORKS = multiprocessing.get_context("fork")


class Profile:
    """Results of a profile: one method with some variants, two seeds."""

    def __init__(self, root, name, num_variants=2):
        config = load_config(SMOKE, {"results": str(root)})
        self.config = config.model_copy(update={"profile": name})
        self.runs, self.tables = self.config.folder / "runs", self.config.folder / "tables"
        self.keys = [
            RunKey("long", "frameexit", f"beta{variant}", seed)
            for variant in range(num_variants)
            for seed in (0, 1)
        ]

    def fill(self):
        for key in self.keys:
            Result(
                dataset=key.dataset,
                role="long",
                method=key.method,
                variant=key.variant,
                seed=key.seed,
                kind="method",
                status="ok",
                primary_metric="map",
                metrics={"map": 0.5},
                macs_per_video=1e9,
                frames_per_video=3.0,
                num_videos=Counts(manifest=9, evaluated=9),
                params={"beta": key.variant},
            ).save(self.runs)
        self.tables.mkdir(parents=True)
        (self.tables / "table1.csv").write_text("method,map\n")
        return self

    def mirror(self, uri):
        config = self.config.model_copy(update={"mlflow_uri": uri})
        return mirror(config, self.runs, self.tables, {}, self.keys)

    def start_writer(self, uri):
        writer = FORKS.Process(target=lambda: sys.exit(self.mirror(uri).reason or 0))
        writer.start()
        return writer

    def names_in(self, uri):
        """Return the sorted names of all runs of this profile's experiment that are finished."""
        client = MlflowClient(uri)
        experiment = client.get_experiment_by_name(self.config.profile)
        if experiment is None:
            return []
        found = client.search_runs([experiment.experiment_id])
        return sorted(run.info.run_name for run in found if run.info.status == "FINISHED")

    @property
    def expected(self):
        variants = {f"{k.dataset}/{k.method}/{k.variant}" for k in self.keys}
        seeds = {f"{k.dataset}/{k.method}/{k.variant}/seed{k.seed}" for k in self.keys}
        return sorted(variants | seeds | {"tables"})


class Server:
    """`mlflow server` with a database and a folder of artifacts, on loopback."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder, self.uri = folder, f"http://127.0.0.1:{self.port}"

    @contextmanager
    def running(self):
        """Start it, wait until it answers, and kill it in the end, whatever happens."""
        with (self.folder / "server.log").open("a") as log:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1"),
                    *("--port", str(self.port), "--workers", "1"),
                    *("--backend-store-uri", f"sqlite:///{self.folder}/mlflow.db"),
                    *("--artifacts-destination", str(self.folder / "artifacts")),
                ],
                stdout=log,
                stderr=log,
                env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"},
                start_new_session=True,
            )
        try:
            self._wait_for(process)
            yield self
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _wait_for(self, process):
        for _ in range(1200):
            assert process.poll() is None, (self.folder / "server.log").read_text()
            try:
                urllib.request.urlopen(f"{self.uri}/health", timeout=5).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError("the server does not answer")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("mlflow")).running() as started:
        yield started


@pytest.fixture
def quick(monkeypatch):
    """Give up on a request after a second, so that tests wait no longer than users must."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")


def test_twice_adds_nothing_and_the_tables_are_there(server, tmp_path):
    profile = Profile(tmp_path, "twice").fill()
    assert profile.mirror(server.uri).num_added == 4
    again = profile.mirror(server.uri)
    assert (again.num_added, again.num_replaced, again.num_unchanged) == (0, 0, 4)
    assert profile.names_in(server.uri) == profile.expected
    client = MlflowClient(server.uri)
    experiment = client.get_experiment_by_name("twice").experiment_id
    (tables,) = client.search_runs([experiment], "tags.kind = 'tables'")
    assert [a.path for a in client.list_artifacts(tables.info.run_id)] == ["table1.csv"]
    (one,) = client.search_runs([experiment], "params.beta = 'beta1' and params.seed = '0'")
    assert one.data.tags["tables"].endswith('search tags.kind = "tables"')
    opened_as = client.get_experiment(experiment).tags["mlflow.experimentKind"]
    assert opened_as == "custom_model_development"


def test_eight_writers_at_once_each_leave_their_own(server, tmp_path):
    profiles = [Profile(tmp_path, f"writer{i}").fill() for i in range(NUM_WRITERS)]
    writers = [profile.start_writer(server.uri) for profile in profiles]
    for writer in writers:
        writer.join(timeout=300)
    assert [writer.exitcode for writer in writers] == [0] * NUM_WRITERS
    for profile in profiles:
        assert profile.names_in(server.uri) == profile.expected


def test_two_writers_of_one_profile_are_put_right_by_the_next(server, tmp_path):
    profile = Profile(tmp_path, "contested").fill()
    writers = [profile.start_writer(server.uri) for _ in range(2)]
    for writer in writers:
        writer.join(timeout=300)
    assert not profile.mirror(server.uri).reason
    assert profile.names_in(server.uri) == profile.expected
    assert profile.mirror(server.uri).num_unchanged == len(profile.keys)


def test_a_server_that_dies_in_between_is_caught_up_later(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    profile = Profile(tmp_path / "results", "interrupted", num_variants=5).fill()
    reports = []
    server = Server(tmp_path)
    writer = threading.Thread(target=lambda: reports.append(profile.mirror(server.uri)))
    with server.running():
        writer.start()
        while writer.is_alive() and len(profile.names_in(server.uri)) < 4:
            time.sleep(0.05)
    writer.join(timeout=120)
    assert "is not up to date" in str(reports[0])
    with server.running():
        some = profile.names_in(server.uri)
        assert 0 < len(some) < len(profile.expected)
        assert not profile.mirror(server.uri).reason
        assert profile.names_in(server.uri) == profile.expected


def test_a_store_that_accepts_and_never_answers_holds_a_run_up_for_one_request(tmp_path, quick):
    profile = Profile(tmp_path, "waiting").fill()
    num_connections = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept():
            kept = []
            while True:
                try:
                    kept.append(listening.accept()[0])
                except OSError:
                    return
                num_connections.append(len(kept))

        threading.Thread(target=accept, daemon=True).start()
        report = profile.mirror(f"http://127.0.0.1:{listening.getsockname()[1]}")
    assert "is not up to date" in str(report)
    assert 1 <= len(num_connections) <= 2  # one request and its one repetition


@pytest.mark.parametrize("uri", ["nonsense://store", "sqlite:////proc/no/such/mlflow.db"])
def test_a_store_that_cannot_be_is_reported_and_not_raised(tmp_path, uri):
    report = Profile(tmp_path, "wrong").fill().mirror(uri)
    assert f"MLflow at {uri} is not up to date" in str(report)


def test_the_command_catches_up(server, tmp_path):
    profile = Profile(tmp_path, "smoke")
    profile.keys = [RunKey("long", "frameexit", "default", seed) for seed in (0, 1)]
    profile.fill().config.folder.joinpath("config.json").write_text(
        profile.config.model_dump_json()
    )

    def track(uri):
        command = [sys.executable, "-m", "benchmark", "track", "--profile", "smoke"]
        command += ["--results", str(tmp_path), "--uri", uri]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    away = track("http://127.0.0.1:1")
    assert away.returncode == 1
    assert "to catch up: python -m benchmark track" in away.stdout
    done = track(server.uri)
    assert done.returncode == 0, done.stderr
    said = f"MLflow at {server.uri}: 2 results added, 0 replaced, 0 removed, 0 unchanged"
    assert done.stdout.splitlines() == [said]
