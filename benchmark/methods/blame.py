"""Whose fault an error is: the method's, which becomes a row, or the machine's, which ends the job.

A full disk, a lack of memory or a killed process says nothing about a method. The job ends as
failed, and the same command goes on once the cause is gone.
"""

from __future__ import annotations

import errno
import sqlite3
import traceback
from collections.abc import Collection
from concurrent.futures import BrokenExecutor
from pathlib import Path

from benchmark.errors import BenchmarkError, DamagedFileError, MachineError, explained
from benchmark.files.repository import PACKAGE

__all__ = ["fault_of_method", "is_of_method"]

_OF_THE_MACHINE = frozenset(
    getattr(errno, name)
    for name in (
        *("ENOSPC", "EDQUOT", "EROFS", "EMFILE", "ENFILE", "EIO", "ENOMEM", "EAGAIN", "ESTALE"),
        *("EFBIG", "EPIPE", "ECONNRESET", "ENODEV", "ETIMEDOUT"),
    )
)
_TYPES = (MemoryError, BrokenExecutor, sqlite3.OperationalError, DamagedFileError, MachineError)
# What libraries that have no type of error for it say, in lower case.
_SAYINGS = (
    "can't allocate memory",  # PyTorch on a CPU
    "out of memory",  # CUDA, cuBLAS and NCCL
    "cublas_status_alloc_failed",
    "cuda error",
    "nccl error",
    "gloo/transport",  # another process of a training has died
    "no space left on device",  # safetensors
    "disk quota exceeded",
    "read-only file system",
    "too many open files",
    "pytorchstreamwriter failed",  # torch.save on a full disk
    "inline_container.cc",
    "unable to mmap",
    "unable to open shared memory",
    "dataloader worker",  # … is killed by signal
)


def fault_of_method(fault: Exception, folders: Collection[Path]) -> str:
    """Return what to say of an error that is a method's own.

    Args:
        fault: raised while the method's code was at work.
        folders: of the method and of those that it builds on.

    Raises:
        Exception: the fault itself, if it is the machine's.
    """
    if not is_of_method(fault, folders):
        raise fault
    return explained(fault)


def is_of_method(fault: Exception, folders: Collection[Path]) -> bool:
    """Say whether an error is a method's own; the arguments are those of `fault_of_method`."""
    return not any(_is_machines(one, folders) for one in _chain(fault))


def _chain(fault: BaseException) -> list[BaseException]:
    """Return an error and those that it was raised from."""
    cause = fault.__cause__
    return [fault, *(_chain(cause) if cause is not None else [])]


def _is_machines(fault: BaseException, folders: Collection[Path]) -> bool:
    if isinstance(fault, _TYPES):
        return True
    if isinstance(fault, OSError):
        return fault.errno in _OF_THE_MACHINE or not _raised_in(fault, folders)
    says = str(fault).lower()
    of_a_library = not isinstance(fault, BenchmarkError)
    return of_a_library and any(saying in says for saying in _SAYINGS)


def _raised_in(fault: BaseException, folders: Collection[Path]) -> bool:
    """Say whether the last code of this project that ran was a method's, not the harness's."""
    for frame in reversed(traceback.extract_tb(fault.__traceback__)):
        path = Path(frame.filename).resolve()
        if any(path.is_relative_to(folder.resolve()) for folder in folders):
            return True
        if path.is_relative_to(PACKAGE):
            return False
    return False
