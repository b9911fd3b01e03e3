"""Lines of keys in YAML files, so that a fault names the place to mend."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

__all__ = ["place_of"]


def place_of(path: Path, keys: Sequence[object]) -> str:
    """Return `file:line` of a key, or of the nearest key around it; `file` if there is none.

    Args:
        path: a readable YAML file.
        keys: keys and list indices from the top down; those that are not there are passed over.
    """
    node, line = yaml.compose(path.read_text(encoding="utf-8")), None
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
