"""The rooms of the house, the imports between them, and their diagram in docs/architecture.md.

`python tests/rooms.py` draws the diagram anew.
"""

from __future__ import annotations

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

from benchmark.files.repository import PACKAGE, REPOSITORY

__all__ = ["PAGE", "ROOMS", "drawn", "imports_of_modules", "room_of"]

PAGE = REPOSITORY / "docs" / "architecture.md"
BASIS = ("errors", "files", "seeds", "progress", "machine", "lifetime")
CONTRACT = ("contract", "videos", "layers", "sampling", "step_records")
# A room imports only rooms before it.
ROOMS = (
    *("basis", "config", "cost", "contract", "methods", "experiment", "data", "backbones"),
    *("training", "evaluation", "reporting", "checks", "verification", "estimate", "tracking"),
    *("jobs", "commands", "cli"),
)
_DIAGRAM = re.compile(r"```mermaid\n.*?```", re.DOTALL)


def imports_of_modules() -> dict[str, set[str]]:
    """Return the modules that each module imports, also inside functions."""
    files = {
        ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__"): path
        for path in PACKAGE.rglob("*.py")
        if path.parent.name != "template"
    }
    return {name: _imported(path, set(files)) for name, path in files.items()}


def room_of(module: str) -> str:
    """Return the room that a module stands in."""
    name = module.split(".")[1] if "." in module else "cli"
    if name in BASIS:
        return "basis"
    if name in CONTRACT:
        return "contract"
    return "cli" if name == "__main__" else name


def drawn() -> str:
    """Return the diagram: an arrow to each room whose imports no other arrow implies."""
    direct = {room: set[str]() for room in ROOMS}
    for module, imported in imports_of_modules().items():
        direct[room_of(module)] |= {room_of(other) for other in imported} - {room_of(module)}
    every: dict[str, set[str]] = {}
    for room in TopologicalSorter(direct).static_order():
        every[room] = direct[room].union(*(every[other] for other in direct[room]))
    arrows = [
        f"    {room} --> {other}"
        for room in ROOMS
        for other in ROOMS
        if other in direct[room] and not any(other in every[via] for via in direct[room])
    ]
    return "\n".join(["```mermaid", "graph BT", *arrows, "```"])


def _imported(path: Path, modules: set[str]) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None, f"{path} has a relative import"
            own = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= (own & modules) or {node.module}
    return names & modules


if __name__ == "__main__":
    PAGE.write_text(_DIAGRAM.sub(drawn(), PAGE.read_text(encoding="utf-8")), encoding="utf-8")
