"""Sees which files, sockets and programs Python code opens, by the interpreter's audit events.

This is no sandbox: it finds what an honest author overlooked, and what a careless one hides. Files
that libraries open in C are not announced; code is therefore run in an empty folder, in which
nothing may appear.
"""

from __future__ import annotations

import os
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmark.files.repository import PACKAGE

__all__ = ["library_folders", "watched"]

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_FORBIDDEN = {
    "changes": "os.mkdir os.rename os.remove os.rmdir os.link os.symlink os.truncate os.chmod",
    "opens the database": "sqlite3.connect",
    "starts a program:": "subprocess.Popen os.system os.exec os.posix_spawn",
    "starts a process": "os.fork os.forkpty",
    "uses the network:": "socket.connect urllib.Request",
    "opens a socket": "socket.__new__",
}
_SAID = {event: said for said, events in _FORBIDDEN.items() for event in events.split()}


class _Watch:
    """What is noted now; the hook of an interpreter can be set, never removed."""

    def __init__(self) -> None:
        self.hooked = False
        self.noted: list[str] | None = None
        self.readable: tuple[str, ...] | None = None

    def hook(self, event: str, args: tuple[Any, ...]) -> None:
        """Note an event of the interpreter, if somebody watches."""
        if self.noted is None:
            return
        if event == "open":
            self._opened(*args)
        elif event in _SAID:
            about = args[1] if event == "socket.connect" else args[0] if args else ""
            named = f" {_name(about)}" if event not in {"os.fork", "socket.__new__"} else ""
            self.noted.append(_SAID[event] + named)

    def _opened(self, path: Any, mode: Any, flags: Any) -> None:
        assert self.noted is not None, "somebody watches"
        if isinstance(path, int) or path is None or _name(path) == os.devnull:
            return
        name = os.path.abspath(_name(path))
        if isinstance(flags, int) and flags & _WRITING:
            self.noted.append(f"writes {name}")
        elif self.readable is not None and not os.path.realpath(name).startswith(self.readable):
            self.noted.append(f"reads {name}")


_WATCH = _Watch()


def library_folders() -> list[Path]:
    """Return where Python's libraries lie, and this package."""
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    return [PACKAGE, *(Path(sysconfig.get_path(name)) for name in names)]


@contextmanager
def watched(readable: Sequence[Path] | None = None) -> Iterator[list[str]]:
    """Run what is inside in an empty folder and note what it opens.

    Args:
        readable: folders of which files may be read; None: any file may be.

    Yields:
        a list that is filled with a sentence for each thing that must not be.
    """
    if not _WATCH.hooked:
        sys.addaudithook(_WATCH.hook)
        _WATCH.hooked = True
    noted: list[str] = []
    before, bytecode = Path.cwd(), sys.dont_write_bytecode
    allowed = None if readable is None else tuple(f"{p.resolve()}{os.sep}" for p in readable)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        sys.dont_write_bytecode = True
        _WATCH.readable, _WATCH.noted = allowed, noted
        try:
            yield noted
        finally:
            _WATCH.noted = None
            sys.dont_write_bytecode = bytecode
            moved = Path.cwd() != Path(folder).resolve()
            os.chdir(before)
        if moved:
            noted.append("changes the working folder")
        if not noted:
            noted += [f"writes {path.name}" for path in Path(folder).iterdir()]
    noted[:] = dict.fromkeys(noted)


def _name(path: Any) -> str:
    try:
        return os.fsdecode(path)
    except TypeError:
        return str(path)
