"""The manifest behind a table or figure, read once however many rows ask for it.

Of HVU's half a million videos, reading and checking takes seconds.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from benchmark.config import Config
from benchmark.data.manifest import Manifest, read_manifest
from benchmark.layout import Layout

__all__ = ["manifest_of"]


def manifest_of(config: Config, dataset: str) -> Manifest:
    """Return the manifest of a dataset; whoever has it must not change its rows.

    Raises:
        BenchmarkError: if it cannot be read, naming all faults.
    """
    path = Layout.of(config).manifest(dataset)
    files = [file for file in (path, path.with_suffix(".json")) if file.is_file()]
    return _read(path, tuple((file.stat().st_mtime_ns, file.stat().st_size) for file in files))


@lru_cache(maxsize=4)
def _read(path: Path, state: tuple[tuple[int, int], ...]) -> Manifest:
    """Read a manifest in a state that its files are in; another is read again."""
    return read_manifest(path)
