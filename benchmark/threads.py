"""How many threads numerical libraries start."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["one_thread", "thread_settings"]

_NAMES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def thread_settings(threads: int) -> dict[str, str]:
    """Return the environment variables, which libraries read once, when they are imported."""
    return dict.fromkeys(_NAMES, str(threads))


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
