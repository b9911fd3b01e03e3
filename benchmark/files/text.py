"""The one reader of text files that come from outside: lists, tables, settings, annotations.

Such files arrive from spreadsheets, other operating systems and mistyped paths. What can be told
beyond doubt is read: UTF-8 with or without a byte order mark, and UTF-16 with one. Everything else
is a single error that names the file, the cause and the fix.
"""

from __future__ import annotations

import codecs
import json
import stat
from pathlib import Path
from typing import Any

from benchmark.errors import BenchmarkError

__all__ = ["check_is_file", "is_whole_text", "parse_json", "read_text"]

_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_KINDS = (
    (stat.S_ISDIR, "is a folder, not a file"),
    (stat.S_ISFIFO, "is a named pipe, not a file"),
    (stat.S_ISSOCK, "is a socket, not a file"),
    (stat.S_ISCHR, "is a device, not a file"),
    (stat.S_ISBLK, "is a device, not a file"),
)


def read_text(path: Path) -> str:
    r"""Return the text of a file from outside, with lines that end in `\n`.

    Raises:
        BenchmarkError: if there is no such regular file, if it may not be read, or if it is not
            text in UTF-8 or in UTF-16 with a byte order mark.
    """
    try:
        check_is_file(path)
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    return _decoded(content, path).replace("\r\n", "\n").replace("\r", "\n")


def check_is_file(path: Path) -> None:
    """Check that a path names a regular file: reading others may never end.

    Raises:
        BenchmarkError: if there is none, or it is a folder, a pipe, a socket or a device.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise _unreadable(path, error) from error
    except ValueError as error:  # a path that holds a null character
        raise BenchmarkError(f"is no path: {error}", where=repr(str(path))) from error
    for is_kind, what in _KINDS:
        if is_kind(mode):
            raise BenchmarkError(what, where=path, fix="name the file itself")


def _unreadable(path: Path, error: OSError) -> BenchmarkError:
    fix = "correct the path, or create the file"
    if isinstance(error, PermissionError):
        fix = "allow yourself to read the file and to enter its folders"
    return BenchmarkError(f"not readable: {error.strerror}", where=path, fix=fix)


def _decoded(content: bytes, path: Path) -> str:
    encoding = "utf-16" if content.startswith(_UTF16_MARKS) else "utf-8-sig"
    fix = "save the file as UTF-8"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        before = content[: error.start].decode(encoding, "replace")
        line = 1 + before.replace("\r\n", "\n").replace("\r", "\n").count("\n")
        what = f"is not {encoding.removesuffix('-sig').upper()}: the bytes from "
        what += f"0x{content[error.start]:02x} on are no character of it"
        if encoding == "utf-8-sig":
            fix += ", for example with `iconv -f LATIN1 -t UTF-8` if it is Latin-1"
        raise BenchmarkError(what, where=f"{path}:{line}", fix=fix) from error
    if "\0" in text:
        line = 1 + text[: text.index("\0")].count("\n")
        what = "holds a null character, so it is no text, or UTF-16 without a byte order mark"
        raise BenchmarkError(what, where=f"{path}:{line}", fix=fix)
    return text


def is_whole_text(text: str) -> bool:
    """Say whether a text can be written to a file: half of a character, from an escape, cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def parse_json(text: str, path: Path) -> tuple[Any, list[str]]:
    """Return what a JSON text says, and the keys that stand twice in one object.

    Raises:
        BenchmarkError: if it is not JSON, is nested too deeply to be meant, or holds half of a
            character.
    """
    twice: list[str] = []

    def content_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        content = dict(pairs)
        if len(content) < len(pairs):
            keys = [key for key, _ in pairs]
            twice.extend(sorted({key for key in keys if keys.count(key) > 1}))
        return content

    try:
        content = json.loads(text, object_pairs_hook=content_of)
        if "\\ud" in text.lower() and not is_whole_text(json.dumps(content, ensure_ascii=False)):
            what = "an escape such as \\ud800 stands for half of a character"
            raise BenchmarkError(what, where=path, fix="write the character itself")
        return content, twice
    except RecursionError as error:
        what = "is nested too deeply to be read"
        raise BenchmarkError(what, where=path, fix="use the published file") from error
    except json.JSONDecodeError as error:
        what, fix = f"is not JSON: {error}", "use the published file, or mend it there"
        raise BenchmarkError(what, where=path, fix=fix) from error
