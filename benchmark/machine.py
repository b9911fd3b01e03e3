"""This machine: what is recorded of it with every result, its threads and its memory."""

from __future__ import annotations

import ctypes
import datetime
import functools
import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["one_thread", "provenance", "return_freed_memory", "thread_settings"]

_PACKAGES = ("torch", "torchvision", "timm", "numpy", "scipy", "av", "decord", "pandas")
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@functools.cache
def provenance() -> dict[str, object]:
    """Return git commit, package versions, machine and the time of the first call."""
    return {
        "commit": _git("rev-parse", "HEAD"),
        "changed_files": len(_git("status", "--porcelain").splitlines()),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "machine": {
            "system": platform.platform(),
            "processor": _processor(),
            "cores": os.cpu_count(),
        },
        "finished": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def thread_settings(threads: int) -> dict[str, str]:
    """Return the environment variables, which libraries read once, when they are imported."""
    return dict.fromkeys(_THREADS, str(threads))


@contextmanager
def one_thread() -> Iterator[None]:
    """Have PyTorch compute in this thread alone: in small work others would only wait."""
    import torch  # noqa: PLC0415  (whoever sets the environment must not import it)

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def return_freed_memory() -> None:
    """Return what the allocators of tables and of tensors keep after it was freed.

    Each keeps freed memory for itself: strings of tables in Arrow's pool, tensors of a processor
    in the C library, whose small blocks hinder large ones from shrinking its heap. A step that
    needs much of the one kind after a step that needed much of the other would take both.
    """
    import pyarrow  # noqa: PLC0415

    pyarrow.default_memory_pool().release_unused()
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)


def _git(*words: str) -> str:
    try:
        done = subprocess.run(
            ["git", *words],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
