"""Finds the methods: every folder with a `method.yaml`, in the repository or where the user says.

No module of the harness imports a method by name. All manifests are read and checked together, so
that a user sees every fault at once, before any job starts.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
import types
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from benchmark.errors import BenchmarkError, did_you_mean, raise_all
from benchmark.method_manifest import MethodManifest, read_method_manifest
from benchmark.strict import is_misplaced_truth

__all__ = ["MethodFolder", "discover", "load_method", "make_params"]

_LIMIT = "BENCHMARK_IMPORT_SECONDS"
_SECONDS = 300  # a cold shared disk takes minutes for a large library


@dataclass(frozen=True)
class MethodFolder:
    """A method's folder and what its manifest says."""

    manifest: MethodManifest
    folder: Path

    @property
    def name(self) -> str:
        """The method's name, which is its folder's."""
        return self.folder.name

    def has_weights(self, variant: str, dataset: str, checkpoints: Collection[str]) -> bool:
        """Say whether a variant can run: it is trained, or its weights are a file of the profile.

        Args:
            variant: its name.
            dataset: its name.
            checkpoints: those that the profile names, as dataset/method/variant.
        """
        released = self.manifest.variants[variant].released
        return not released or f"{dataset}/{self.name}/{variant}" in checkpoints

    def code(self) -> list[Path]:
        """Return the Python files of the method, sorted."""
        return [path for path in self.files() if path.suffix == ".py"]

    def files(self) -> list[Path]:
        """Return every file that the method's results may depend on, sorted.

        Those are all files of its folder: code, weights, tables, texts. Left out are README files,
        hidden files, caches, and `method.yaml`, whose settings are compared one by one.
        """
        return sorted(
            path
            for path in self.folder.rglob("*")
            if path.is_file() and not any(map(_has_no_effect, path.relative_to(self.folder).parts))
        )


def discover(roots: Sequence[Path]) -> dict[str, MethodFolder]:
    """Read every method's manifest below the given roots.

    Returns:
        methods by name, sorted.

    Raises:
        BenchmarkError: all faults of all manifests: keys, names, references between methods.
    """
    found: dict[str, MethodFolder] = {}
    faults: list[BenchmarkError] = []
    for root in roots:
        if not root.is_dir():
            faults.append(BenchmarkError("no such folder of methods", where=root))
        for path in sorted(root.glob("*/method.yaml")):
            manifest, wrong = read_method_manifest(path)
            faults += wrong
            name = path.parent.name
            if manifest is not None and name in found:
                faults.append(
                    BenchmarkError(
                        f"method '{name}' exists twice, also in {found[name].folder}",
                        where=path,
                        fix="rename one of the folders",
                    )
                )
            elif manifest is not None:
                found[name] = MethodFolder(manifest, path.parent)
    faults += _reference_faults(found)
    raise_all(faults, "the methods' manifests")
    _make_importable(roots)
    return dict(sorted(found.items()))


def load_method(folder: MethodFolder) -> type[Any]:
    """Import a method's code and return its class `Method`.

    Raises:
        BenchmarkError: if the code does not import, or has no class `Method` with `Params`.
    """
    where = folder.folder / "method.py"
    try:
        with _at_most(limit := _import_seconds()):
            module = importlib.import_module(f"methods.{folder.name}.method")
    except _TooLongError as fault:
        what = f"does not import within {limit} s"
        fix = f"do long work in the method's __init__, or set {_LIMIT} to more seconds"
        raise BenchmarkError(what, where=where, fix=fix) from fault
    except KeyboardInterrupt:
        raise
    except BaseException as fault:  # also sys.exit and what derives from BaseException itself
        raise BenchmarkError(f"does not import: {fault!r}", where=where) from fault
    method = getattr(module, "Method", None)
    if not isinstance(method, type) or not hasattr(method, "Params"):
        raise BenchmarkError("has no class 'Method' with 'Params'", where=where)
    return method


class _TooLongError(BaseException):
    """Not caught by `except Exception` in the code that takes too long."""


def _import_seconds() -> int:
    given = os.environ.get(_LIMIT, str(_SECONDS))
    if not given.isdecimal() or int(given) < 1:
        fix = "set it to whole seconds, or not at all"
        raise BenchmarkError(f"'{given}' is no number of seconds", where=_LIMIT, fix=fix)
    return int(given)


@contextmanager
def _at_most(seconds: int) -> Iterator[None]:
    """End the work of the main thread after some time; other threads are given all time."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def give_up(*_: object) -> None:
        raise _TooLongError

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def make_params(method: type[Any], params: dict[str, Any], where: object) -> Any:
    """Build a method's parameters from a variant's settings.

    Raises:
        BenchmarkError: for unknown names and wrong types, all at once.
    """
    known = [field.name for field in fields(method.Params)]
    faults = [
        BenchmarkError(f"unknown parameter '{name}'{did_you_mean(name, known)}", where=where)
        for name in params
        if name not in known
    ]
    types = get_type_hints(method.Params)
    faults += [
        BenchmarkError(f"parameter '{name}': true and false stand for no value", where=where)
        for name, value in params.items()
        if name in types and is_misplaced_truth(value, types[name])
    ]
    try:
        made = TypeAdapter(method.Params).validate_python(params)
    except ValidationError as wrong:
        faults += [
            BenchmarkError(
                f"parameter '{fault['loc'][0]}': {fault['msg']}, found {fault['input']!r}",
                where=where,
            )
            for fault in wrong.errors()
        ]
    raise_all(faults, str(where))
    return made


def _has_no_effect(name: str) -> bool:
    """Say whether a file or folder of a method's folder cannot change its results."""
    return name.startswith((".", "README")) or name in {"__pycache__", "method.yaml"}


def _reference_faults(found: dict[str, MethodFolder]) -> list[BenchmarkError]:
    faults = []
    for name, method in found.items():
        where = method.folder / "method.yaml"
        for key, other in (
            ("extends", method.manifest.extends),
            ("source.method", method.manifest.source.method if method.manifest.source else None),
        ):
            if other is not None and (other not in found or other == name):
                hint = did_you_mean(other, found)
                faults.append(BenchmarkError(f"{key}: no method '{other}'{hint}", where=where))
        if name in _bases(found, name):
            faults.append(
                BenchmarkError(f"extends: '{name}' builds on itself, in a circle", where=where)
            )
        source = method.manifest.source
        if source and source.method in found:
            if found[source.method].manifest.source:
                faults.append(
                    BenchmarkError(
                        f"source.method: '{source.method}' is itself an exit control",
                        where=where,
                        fix="name the method that it re-reads",
                    )
                )
            variants = found[source.method].manifest.variants
            for key, variant in (("variant", source.variant), ("budget", source.budget)):
                if variant is not None and variant not in variants:
                    hint = did_you_mean(variant, variants)
                    faults.append(
                        BenchmarkError(f"source.{key}: no variant '{variant}'{hint}", where=where)
                    )
    return faults


def _bases(found: dict[str, MethodFolder], name: str) -> list[str]:
    """Return the methods that a method builds on, near to far; a circle is gone round once."""
    bases: list[str] = []
    base = found[name].manifest.extends
    while base in found and base not in bases:
        bases.append(base)
        base = found[base].manifest.extends
    return bases


def _make_importable(roots: Sequence[Path]) -> None:
    """Let `methods.<name>` be found in these folders first, and still in those named before."""
    package = sys.modules.setdefault("methods", types.ModuleType("methods"))
    new = [str(root.resolve()) for root in roots]
    package.__path__ = [*new, *(old for old in getattr(package, "__path__", []) if old not in new)]
