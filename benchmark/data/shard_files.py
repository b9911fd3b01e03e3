"""What the stores of frames and of sound share: shards that processes write and resume.

A shard is a data file with a description beside it, which is written last. What is in either is the
stores' own business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import as_completed
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from benchmark.errors import DamagedFileError
from benchmark.files.sealed import is_file_with, read_sealed_model
from benchmark.files.writing import is_abandoned
from benchmark.lifetime import process_pool

__all__ = ["ShardFacts", "finished", "in_processes", "remove_stale_shards"]

Job = TypeVar("Job")
Made = TypeVar("Made")


class ShardFacts(BaseModel):
    """What every description says of its data file; `key` stands for all that it is made of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    key: str
    num_bytes: int
    sha256: str


Description = TypeVar("Description", bound=ShardFacts)


def finished(data: Path, key: str, kind: type[Description]) -> Description | None:
    """Return the description of a shard that is whole, unless it was made of something else.

    A shard is hashed only where it was written after its description, which its writer never
    does: gathering a store of terabytes takes seconds. Its readers check every part that they read.
    """
    beside = data.with_suffix(".json")
    try:
        shard = read_sealed_model(beside, kind, "shard", "")
        status = data.stat()
    except (DamagedFileError, FileNotFoundError):
        return None
    if (shard.key, shard.num_bytes) != (key, status.st_size):
        return None
    touched = status.st_mtime_ns > beside.stat().st_mtime_ns
    return shard if not touched or is_file_with(data, shard.sha256) else None


def in_processes(work: Callable[[Job], Made], jobs: Sequence[Job], workers: int) -> Iterator[Made]:
    """Do some jobs here, or in spawned processes, and yield what each made, as they end.

    What runs already when the caller stops is finished, and nothing else is begun.
    """
    if workers <= 1 or len(jobs) < 2:
        yield from map(work, jobs)
        return
    with process_pool(min(workers, len(jobs))) as pool:
        running = [pool.submit(work, job) for job in jobs]
        try:
            for one in as_completed(running):
                yield one.result()
        finally:
            pool.shutdown(cancel_futures=True)


def remove_stale_shards(folder: Path, prefix: str, data_files: Iterable[str]) -> None:
    """Delete shards of an earlier, longer manifest, and what killed writers left."""
    wanted = {name for file in data_files for name in (file, Path(file).with_suffix(".json").name)}
    for path in folder.iterdir():
        stranger = path.name.startswith(prefix) and path.name not in wanted
        if stranger or (path.name.endswith(".partial") and is_abandoned(path)):
            path.unlink(missing_ok=True)
