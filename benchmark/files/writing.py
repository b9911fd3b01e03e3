"""Files that are either whole or absent, so that a killed run never leaves half a result."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

__all__ = [
    "digest_of",
    "digest_of_files",
    "is_abandoned",
    "locked",
    "replace_when_complete",
    "sweep",
    "write_json",
    "write_json_if_changed",
    "write_text",
    "writer_suffix",
]

_SECONDS_UNTIL_ABANDONED = 24 * 3600


@contextmanager
def replace_when_complete(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, which takes its place when the block ends well.

    Its name says which machine and process writes it: several may share the folder.

    Raises:
        IsADirectoryError: if a folder has that name already.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}{writer_suffix()}.partial")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file, which is made where there is none, and wait for who holds it now.

    The kernel releases it with the process, however that ends. The file stays: whoever deleted it
    could delete it from under a process that has just opened it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def writer_suffix() -> str:
    """Return what names of temporary files and folders end in: this machine and process."""
    return f".{_host()}.{os.getpid()}"


def sweep(folder: Path, pattern: str) -> None:
    """Delete temporary files and folders whose writers are dead, as far as can be known from here.

    Args:
        folder: to look in.
        pattern: of their paths below it, as `Path.glob` takes it.
    """
    for path in folder.glob(pattern):
        with suppress(OSError):  # another user's, or swept by another run in this moment
            if is_abandoned(path):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def is_abandoned(path: Path) -> bool:
    """Say whether the writer of a temporary path is dead, as far as can be known from here.

    Of a process of another machine only a day without a write tells.
    """
    named = re.fullmatch(r".+?\.([^.]+)\.(\d+)(\.partial(\..+)?)?", path.name)
    if named is not None and named[1] == _host():
        try:
            os.kill(int(named[2]), 0)
        except ProcessLookupError:
            return True
        except PermissionError:  # another user's, and alive
            return False
        return False
    try:
        return time.time() - path.stat().st_mtime > _SECONDS_UNTIL_ABANDONED
    except FileNotFoundError:
        return False


def _host() -> str:
    return socket.gethostname().replace(".", "-")


def write_text(path: Path, text: str) -> None:
    """Write a text file at once."""
    with replace_when_complete(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any) -> None:
    """Write JSON at once, with stable layout."""
    write_text(path, json.dumps(content, indent=1, sort_keys=False, allow_nan=False) + "\n")


def write_json_if_changed(path: Path, content: Any) -> None:
    """Write JSON, but leave a file that says the same untouched."""
    try:
        same = json.loads(path.read_text(encoding="utf-8")) == content
    except (OSError, ValueError):
        same = False
    if not same:
        write_json(path, content)


def digest_of(content: Any) -> str:
    """Return a short digest of anything that JSON can hold, whatever the order of its keys."""
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def digest_of_files(paths: Iterable[Path]) -> str:
    """Return a short digest of the files' names and bytes, whatever their order or folder."""
    whole = hashlib.sha256()
    for path in sorted(paths, key=lambda p: (p.name, str(p))):
        whole.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()[:16]
