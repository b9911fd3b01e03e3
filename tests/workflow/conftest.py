"""Runs of the whole workflow that several tests look at."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from workflow_runs import NO_DECODERS, TINY, Workflow


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
    """Return a finished run of which, after the frames, every video was deleted."""
    folder = tmp_path_factory.mktemp("tiny")
    made = Workflow(folder, profile_file("tiny"))
    made.run_well("all_frames")
    videos = list(folder.rglob("*.mp4"))
    assert len(videos) == 32
    for video in videos:
        video.unlink()
    Workflow(folder, made.profile, environment=no_decoders).run_well("all_tables")
    return made
