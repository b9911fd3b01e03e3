"""What killed runs leave is deleted; what living ones write, and what jobs take up, is not."""

import os
import select
import signal
import socket
import subprocess
import sys
import tempfile

import pytest

from benchmark.experiment.layout import Layout
from benchmark.files.writing import sweep, writer_suffix
from benchmark.jobs import server as job_server
from benchmark.jobs.leftovers import sweep_leftovers

HOST = socket.gethostname().replace(".", "-")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kills processes as Linux does")


@pytest.fixture(scope="module")
def dead():
    """Return the number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def _write(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("half")
    return path


def test_leftovers_of_the_dead_go_and_what_is_in_use_stays(tmp_path, dead):
    layout = Layout(tmp_path / "results", tmp_path / "data")
    gone = [
        _write(layout.runs / "long" / "mine" / f".results.json.{HOST}.{dead}.partial"),
        _write(layout.data / "long" / "frames" / f".a.bin.{HOST}.{dead}.partial"),
        _write(layout.finetuned_features("long", "removed") / "seed0-1" / "index.json"),
        _write(layout.runs / "long" / "mine" / "request-1.json"),
    ]
    kept = [
        _write(layout.data / "long" / "frames" / f".b.bin{writer_suffix()}.partial"),
        _write(layout.data / "long" / "frames" / f".c.bin.another-machine.{dead}.partial"),
        _write(layout.finetuned_features("long", "mine") / "seed0-1" / "index.json"),
    ]
    sweep_leftovers(layout, {("long", "mine")})
    assert [path for path in gone if path.exists()] == []
    assert [path for path in kept if not path.exists()] == []


def test_a_download_that_was_cut_off_is_known_by_its_writer(tmp_path, dead):
    """PyTorch adds a name of its own to the path that it is given."""
    cut_off = _write(tmp_path / f".net.pth.{HOST}.{dead}.partial.0f3a.partial")
    sweep(tmp_path, ".net.pth.*.partial*")
    assert not cut_off.exists()


def test_folders_of_sockets_of_killed_runs_are_deleted(tmp_path, monkeypatch, dead):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv("BENCHMARK_JOB_SERVER", raising=False)
    monkeypatch.delenv("BENCHMARK_WORKFLOW_PROCESS", raising=False)
    old = _write(tmp_path / f"benchmark-jobs-x.{HOST}.{dead}" / "socket").parent
    running = tmp_path / f"benchmark-jobs-y{writer_suffix()}"
    running.mkdir()
    job_server.start("true")  # a server that ends at once
    assert not old.exists()
    assert running.exists()
    monkeypatch.delenv("BENCHMARK_JOB_SERVER", raising=False)  # unset where names are too long
    monkeypatch.delenv("BENCHMARK_WORKFLOW_PROCESS")


WORKFLOW = """\
import os, subprocess, sys, time
from benchmark.lifetime import announce_workflow
announce_workflow()
subprocess.Popen(["bash", "-c", f"{sys.executable} -c {sys.argv[1]!r}; true"])
time.sleep(600)
"""
JOB = """\
import os, time
from benchmark.lifetime import end_with_workflow
end_with_workflow()
print(os.getpid(), flush=True)
time.sleep(600)
"""


def test_a_job_ends_with_the_workflow_that_was_killed():
    command = [sys.executable, "-c", WORKFLOW, f"exec({JOB!r})"]
    environment = {n: v for n, v in os.environ.items() if n != "BENCHMARK_WORKFLOW_PROCESS"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as workflow:
        job = int(workflow.stdout.readline())
        ended = os.pidfd_open(job)
        workflow.send_signal(signal.SIGKILL)
        assert select.select([ended], [], [], 60)[0], "the job outlived its workflow"
        os.close(ended)


LOCKED = """\
import os, signal, threading
from benchmark.lifetime import call_on_sigterm
lock, ended = threading.Lock(), threading.Event()
def end():
    with lock:
        ended.set()
call_on_sigterm(end)
with lock:
    os.kill(os.getpid(), signal.SIGTERM)
assert ended.wait(60)
"""


def test_a_sigterm_that_interrupts_the_holder_of_a_lock_does_not_wait_for_ever():
    subprocess.run([sys.executable, "-c", LOCKED], check=True, timeout=120)
