"""Checks, before any job starts, what a run needs on disk: a place for results, and its inputs."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from benchmark.config.datasets import Listed
from benchmark.config.profile import Config
from benchmark.errors import BenchmarkError, raise_all
from benchmark.experiment.layout import Layout, annotation_files
from benchmark.tracking.mirror import tracking_uri

__all__ = ["check_files"]


def check_files(config: Config) -> None:
    """Check that results can be written, and that what the profile names is there.

    What an earlier run has read already is not needed again: videos may be deleted once their
    frames are stored, so the root of a dataset that has a manifest is not asked for.

    Raises:
        BenchmarkError: naming all that is missing or of the wrong kind.
    """
    faults = _results_faults(config.folder)
    try:
        faults = faults or _tracking_faults(config)
        for name in config.datasets:
            if not Layout.of(config).manifest(name).is_file():
                faults += _dataset_faults(config, name)
        for role in config.roles:
            faults += _weights_faults(config, role)
    except OSError as fault:  # a name that is too long, a folder that may not be entered
        what = f"cannot be looked up: {fault.strerror}"
        fix = "correct its name, or the permissions of its folder"
        faults.append(BenchmarkError(what, where=fault.filename, fix=fix))
    raise_all(faults, f"the files of profile '{config.profile}'")


def _results_faults(folder: Path) -> list[BenchmarkError]:
    """Return a fault if results cannot be written below a folder, which need not exist yet."""
    fix = "name a folder that you may write to: --config results=DIR"
    for place in (folder, *folder.absolute().parents):
        try:
            if not os.path.lexists(place):
                continue
            if place.is_dir():
                # Permissions do not tell: root may write to /proc by them, but cannot.
                with tempfile.TemporaryFile(dir=place):
                    return []
            what = "results need a folder, and this is none"
        except OSError as fault:
            what = f"results cannot be written here: {fault.strerror}"
        return [BenchmarkError(what, where=place, fix=fix)]
    return []


def _tracking_faults(config: Config) -> list[BenchmarkError]:
    """Return a fault if MLflow's database cannot lie among the results."""
    try:
        tracking_uri(config)
    except BenchmarkError as fault:
        return [fault]
    return []


def _dataset_faults(config: Config, name: str) -> list[BenchmarkError]:
    """Return what is missing of the videos that a user lists."""
    source = config.datasets[name].source
    if not isinstance(source, Listed):
        return []
    root, where = config.place(source.root), f"datasets.{name}"
    if not root.is_dir():
        fix = f"correct datasets.{name}: root, or the folder that --config names"
        return [BenchmarkError("no such folder of videos", where=root, fix=fix)]
    return [
        BenchmarkError(f"{path} is no file", where=where, fix="correct its name")
        for path in annotation_files(config, name)
        if not path.is_file()
    ]


def _weights_faults(config: Config, role: str) -> list[BenchmarkError]:
    """Return a fault if the user's file of a network's weights is needed, and is no file."""
    network = config.network(role)
    if network.weights != "file" or not network.file or Layout.of(config).weights(role).is_file():
        return []
    path = config.place(network.file)
    if path.is_file():
        return []
    key = role if role == "backbone" else f"networks.{role}"
    what = "is a folder" if path.is_dir() else "no such file"
    fix = f"correct {key}.file, which names the weights themselves"
    return [BenchmarkError(f"{what}, and {key}.weights: file needs a file", where=path, fix=fix)]
