"""pyproject.toml, requirements.lock and environment.yml describe one environment."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from itertools import chain

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmark.files.repository import REPOSITORY

PINS = [line for line in (REPOSITORY / "requirements.lock").read_text().splitlines() if line]
VERSIONS = {canonicalize_name(pin.split("==")[0]): pin.split("==")[1] for pin in PINS}


def declared() -> list[Requirement]:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    return [Requirement(text) for text in wanted]


def test_the_lock_holds_names_and_versions_only():
    assert [pin for pin in PINS if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", pin)] == []


@pytest.mark.parametrize("requirement", declared(), ids=lambda r: r.name)
def test_the_lock_satisfies_what_the_project_declares(requirement):
    if requirement.marker is not None and not requirement.marker.evaluate():
        pytest.skip(f"not for this platform: {requirement.marker}")
    locked = VERSIONS[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(locked, prereleases=True)


def test_conda_installs_the_same_pins():
    environment = yaml.safe_load((REPOSITORY / "environment.yml").read_text())
    assert environment["dependencies"][:-1] == ["python=3.11", "pip"]
    assert environment["dependencies"][-1] == {"pip": PINS}


def test_what_runs_here_is_what_is_locked():
    differing = {
        name: (version, importlib.metadata.version(name))
        for name, version in VERSIONS.items()
        if name in {"torch", "numpy", "snakemake", "mlflow", "av", "decord"}
        and importlib.metadata.version(name) != version
    }
    assert differing == {}
