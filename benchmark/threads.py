"""How numerical libraries learn the number of threads that they may start."""

from __future__ import annotations

__all__ = ["thread_settings"]

_NAMES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def thread_settings(threads: int) -> dict[str, str]:
    """Return the environment variables, which libraries read once, when they are imported."""
    return dict.fromkeys(_NAMES, str(threads))
