"""What the stores of frames and of sound share: shards that processes write, resume and verify.

A shard is a data file with a description beside it, which is written last. What is in either is the
stores' own business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from benchmark.data.probe import file_sha256
from benchmark.errors import BenchmarkError, raise_all
from benchmark.files import is_abandoned

__all__ = ["ShardFacts", "check_hashes", "finished", "in_processes", "remove_strangers"]

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
    """Return the description of a shard that is whole, unless it was made of something else."""
    try:
        shard = kind.model_validate_json(data.with_suffix(".json").read_text(encoding="utf-8"))
        whole = shard.key == key and data.stat().st_size == shard.num_bytes
    except (FileNotFoundError, ValidationError):
        return None
    return shard if whole else None


def in_processes(work: Callable[[Job], Made], jobs: Sequence[Job], workers: int) -> Iterator[Made]:
    """Do some jobs here, or in spawned processes, and yield what each made, as they end.

    What runs already when the caller stops is finished, and nothing else is begun.
    """
    if workers <= 1 or len(jobs) < 2:
        yield from map(work, jobs)
        return
    with ProcessPoolExecutor(min(workers, len(jobs)), get_context("spawn")) as pool:
        running = [pool.submit(work, job) for job in jobs]
        try:
            for one in as_completed(running):
                yield one.result()
        finally:
            pool.shutdown(cancel_futures=True)


def remove_strangers(folder: Path, prefix: str, data_files: Iterable[str]) -> None:
    """Delete shards of an earlier, longer manifest, and what killed writers left."""
    wanted = {name for file in data_files for name in (file, Path(file).with_suffix(".json").name)}
    for path in folder.iterdir():
        stranger = path.name.startswith(prefix) and path.name not in wanted
        if stranger or (path.name.endswith(".partial") and is_abandoned(path)):
            path.unlink(missing_ok=True)


def check_hashes(folder: Path, shards: Iterable[ShardFacts], again: str) -> None:
    """Hash every shard.

    Args:
        folder: of the store.
        shards: that it should hold.
        again: how to make them again, for the message.

    Raises:
        BenchmarkError: naming each shard whose bytes are not those that were extracted.
    """
    faults = [
        BenchmarkError("the shard was changed", where=data, fix=f"delete it and {again}")
        for shard in shards
        if file_sha256(data := folder / shard.file) != shard.sha256
    ]
    raise_all(faults, str(folder))
