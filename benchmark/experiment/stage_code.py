"""Which files of the harness a stage depends on, worked out from what its code imports."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from benchmark.files.repository import PACKAGE

__all__ = ["imported_files", "stage_code"]

# The modules that a stage's job calls; an upper folder cannot be imported here, so it is named.
_CALLED: dict[str, tuple[str, ...]] = {
    "videos": ("data.builtin.generate",),
    "manifest": ("data.profile_datasets", "data.video_io.probe_cache"),
    "frames": ("data.frames.extract",),
    "sound": ("data.sound.extract",),
    "pretrain": ("backbones.pretrain",),
    "weights": ("backbones.weights",),
    "features": ("backbones.feature_store",),
    "train": ("training.train_all",),
    "predict": ("training.train_all", "evaluation.predict", "evaluation.exit_controls"),
    "evaluate": ("evaluation.evaluate",),
    "costs": ("cost.literature.table",),
    "track": ("tracking.mirror",),
}

_IMPORT = re.compile(
    rf"^[ \t]*(?:from|import) ({PACKAGE.name}\b[\w.]*)(?: import (\([^)]*\)|.*))?$", re.MULTILINE
)
_NAME = re.compile(r"\w+")


def stage_code(stage: str) -> list[Path]:
    """Return the harness's files that a stage depends on."""
    return imported_files(tuple(f"{PACKAGE.name}.{name}" for name in _CALLED[stage]))


@cache
def imported_files(modules: tuple[str, ...]) -> list[Path]:
    """Return the files of some modules and of all that they import, directly or not.

    Imports inside functions count. Files beside a module that are not Python, such as a table that
    it reads or a template, count with it.

    Args:
        modules: their dotted names, each in this package.
    """
    found: dict[Path, None] = {}
    waiting = [path for name in modules for path in _files_of(name)]
    assert waiting, modules
    while waiting:
        path = waiting.pop()
        if path not in found:
            found[path] = None
            waiting += [file for name in _imported_names(path) for file in _files_of(name)]
    folders = {path.parent for path in found}
    return sorted({*found, *(data for folder in folders for data in _data_in(folder))})


@cache
def _files_of(name: str) -> list[Path]:
    """Return the file of a module and those of the packages around it; none for other names."""
    parts = name.split(".")[1:]
    path = PACKAGE.joinpath(*parts)
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if not file.is_file():
        return []
    return [file, *(PACKAGE.joinpath(*parts[:n], "__init__.py") for n in range(len(parts)))]


@cache
def _imported_names(path: Path) -> tuple[str, ...]:
    """Return the names that a file imports from this package; each is a module or lies in one.

    A pattern is ten times faster than a parser here. A line of a docstring that reads like an
    import only adds a file.
    """
    names: list[str] = []
    for module, listed in _IMPORT.findall(path.read_text(encoding="utf-8")):
        names += [module, *(f"{module}.{name}" for name in _NAME.findall(listed))]
    return tuple(names)


@cache
def _data_in(folder: Path) -> tuple[Path, ...]:
    """Return the files of a folder, and of folders in it without modules, that are not Python."""
    inside = [p for p in folder.iterdir() if p.is_dir() and p.name != "__pycache__"]
    folders = (folder, *(one for one in inside if not list(one.glob("*.py"))))
    return tuple(p for one in folders for p in one.iterdir() if p.is_file() and p.suffix != ".py")
