"""Runs the workflow's jobs in forks of one process that has imported the libraries already.

Importing PyTorch takes longer than many a job. So the workflow starts one process that imports it
while the first videos are made, and `python -m benchmark job …` asks this process to fork and run
the job: same code, same files, same exit code, output to the same terminal. It lives as long as the
workflow. Where there is none (another machine, another system than Linux), a job runs by itself.
"""

from __future__ import annotations

import contextlib
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

from benchmark.files.writing import sweep, writer_suffix
from benchmark.lifetime import announce_workflow
from benchmark.machine import thread_settings

__all__ = ["forward", "listening", "serve", "start"]

_ADDRESS = "BENCHMARK_JOB_SERVER"
_PREFIX = "benchmark-jobs-"
_LENGTH_BYTES = 8
_IMPORTED = (
    "torch._dynamo",  # the optimisers import it
    "benchmark.jobs",
    "benchmark.evaluation.predict",
    "benchmark.evaluation.evaluate",
    "benchmark.reporting.figures.figures",
    "benchmark.reporting.tables.tables",
)


def start(python: str) -> None:
    """Start the process for this run; jobs find it by a variable of the environment.

    Folders of sockets that killed runs have left are deleted first. Where the temporary folder has
    too long a name for a socket, there is no such process, and each job runs by itself.
    """
    if sys.platform != "linux":
        return
    sweep(Path(tempfile.gettempdir()), f"{_PREFIX}*")
    address = str(Path(tempfile.mkdtemp(prefix=_PREFIX, suffix=writer_suffix())) / "socket")
    announce_workflow()
    try:
        # It listens before the process has begun, so that the first jobs wait for it instead of
        # importing everything by themselves as well.
        listener = listening(address)
    except OSError:
        Path(address).parent.rmdir()
        return
    with listener:
        number = listener.fileno()
        # The input of the process ends with this one, however that ends.
        subprocess.Popen(
            [python, "-m", "benchmark", "serve", str(number)],
            stdin=subprocess.PIPE,
            pass_fds=[number],
        )
    os.environ[_ADDRESS] = address


def listening(address: str) -> socket.socket:
    """Return a socket that queues requests at an address until a server answers them."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(64)
    return listener


def forward(argv: Sequence[str]) -> int | None:
    """Let the running server do a command.

    Returns:
        its exit code; None where no server answers.
    """
    address = os.environ.get(_ADDRESS)
    if address is None:
        return None
    with socket.socket(socket.AF_UNIX) as connection:
        request = {"argv": list(argv), "folder": os.getcwd(), "environment": dict(os.environ)}
        message = json.dumps(request).encode()
        header = len(message).to_bytes(_LENGTH_BYTES, "big")
        try:
            connection.connect(address)
            socket.send_fds(connection, [header], [sys.stdout.fileno(), sys.stderr.fileno()])
            connection.sendall(message)
            code = connection.recv(1)
        except OSError:  # there is none, or it died before the command was read
            return None
    return code[0] if code else 1  # the job and the server died


def serve(listener: socket.socket, run: Callable[[list[str]], int]) -> None:
    """Answer requests until the process that started this one ends.

    Args:
        listener: that requests come from; its address lies in a folder of its own, which is deleted
            at the end.
        run: does a command and returns its exit code.
    """
    address = Path(listener.getsockname())
    # Ctrl-C is for the workflow, which may still need this process to say what became of its jobs.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with listener:
            _serve(listener, run)
    finally:
        address.unlink(missing_ok=True)
        address.parent.rmdir()


def _serve(listener: socket.socket, run: Callable[[list[str]], int]) -> None:
    os.environ.update(thread_settings(1))  # no library may start a thread before a fork
    for module in _IMPORTED:
        importlib.import_module(module)
    gc.freeze()  # what is imported stays shared: no fork walks through it
    with selectors.DefaultSelector() as ready:
        ready.register(listener, selectors.EVENT_READ)
        ready.register(sys.stdin, selectors.EVENT_READ)
        while True:
            for key, _ in ready.select():
                if key.fileobj is sys.stdin:
                    return
                if key.fileobj is not listener:
                    ready.unregister(key.fileobj)
                    _say_end(key.fd, *key.data)
                    continue
                connection, _ = listener.accept()
                job = os.fork()
                if job == 0:
                    _forget(ready)
                    _answer(connection, run)
                ready.register(os.pidfd_open(job), selectors.EVENT_READ, (job, connection))


def _forget(ready: selectors.BaseSelector) -> None:
    """In the fork: let go of the server's socket and of what it holds of other jobs."""
    for key in list(ready.get_map().values()):
        if key.data:
            os.close(key.fd)
            key.data[1].close()
        elif key.fileobj is not sys.stdin:
            key.fileobj.close()  # type: ignore[union-attr]
    ready.close()


def _say_end(ended: int, job: int, connection: socket.socket) -> None:
    """Tell whoever asked for a job which signal ended it, as a shell does; else it has said how."""
    code = os.waitstatus_to_exitcode(os.waitpid(job, 0)[1])
    os.close(ended)
    with connection, contextlib.suppress(OSError):  # nobody may be left to hear it
        if code < 0:
            connection.sendall(bytes([128 - code]))


def _answer(connection: socket.socket, run: Callable[[list[str]], int]) -> None:
    """In the fork: become the process that asked, do its command, and end."""
    code = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
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
