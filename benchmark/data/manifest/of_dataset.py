"""The manifest of a profile's dataset, as every job reads it.

Of HVU's half a million videos, reading and checking takes seconds, so a process does it once,
however many ask. The manifest holds the digests of the lists that it was built from; where other
lists lie there now, since an old manifest was put back for instance, reading it is an error.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from benchmark.config.profile import Config
from benchmark.data.manifest.manifest import Manifest, read_manifest
from benchmark.errors import DamagedFileError
from benchmark.experiment.layout import Layout, annotation_files
from benchmark.files.sealed import again, file_sha256

__all__ = ["manifest_of", "sha256_of_lists"]


def manifest_of(config: Config, dataset: str) -> Manifest:
    """Return the manifest of a dataset; whoever has it must not change its rows.

    Raises:
        BenchmarkError: if it cannot be read, naming all faults.
        DamagedFileError: if it was changed, or was built from other lists. Lists may be deleted.
    """
    path = Layout.of(config).manifest(dataset)
    files = [file for file in (path, path.with_suffix(".json")) if file.is_file()]
    state = tuple((file.stat().st_mtime_ns, file.stat().st_size) for file in files)
    manifest = _read(path, state)
    lists = sha256_of_lists(config, dataset)
    if lists and manifest.lists and lists != manifest.lists:
        names = ", ".join(map(str, annotation_files(config, dataset)))
        what = f"the manifest was built from other lists than lie there now: {names}"
        raise DamagedFileError(what, where=path, fix=again(path))
    return manifest


def sha256_of_lists(config: Config, dataset: str) -> tuple[str, ...]:
    """Return the SHA-256 of the lists that say what a dataset holds; nothing if one is gone."""
    lists = annotation_files(config, dataset)
    return tuple(map(file_sha256, lists)) if all(path.is_file() for path in lists) else ()


@lru_cache(maxsize=4)
def _read(path: Path, state: tuple[tuple[int, int], ...]) -> Manifest:
    """Read a manifest in a state that its files are in; another is read again."""
    return read_manifest(path)
