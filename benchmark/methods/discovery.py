"""Finds the methods: every folder with a `method.yaml`, in the repository or where the user says.

No module of the harness imports a method by name. All manifests are read and checked together, so
that a user sees every fault at once, before any job starts.
"""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.errors import BenchmarkError, did_you_mean, raise_all
from benchmark.methods.manifest import MethodManifest, read_method_manifest

__all__ = ["MethodFolder", "discover"]


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
            continue
        for folder in sorted(filter(_is_method, root.iterdir())):
            path = folder / "method.yaml"
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


def _is_method(folder: Path) -> bool:
    """Say whether a folder has one of a method's files; what the other lacks is then said."""
    return any(os.path.lexists(folder / name) for name in ("method.yaml", "method.py"))


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
