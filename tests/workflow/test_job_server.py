"""Jobs run in forks of one process: same exit codes, same output; without it, by themselves."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from benchmark.jobs import server as job_server

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a server runs on Linux only")


def _command(argv):
    """Stand in for the workflow's jobs."""
    if argv[1] == "say":
        print("heard", os.environ["WORD"], os.getcwd())
        print("seen", file=sys.stderr)
        return 0
    if argv[1] == "fail":
        return 7
    if argv[1] == "raise":
        raise RuntimeError("lost the thread")
    if argv[1] == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(600)
    return 0


SERVER = """\
import socket, sys
sys.path[:0] = {path!r}
from benchmark.jobs import server as job_server
from test_job_server import _command
job_server._IMPORTED = ("json",)
job_server.serve(socket.socket(fileno=int(sys.argv[2])), _command)
"""
CLIENT = """\
import sys
from benchmark.jobs.server import forward
sys.exit(forward(["job", *sys.argv[1:]]))
"""


@pytest.fixture
def server(tmp_path_factory):
    """Return the environment of a client of a running server."""
    folder = tmp_path_factory.mktemp("server")
    address = str(folder / "socket")
    code = SERVER.format(path=[os.path.dirname(__file__)])
    with job_server.listening(address) as listener:
        number = listener.fileno()
        command = [sys.executable, "-c", code, address, str(number)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[number])
    with process:
        yield {**os.environ, "BENCHMARK_JOB_SERVER": address, "WORD": "all"}
        process.stdin.close()
        assert process.wait(30) == 0
    assert not folder.exists()


def _ask(environment, *words, **options):
    command = [sys.executable, "-c", CLIENT, *words]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, **options
    )


def test_a_job_says_and_returns_what_it_would_alone(server, tmp_path):
    said = _ask(server, "say", cwd=tmp_path)
    assert (said.returncode, said.stderr) == (0, "seen\n")
    assert said.stdout == f"heard all {tmp_path}\n"
    assert _ask(server, "fail").returncode == 7


@pytest.mark.parametrize(("end", "code"), [("raise", 1), ("die", 128 + signal.SIGKILL)])
def test_a_job_that_breaks_says_how_and_takes_nothing_with_it(server, end, code):
    assert _ask(server, end).returncode == code
    assert _ask(server, "say").returncode == 0


def test_several_jobs_run_at_once(server):
    codes = []
    threads = [
        threading.Thread(target=lambda: codes.append(_ask(server, "fail").returncode))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [7] * 6


def test_a_job_ends_with_whoever_asked_for_it(server):
    command = [sys.executable, "-c", CLIENT, "sleep"]
    with subprocess.Popen(command, env=server) as client:
        address = server["BENCHMARK_JOB_SERVER"]
        _wait_for(lambda: _num_processes(address) == 2)
        client.kill()
    _wait_for(lambda: _num_processes(address) == 1)


def _wait_for(condition):
    for _ in range(3000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen")


def _num_processes(address):
    """Count the processes of a server: its own, and one a job."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            lines.append(path.read_bytes())
    return sum(address.encode() in line for line in lines)


def test_without_a_server_a_job_runs_by_itself(monkeypatch, tmp_path):
    monkeypatch.delenv("BENCHMARK_JOB_SERVER", raising=False)
    assert job_server.forward(["job", "say"]) is None
    monkeypatch.setenv("BENCHMARK_JOB_SERVER", str(tmp_path / "gone"))
    assert job_server.forward(["job", "say"]) is None
