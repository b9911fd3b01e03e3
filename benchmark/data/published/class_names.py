"""Names of classes: files that list them, and names that nobody could tell apart.

A class file has a name a line. Where its lines carry numbers, as UCF101's `1 ApplyEyeMakeup` does,
these are the classes' numbers; otherwise the first line is number 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmark.data.manifest.checks import Faults, appearance
from benchmark.errors import BenchmarkError
from benchmark.files.text import read_text

__all__ = ["ClassFile", "lines_of", "plain", "read_class_file"]

_NUMBER_FIRST = re.compile(r"(?P<number>\d+)[\s,;]+(?P<name>\S.*)")
_NUMBER_LAST = re.compile(r"(?P<name>.*\S)\s*[,;\t]\s*(?P<number>\d+)")


@dataclass(frozen=True)
class ClassFile:
    """What a class file says.

    Attributes:
        path: of the file.
        names: by number, in the order of the numbers, which is that of the scores.
        is_numbered: whether the lines carry their numbers, so that these need not be inferred.
    """

    path: Path
    names: Mapping[int, str]
    is_numbered: bool

    @property
    def classes(self) -> tuple[str, ...]:
        """The names in the order of their numbers."""
        return tuple(self.names.values())


def plain(name: str) -> str:
    """Return a name as folders and lists may write it: spaces for underscores, small letters."""
    return appearance(name.replace("_", " ")).casefold()


def lines_of(path: Path) -> list[str]:
    """Return the lines of a file, without spaces around them and without empty ones at its end.

    Raises:
        BenchmarkError: if it is no text, or holds nothing.
    """
    text = read_text(path).rstrip()
    if not text:
        raise BenchmarkError("is empty", where=path, fix="use the published file")
    return [line.strip() for line in text.split("\n")]


def read_class_file(path: Path, faults: Faults) -> ClassFile:
    """Read a class file.

    Args:
        path: of the file.
        faults: receives names and numbers that stand twice, and lines without one.

    Raises:
        BenchmarkError: if it is no text, or holds nothing.
    """
    lines = lines_of(path)
    numbered = dict(enumerate(lines))
    is_numbered = False
    for form in (_NUMBER_FIRST, _NUMBER_LAST):
        matches = [form.fullmatch(line) for line in lines]
        found = [(int(match["number"]), match["name"]) for match in matches if match]
        if len(found) * 2 <= len(lines):
            continue
        is_numbered, numbered = True, dict(sorted(found))
        for line, match in enumerate(matches, start=1):
            if match is None:
                what = f"'{lines[line - 1]}' has no class number, other lines have"
                fix = "number all lines or none, and remove a header"
                faults.add(what, where=f"{path}:{line}", fix=fix)
        for number in _repeated(number for number, _ in found):
            what = f"the class number {number} stands there twice"
            faults.add(what, where=path, fix="give each class a number of its own")
        break
    if "" in lines:
        line = lines.index("") + 1
        faults.add("a line without a name", where=f"{path}:{line}", fix="remove the line")
    first: dict[str, str] = {}
    for name in numbered.values():
        if (other := first.get(plain(name))) is None:
            first[plain(name)] = name
        else:
            what = f"the class '{name}' stands there twice"
            what += f", also as {other!a}" if other != name else ""
            faults.add(what, where=path, fix="list each class once")
    return ClassFile(path, numbered, is_numbered)


def _repeated(numbers: Iterable[int]) -> list[int]:
    listed = list(numbers)
    return sorted({number for number in listed if listed.count(number) > 1})
