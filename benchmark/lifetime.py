"""Processes that end with those that they work for, however those end.

A process that is killed can end nobody. Whatever it has started would go on, and the next run would
meet jobs that still write.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

__all__ = [
    "announce_workflow",
    "call_on_sigterm",
    "end_with_parent",
    "end_with_workflow",
    "process_pool",
]

_WORKFLOW = "BENCHMARK_WORKFLOW_PROCESS"
_PR_SET_PDEATHSIG = 1  # of linux/prctl.h


def announce_workflow() -> None:
    """Tell the jobs on this machine that this process is the workflow that they belong to."""
    os.environ[_WORKFLOW] = str(os.getpid())


def end_with_workflow() -> None:
    """Have this process end at once when the workflow that it belongs to has ended."""
    workflow = os.environ.get(_WORKFLOW)
    if workflow is None or sys.platform != "linux":
        return
    try:
        ended = os.pidfd_open(int(workflow))
    except ProcessLookupError:
        os._exit(1)

    def wait() -> None:
        select.select([ended], [], [])
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def end_with_parent(parent: int, with_signal: int = signal.SIGKILL) -> None:
    """Have the kernel end this process when the one that started it ends.

    Args:
        parent: the process that started this one, which may have ended already.
        with_signal: that this process is sent.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, with_signal)
    if os.getppid() != parent:
        os._exit(1)


def call_on_sigterm(end: Callable[[], object]) -> None:
    """Have SIGTERM call a function, in a thread of its own.

    Snakemake's own handler waits for a lock. Where the signal interrupts the very code that holds
    the lock, it waits for ever, and so does the run; a thread waits until that code goes on.

    Args:
        end: asks the workflow to end.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=end).start())


def process_pool(workers: int) -> ProcessPoolExecutor:
    """Return a pool of spawned processes that end with this one."""
    context = get_context("spawn")
    return ProcessPoolExecutor(workers, context, end_with_parent, (os.getpid(),))
