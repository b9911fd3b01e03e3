"""The one reader of YAML: settings, method manifests, descriptors, and words of `--config`.

YAML alone lets a key stand twice and keeps the last, lets a few lines stand for billions of nodes,
and may be nested until Python gives up. Here each of these is an error with its line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from benchmark.errors import BenchmarkError, raise_all
from benchmark.files.text import is_whole_text, read_text

__all__ = ["parse_yaml", "place_of", "read_mapping"]

_MAX_DEPTH = 50
_MAX_NODES = 100_000


def read_mapping(path: Path) -> dict[str, Any]:
    """Return the keys and values of a YAML file.

    Raises:
        BenchmarkError: if it is no text, no YAML, or holds something other than keys with values.
    """
    content = parse_yaml(read_text(path), path)
    if not isinstance(content, dict):
        what = "is empty" if content is None else f"holds a {_kind(content)}"
        fix = "write settings as 'key: value'"
        raise BenchmarkError(f"{what}, expected keys with values", where=path, fix=fix)
    if not all(isinstance(key, str) for key in content):
        odd = next(key for key in content if not isinstance(key, str))
        what = f"the key {odd!r} is a {_kind(odd)}, expected a word"
        raise BenchmarkError(what, where=path, fix="put it in quotes if it is meant")
    return content


def parse_yaml(text: str, where: object) -> Any:
    """Return what a YAML text says.

    Args:
        text: one document.
        where: names it in messages; a line is added to a path.

    Raises:
        BenchmarkError: if it is no YAML, repeats keys (all of them are named), contains itself,
            or grows beyond all use by nesting or by aliases.
    """
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _check_size(node)
        repeated = [
            BenchmarkError(
                f"the key '{key.value}' stands twice, first in line {first.start_mark.line + 1}",
                where=_place(where, key.start_mark),
                fix="keep one of them",
            )
            for key, first in _repeated_keys(node)
        ]
        raise_all(repeated, str(where))
        return loader.construct_document(node)
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        what = " ".join(filter(None, (fault.context, fault.problem)))
        raise BenchmarkError(f"is not YAML: {what}", where=_place(where, mark)) from fault
    except yaml.YAMLError as fault:  # a character that YAML does not allow
        what = str(fault).replace("\n", " ")
        raise BenchmarkError(f"is not YAML: {what}", where=where) from fault


def place_of(path: Path, keys: Sequence[object]) -> str:
    """Return `file:line` of a key, or of the nearest key around it; `file` if there is none.

    Args:
        path: a YAML file that has been read without a fault.
        keys: keys and list indices from the top down; those that are not there are passed over.
    """
    node, line = yaml.compose(read_text(path), yaml.SafeLoader), None
    for key in keys:
        entries: list[tuple[object, int, yaml.Node]] = []
        if isinstance(node, yaml.MappingNode):
            entries = [(k.value, k.start_mark.line, value) for k, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            entries = [(i, item.start_mark.line, item) for i, item in enumerate(node.value)]
        for name, start, value in entries:
            if name == key:
                node, line = value, start + 1
                break
    return str(path) if line is None else f"{path}:{line}"


class _Loader(yaml.SafeLoader):
    """Reads plain values; faults of any kind are YAML errors with a place."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self._depth == _MAX_DEPTH:
            what = f"nested more than {_MAX_DEPTH} levels deep"
            raise yaml.MarkedYAMLError(problem=what, problem_mark=self.get_mark())
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        if isinstance(node, yaml.ScalarNode) and not is_whole_text(node.value):
            what = f"{node.value!r} holds half of a character"
            raise yaml.MarkedYAMLError(problem=what, problem_mark=node.start_mark)
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError, TypeError) as fault:
            what = f"'{node.value}' is no {node.tag.rpartition(':')[2]}"
            raise yaml.MarkedYAMLError(problem=what, problem_mark=node.start_mark) from fault


def _check_size(top: yaml.Node) -> None:
    """Count each node as often as aliases repeat it, and refuse what contains itself."""
    sizes: dict[yaml.Node, int | None] = {}

    def size_of(node: yaml.Node) -> int:
        if node in sizes:
            size = sizes[node]
            if size is None:
                what = "the value contains itself through an alias"
                raise yaml.MarkedYAMLError(problem=what, problem_mark=node.start_mark)
            return size
        sizes[node] = None
        size = 1 + sum(size_of(inner) for inner in _inner(node))
        if size > _MAX_NODES:
            what = f"the aliases make more than {_MAX_NODES:,} values of it"
            raise yaml.MarkedYAMLError(problem=what, problem_mark=node.start_mark)
        sizes[node] = size
        return size

    size_of(top)


def _repeated_keys(top: yaml.Node) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    """Yield each key that stands in its mapping before, with the first one."""
    seen: set[yaml.Node] = set()
    waiting = [top]
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        waiting += reversed(_inner(node))
        first: dict[tuple[str, str], yaml.Node] = {}
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if isinstance(key, yaml.ScalarNode):
                other = first.setdefault((key.tag, key.value), key)
                if other is not key:
                    yield key, other


def _inner(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [inner for pair in node.value for inner in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _place(where: object, mark: yaml.Mark | None) -> object:
    return f"{where}:{mark.line + 1}" if isinstance(where, Path) and mark is not None else where


def _kind(content: object) -> str:
    kinds = {list: "list", str: "text", bool: "truth value", int: "number", float: "number"}
    return kinds.get(type(content), type(content).__name__)
