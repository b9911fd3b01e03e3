"""Runs of the whole workflow that several tests look at."""

from __future__ import annotations

import copy
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from workflow_runs import NO_DECODERS, TINY, Workflow

from benchmark.files.writing import locked


@pytest.fixture(scope="session")
def profile_file(tmp_path_factory) -> Callable[..., str]:
    """Return a function that writes a profile like TINY, and returns its path."""

    def write(name: str, change: Callable[[dict[str, Any]], object] = lambda content: None) -> str:
        content = copy.deepcopy(TINY)
        content["profile"] = name
        change(content)
        path = tmp_path_factory.mktemp("profile") / f"{name}.yaml"
        path.write_text(yaml.safe_dump(content, sort_keys=False))
        return str(path)

    return write


@pytest.fixture(scope="session")
def no_decoders(tmp_path_factory) -> dict[str, str]:
    """Return an environment in which Python finds no decoder."""
    folder: Path = tmp_path_factory.mktemp("no_decoders")
    (folder / "sitecustomize.py").write_text(NO_DECODERS)
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]),
    }


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory, profile_file, no_decoders) -> Workflow:
    """Return a finished run of which, after the frames, every video was deleted.

    All processes that run tests together share one, of which each has its own copy.
    """
    base: Path = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "tiny_run"
    profile = profile_file("tiny")
    with locked(shared.with_suffix(".lock")):
        if not (shared / "finished").exists():
            shutil.rmtree(shared, ignore_errors=True)
            _run_without_videos(shared, profile, no_decoders)
            (shared / "finished").touch()
    folder = tmp_path_factory.mktemp("tiny")
    shutil.copytree(shared, folder, dirs_exist_ok=True)
    return Workflow(folder, profile)


def _run_without_videos(folder: Path, profile: str, no_decoders: dict[str, str]) -> None:
    folder.mkdir(parents=True)
    Workflow(folder, profile).run_well("all_frames")
    videos = list(folder.rglob("*.mp4"))
    assert len(videos) == 32
    for video in videos:
        video.unlink()
    Workflow(folder, profile, environment=no_decoders).run_well("all_tables")
