"""The workflow through a real Slurm: `make test-slurm`.

Not run with the other tests: it takes minutes, needs root, Debian's slurm-wlm and munge, and a
machine without a Slurm of its own.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from loopback_slurm import LoopbackSlurm

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tests" / "workflow"))
from workflow_runs import TINY  # noqa: E402

pytestmark = pytest.mark.slurm


def snakemake(folder: Path, profile: Path, *options: str) -> list[str]:
    return [
        *(sys.executable, "-m", "snakemake", *options),
        *("--snakefile", str(ROOT / "workflow" / "Snakefile"), "--directory", str(folder)),
        *("--config", f"profile={profile}", "--", "all_tables"),
    ]


def numbers(folder: Path) -> dict[str, bytes]:
    """Return the bytes of all tables, of the figures' data and of all stored rows."""
    root = folder / "results" / "tiny"
    patterns = ("tables/*.csv", "tables/*.md", "tables/*.tex", "figures/*.csv", "runs/**/*.parquet")
    found = [path for pattern in patterns for path in root.glob(pattern)]
    return {str(path.relative_to(root)): path.read_bytes() for path in found}


@pytest.fixture
def slurm(tmp_path):
    needed = ("slurmctld", "slurmd", "munged")
    if missing := [name for name in needed if shutil.which(name) is None]:
        pytest.skip(f"no {', '.join(missing)} here: apt-get install slurm-wlm munge")
    folder = tmp_path / "slurm"
    folder.mkdir()
    with LoopbackSlurm(folder) as cluster:
        yield cluster


def test_a_cluster_that_loses_a_node_gives_the_tables_of_one_machine(slurm, tmp_path):
    profile = tmp_path / "tiny.yaml"
    profile.write_text(yaml.safe_dump(TINY, sort_keys=False))
    local, remote = tmp_path / "local", tmp_path / "remote"
    local.mkdir()
    remote.mkdir()
    command = snakemake(
        remote,
        profile,
        *("--profile", str(ROOT / "workflow" / "profiles" / "slurm"), "--latency-wait", "5"),
        *("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "3"),
    )
    with (tmp_path / "remote.log").open("w") as log:
        running = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            node = _node_with_a_job(slurm, running)
            slurm.kill_node(node)
            while slurm.state_of(node) != "down" and running.poll() is None:
                time.sleep(0.5)
            slurm.start_node(node)
            code = running.wait(timeout=1500)
        finally:
            running.kill()
    said = (tmp_path / "remote.log").read_text()
    print(said)
    assert code == 0, said[-4000:]
    assert "has been submitted with SLURM jobid" in said
    subprocess.run(snakemake(local, profile, "--cores", "2"), check=True, capture_output=True)
    expected = numbers(local)
    assert len(expected) > 30
    assert numbers(remote) == expected


def _node_with_a_job(slurm: LoopbackSlurm, running: subprocess.Popen[bytes]) -> str:
    """Wait for the training to begin, and return a node that trains."""
    while running.poll() is None:
        for node in ("node1", "node2"):
            if any("train" in name for name in slurm.rules_on(node)):
                return node
        time.sleep(0.2)
    raise AssertionError("it ended before any training was seen")
