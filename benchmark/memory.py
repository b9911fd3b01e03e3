"""Memory that is no longer used goes back to the system, where a next step would not reuse it."""

from __future__ import annotations

import ctypes
import platform

import pyarrow as pa

__all__ = ["return_freed_memory"]


def return_freed_memory() -> None:
    """Return what the allocators of tables and of tensors keep after it was freed.

    Each keeps freed memory for itself: strings of tables in Arrow's pool, tensors of a processor
    in the C library, whose small blocks hinder large ones from shrinking its heap. A step that
    needs much of the one kind after a step that needed much of the other would take both.
    """
    pa.default_memory_pool().release_unused()
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)
