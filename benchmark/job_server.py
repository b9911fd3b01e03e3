"""Runs the workflow's jobs in forks of one process that has imported the libraries already.

Importing PyTorch takes longer than many a job. So the workflow starts one process that imports it
while the first videos are made, and `python -m benchmark job …` asks this process to fork and run
the job: same code, same files, same exit code, output to the same terminal. It lives as long as the
workflow. Where there is none (another machine, another system than Linux), a job runs by itself.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmark.threads import thread_settings

__all__ = ["forward", "serve", "start"]

_ADDRESS = "BENCHMARK_JOB_SERVER"
_LENGTH_BYTES = 8
_IMPORTED = (
    "torch._dynamo",  # the optimisers import it
    "benchmark.jobs",
    "benchmark.evaluation.predict",
    "benchmark.evaluation.evaluate",
    "benchmark.reporting.figures",
    "benchmark.reporting.tables",
)


def start(python: str) -> None:
    """Start the process for this run; jobs find it by a variable of the environment."""
    if sys.platform != "linux":
        return
    address = str(Path(tempfile.mkdtemp(prefix="benchmark-jobs-")) / "socket")
    # Its input ends with this process, however that ends.
    subprocess.Popen([python, "-m", "benchmark", "serve", address], stdin=subprocess.PIPE)
    os.environ[_ADDRESS] = address


def forward(argv: Sequence[str]) -> int | None:
    """Let the running server do a command.

    Returns:
        its exit code; None where no server answers.
    """
    address = os.environ.get(_ADDRESS)
    if address is None:
        return None
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(address)
        except OSError:
            return None
        request = {"argv": list(argv), "folder": os.getcwd(), "environment": dict(os.environ)}
        message = json.dumps(request).encode()
        header = len(message).to_bytes(_LENGTH_BYTES, "big")
        socket.send_fds(connection, [header], [sys.stdout.fileno(), sys.stderr.fileno()])
        connection.sendall(message)
        code = connection.recv(1)
    return code[0] if code else 1  # it died without a word


def serve(address: str, run: Callable[[list[str]], int]) -> None:
    """Answer requests until the process that started this one ends.

    Args:
        address: of the socket, in a folder of its own, which is deleted at the end.
        run: does a command and returns its exit code.
    """
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(64)
        os.environ.update(thread_settings(1))  # no library may start a thread before a fork
        for module in _IMPORTED:
            importlib.import_module(module)
        gc.freeze()  # what is imported stays shared: no fork walks through it
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are not waited for
        with selectors.DefaultSelector() as ready:
            ready.register(listener, selectors.EVENT_READ)
            ready.register(sys.stdin, selectors.EVENT_READ)
            while all(key.fileobj is listener for key, _ in ready.select()):
                connection, _ = listener.accept()
                with connection:
                    if os.fork() == 0:
                        listener.close()
                        _answer(connection, run)
    Path(address).unlink(missing_ok=True)
    Path(address).parent.rmdir()


def _answer(connection: socket.socket, run: Callable[[list[str]], int]) -> None:
    """In the fork: become the process that asked, do its command, and end."""
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        header, outputs, _, _ = socket.recv_fds(connection, _LENGTH_BYTES, 2)
        request = json.loads(_receive(connection, int.from_bytes(header, "big")))
        for number, output in enumerate(outputs, start=1):
            os.dup2(output, number)
        os.chdir(request["folder"])
        os.environ.clear()
        os.environ.update(request["environment"])
        threading.Thread(target=_end_with, args=(connection,), daemon=True).start()
        code = run(request["argv"])
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        connection.sendall(bytes([code]))
        os._exit(code)


def _receive(connection: socket.socket, length: int) -> bytes:
    message = b""
    while len(message) < length:
        message += connection.recv(length - len(message)) or b" " * length  # cut off: no JSON
    return message


def _end_with(connection: socket.socket) -> None:
    """End this process when the one that asked for it ends."""
    if not connection.recv(1):
        os._exit(1)
