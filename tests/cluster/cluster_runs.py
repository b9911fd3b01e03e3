"""Runs of a tiny profile, on a cluster and on one machine, and what they must have in common."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import yaml

from benchmark.files.repository import REPOSITORY

sys.path.append(str(REPOSITORY / "tests" / "workflow"))
from workflow_runs import TINY

__all__ = ["PROFILES", "TINY", "numbers", "numbers_of_one_machine", "snakemake", "written"]

PROFILES = REPOSITORY / "workflow" / "profiles"


def snakemake(folder: Path, profile: Path, target: str, *options: str) -> list[str]:
    return [
        *(sys.executable, "-m", "snakemake", *options),
        *("--snakefile", str(REPOSITORY / "workflow" / "Snakefile"), "--directory", str(folder)),
        *("--config", f"profile={profile}", "--", target),
    ]


def written(folder: Path, name: str, **changes: object) -> Path:
    """Write a profile like TINY."""
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump({**TINY, "profile": name, **changes}, sort_keys=False))
    return path


def numbers(folder: Path) -> dict[str, bytes]:
    """Return the bytes of all tables, of the figures' data and of all stored rows."""
    root = folder / "results" / "tiny"
    patterns = ("tables/*.csv", "tables/*.md", "tables/*.tex", "figures/*.csv", "runs/**/*.parquet")
    found = [path for pattern in patterns for path in root.glob(pattern)]
    return {str(path.relative_to(root)): path.read_bytes() for path in found}


def numbers_of_one_machine(folder: Path, profile: Path) -> dict[str, bytes]:
    """Run all of it here, and return the same."""
    folder.mkdir()
    command = snakemake(folder, profile, "all_tables", "--cores", "2")
    subprocess.run(command, check=True, capture_output=True)
    found = numbers(folder)
    assert len(found) > 30
    return found
