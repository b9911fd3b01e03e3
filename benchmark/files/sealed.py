"""A file and its digest: every job holds what it reads against what the job before it wrote.

There is one rule for each kind of file, and all of them are here:

- A JSON record is *sealed*: beside what it says stands the SHA-256 of what it says. Whoever reads
  the record finds out whether a number in it was changed.
- The SHA-256 of any other file stands in the sealed record of the job that wrote it. `check_file`
  compares the two before the file is read. A process hashes each file once.
- A file that no record names, since its job has not ended yet, ends in the SHA-256 of its name and
  of the bytes before: `sealed_bytes`.
- Of a large file that is read in parts, the record also holds a digest of each part, which is
  compared when the part is read: `part_digest`.

An error names the file, what is wrong with it, and how to make it again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from benchmark.errors import DamagedFileError
from benchmark.files.writing import write_json

__all__ = [
    "again",
    "check_file",
    "file_sha256",
    "is_file_with",
    "part_digest",
    "read_sealed",
    "read_sealed_bytes",
    "read_sealed_model",
    "seal_of",
    "sealed_bytes",
    "write_sealed",
]

_SEAL = "seal"
_SEAL_BYTES = hashlib.sha256().digest_size
_HASHED_FILES = 1 << 14  # whose digests a process remembers

Model = TypeVar("Model", bound=BaseModel)


def again(made: Path | str) -> str:
    """Return how to have one job of the workflow run once more, for error messages.

    Args:
        made: a file that Snakemake knows as the job's output, or the name of the job's rule.
    """
    return f"run the same command again with --forcerun {shlex.quote(str(made))}"


def file_sha256(path: Path) -> str:
    """Return the hex SHA-256 of a file's bytes; a file that has not changed is hashed once."""
    status = os.stat(path)
    return _sha256(path, status.st_ino, status.st_size, status.st_mtime_ns)


@lru_cache(_HASHED_FILES)
def _sha256(path: Path, _inode: int, _size: int, _changed_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_file_with(path: Path, sha256: object) -> bool:
    """Say whether there is a file with this SHA-256."""
    return path.is_file() and file_sha256(path) == sha256


def check_file(path: Path, sha256: object, *, record: object, fix: str) -> Path:
    """Return the path of a file whose bytes are those that a record names.

    Args:
        path: of the file.
        sha256: that the record holds of it; anything else than its SHA-256 is a mismatch.
        record: the file that names it, for the message.
        fix: how to make the file again, for the message.

    Raises:
        DamagedFileError: if the file is missing or is another one.
    """
    if not path.is_file():
        raise DamagedFileError(f"the file is missing, which {record} names", where=path, fix=fix)
    if file_sha256(path) != sha256:
        what = f"the file is not the one that {record} names: it was changed or exchanged"
        raise DamagedFileError(what, where=path, fix=fix)
    return path


def part_digest(content: Any) -> int:
    """Return a digest of a part of a file, of 64 bits.

    Args:
        content: its bytes, or an array whose elements lie one after the other.
    """
    return int.from_bytes(hashlib.sha256(content).digest()[:8], "little")


def seal_of(content: Any) -> str:
    """Return the SHA-256 of anything that JSON can hold, whatever the order of its keys."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def write_sealed(path: Path, content: Mapping[str, Any] | BaseModel) -> None:
    """Write a JSON record with its seal, whole or not at all."""
    said = content.model_dump(mode="json") if isinstance(content, BaseModel) else dict(content)
    write_json(path, {**said, _SEAL: seal_of(said)})


def read_sealed(path: Path, what: str, fix: str) -> dict[str, Any]:
    """Read a JSON record and compare it with its seal.

    Args:
        path: of the record.
        what: the record is of, for the message if there is none.
        fix: how to make it again, for messages.

    Raises:
        DamagedFileError: if it is missing, no record, or was changed after it was written.
    """
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as fault:
        raise DamagedFileError(f"no {what}, or an unfinished one", where=path, fix=fix) from fault
    except (IsADirectoryError, ValueError) as fault:
        raise DamagedFileError(f"no readable {what} ({fault})", where=path, fix=fix) from fault
    if not isinstance(said, dict) or _SEAL not in said:
        text = f"the record of the {what} carries no seal: another version wrote it, or it was cut"
        raise DamagedFileError(text, where=path, fix=fix)
    seal = said.pop(_SEAL)
    if seal_of(said) != seal:
        text = f"the record of the {what} was changed after it was written"
        raise DamagedFileError(text, where=path, fix=fix)
    return said


def sealed_bytes(name: str, content: bytes) -> bytes:
    """Return what a file of this name must hold for `read_sealed_bytes` to give the content."""
    return content + _digest_of_bytes(name, content)


def read_sealed_bytes(path: Path, what: str, fix: str) -> bytes:
    """Read a file that holds what `sealed_bytes` returned; the arguments are as in `read_sealed`.

    Raises:
        DamagedFileError: if it was changed, cut off, or written under another name.
        FileNotFoundError: if there is none.
    """
    whole = path.read_bytes()
    content, digest = whole[:-_SEAL_BYTES], whole[-_SEAL_BYTES:]
    if digest != _digest_of_bytes(path.name, content):
        text = f"the {what} was changed, cut off or exchanged after it was written"
        raise DamagedFileError(text, where=path, fix=fix)
    return content


def _digest_of_bytes(name: str, content: bytes) -> bytes:
    whole = hashlib.sha256(f"{name}\n".encode())
    whole.update(content)
    return whole.digest()


def read_sealed_model(path: Path, kind: type[Model], what: str, fix: str) -> Model:
    """Read a record as `read_sealed` does, and check its types.

    Raises:
        DamagedFileError: see `read_sealed`; also for a record of another type.
    """
    try:
        return kind.model_validate(read_sealed(path, what, fix))
    except ValidationError as fault:
        text = " ".join(f"no record of a {what}: {fault}".split())
        raise DamagedFileError(text, where=path, fix=fix) from fault
