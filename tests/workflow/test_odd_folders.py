"""Folders and settings with characters that mean something to a shell, or to Snakemake."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from workflow_runs import last_error

from benchmark.files.repository import REPOSITORY

pytestmark = pytest.mark.dag

ODD = "a b'c$(touch pwned);`touch pwned`\"d#%é}{x"
PARTS = ("benchmark", "config", "methods", "workflow")
FILES = ("CITATION.cff", "environment.yml", "requirements.lock")
PYTHON = "environment/bin/python"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """Return a copy of the repository in a folder with an odd name, and a Python there."""
    folder = tmp_path_factory.mktemp("odd") / ODD
    for name in PARTS:
        unused = shutil.ignore_patterns("__pycache__")
        shutil.copytree(REPOSITORY / name, folder / name, ignore=unused)
    for name in FILES:
        shutil.copy(REPOSITORY / name, folder)
    (folder / "environment" / "bin").mkdir(parents=True)
    (folder / PYTHON).symlink_to(sys.executable)
    for name in ("pyvenv.cfg", "lib"):  # those of a virtual environment, if this is one
        (folder / "environment" / name).symlink_to(Path(sys.prefix) / name)
    return folder


def _run(checkout, *settings, target):
    done = subprocess.run(
        [
            *(checkout / PYTHON, "-m", "snakemake", "--cores", "2"),
            *("--config", *settings, "--", target),
        ],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    return done.returncode, done.stdout


def test_jobs_run_where_a_shell_would_run_the_names_of_folders(checkout, profile_file):
    profile = shutil.copy(profile_file("tiny"), checkout / f"{ODD}.yaml")
    code, printed = _run(checkout, f"profile={profile}", f"results=in {ODD}", target="all_frames")
    assert code == 0, printed[-4000:]
    assert (checkout / f"in {ODD}/tiny/data/multi/frames/index.json").is_file()
    assert not list(checkout.parent.rglob("pwned"))


def test_a_name_that_would_be_run_is_refused(checkout, profile_file):
    name = "x$(touch pwned)"
    profile = profile_file("odd", lambda content: content.update(profile=name))
    code, printed = _run(checkout, f"profile={profile}", target="all_frames")
    assert code != 0
    assert "odd.yaml:1: key 'profile': a name has at most 64 letters" in last_error(printed)
    assert not list(checkout.parent.rglob("pwned"))
