"""The index of a frame store: where every video's frames lie, for half a million of them.

`index.json` says what concerns the whole and lists the shards; `videos.parquet` beside it has a
row a video. Both are read in a moment and held as columns: one object a video would cost
seconds and gigabytes (measured by tests/performance/store_index.py: 500,000 videos open in 1.3 s
of a processor and 382 MB, imports included). The digest is of what they say, not of how pyarrow
writes it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from benchmark.data.frames.recipe import SamplingRecipe
from benchmark.data.frames.shards import Shard, StoredVideo
from benchmark.data.shard_files import ShardFacts
from benchmark.errors import DamagedFileError
from benchmark.files.sealed import again
from benchmark.files.writing import replace_when_complete, write_text

__all__ = ["INDEX_NAME", "ShardRecord", "StoreIndex", "read_index", "write_index"]

INDEX_NAME = "index.json"

_TABLE_NAME = "videos.parquet"
_COLUMNS = pa.schema(
    {
        "shard": pa.int32(),
        "video_id": pa.string(),
        "num_frames": pa.int64(),
        "fps": pa.float64(),
        "offset": pa.int64(),
        "num_positions": pa.int32(),
        "height": pa.int32(),
        "width": pa.int32(),
        "table_digest": pa.uint64(),
        "reader": pa.string(),
        "rejected": pa.string(),
        "source_frames": pa.list_(pa.int64()),
        "moments_s": pa.list_(pa.float64()),
        "failure": pa.string(),
    }
)


class ShardRecord(ShardFacts):
    """What the index says of a shard."""

    coder: str = ""


class _Header(BaseModel):
    """What `index.json` says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: SamplingRecipe
    shards: tuple[ShardRecord, ...]
    digest: str


@dataclass(frozen=True, eq=False)
class StoreIndex:
    """What a store holds.

    Attributes:
        recipe: which frames are stored, and how.
        shards: in order.
        videos: a row a video, in the manifest's order; `shard` counts `shards`, the other columns
            are those of `benchmark.data.frames.shards.StoredVideo`.
    """

    recipe: SamplingRecipe
    shards: tuple[ShardRecord, ...]
    videos: pa.Table

    @classmethod
    def of(cls, recipe: SamplingRecipe, shards: Iterable[Shard]) -> StoreIndex:
        """Return the index of finished shards, which may come one by one."""
        records, tables = [], [_COLUMNS.empty_table()]
        for number, shard in enumerate(shards):
            records.append(ShardRecord(**shard.model_dump(exclude={"videos"})))
            rows = {name: [getattr(v, name) for v in shard.videos] for name in _OF_VIDEO}
            rows["shard"] = [number] * len(shard.videos)
            tables.append(pa.table(rows, schema=_COLUMNS))
        return cls(recipe, tuple(records), pa.concat_tables(tables).combine_chunks())

    @cached_property
    def digest(self) -> str:
        """Return what changes with any stored byte, since each shard's hash is part of it."""
        whole = hashlib.sha256()
        shards = [shard.model_dump() for shard in self.shards]
        whole.update(json.dumps([self.recipe.facts(), shards], sort_keys=True).encode())
        for field in _COLUMNS:
            whole.update(f"\n{field.name}\n".encode())
            if pa.types.is_string(field.type):
                text = self.texts(field.name)
                whole.update(self._lengths(text).tobytes() + "".join(text).encode())
            elif pa.types.is_list(field.type):
                column = self.videos[field.name].combine_chunks()
                whole.update(_bytes_of(column.value_lengths().to_numpy(zero_copy_only=False)))
                whole.update(_bytes_of(column.flatten().to_numpy(zero_copy_only=False)))
            else:
                whole.update(_bytes_of(self.numbers(field.name)))
        return whole.hexdigest()[:16]

    def numbers(self, name: str) -> npt.NDArray[Any]:
        """Return a column of numbers: `[videos]`."""
        column: npt.NDArray[Any] = self.videos[name].to_numpy()
        return column

    def texts(self, name: str) -> list[str]:
        """Return a column of texts."""
        column: list[str] = self.videos[name].to_pylist()
        return column

    @staticmethod
    def _lengths(text: list[str]) -> npt.NDArray[np.int64]:
        return np.fromiter(map(len, text), dtype="<i8", count=len(text))


def _bytes_of(numbers: npt.NDArray[Any]) -> bytes:
    return numbers.astype(numbers.dtype.newbyteorder("<")).tobytes()


_OF_VIDEO = [name for name in _COLUMNS.names if name in StoredVideo.model_fields]


def write_index(index: StoreIndex, folder: Path) -> None:
    """Write both files; `index.json` comes last and makes the store a whole."""
    with replace_when_complete(folder / _TABLE_NAME) as partial:
        pq.write_table(index.videos, partial, compression="zstd")
    header = _Header(recipe=index.recipe, shards=index.shards, digest=index.digest)
    write_text(folder / INDEX_NAME, header.model_dump_json() + "\n")


def read_index(folder: Path) -> StoreIndex:
    """Read and check an index.

    Raises:
        DamagedFileError: if it is not there or was changed.
    """
    path, table = folder / INDEX_NAME, folder / _TABLE_NAME
    if not path.is_file():
        raise DamagedFileError("no frame store, or an unfinished one", where=path, fix=again(path))
    try:
        header = _Header.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError) as error:
        what = str(error).replace("\n", " ")
        raise DamagedFileError(what, where=path, fix=again(path)) from error
    try:
        videos = pq.read_table(table).combine_chunks()
        if not videos.schema.equals(_COLUMNS):
            raise pa.ArrowInvalid("holds other columns than an index does")
    except (OSError, pa.ArrowException) as error:
        what = str(error).replace("\n", " ")
        raise DamagedFileError(what, where=table, fix=again(path)) from error
    index = StoreIndex(header.recipe, header.shards, videos)
    if index.digest != header.digest:
        raise DamagedFileError("the index was changed", where=path, fix=again(path))
    return index
