"""The workflow through a real Slurm: `make test-slurm`.

Not run with the other tests: it takes minutes, needs root, Debian's slurm-wlm and munge, and a
machine without a Slurm of its own.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from cluster_runs import PROFILES, TINY, numbers, numbers_of_one_machine, snakemake, written
from loopback_slurm import NODES, LoopbackSlurm
from safetensors.torch import load_file

pytestmark = pytest.mark.cluster

TOLERANCE = 1e-7
"""In double precision, as in tests/training/test_together.py; 3.6e-9 is seen."""

# The cluster is small and near, and keeps no accounts.
THROUGH_SLURM = [
    *("--profile", str(PROFILES / "slurm"), "--latency-wait", "5"),
    *("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "3"),
]


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    needed = ("slurmctld", "slurmd", "munged")
    if missing := [name for name in needed if shutil.which(name) is None]:
        pytest.skip(f"no {', '.join(missing)} here: apt-get install slurm-wlm munge")
    folder = tmp_path_factory.mktemp("slurm")
    with LoopbackSlurm(folder) as cluster:
        yield cluster


@dataclass(frozen=True)
class Run:
    """A run of everything on the cluster, during which a node died.

    Attributes:
        folder: of the results.
        said: what Snakemake printed.
        lost: the jobs that ran on the node.
        seconds: from start to end.
    """

    folder: Path
    said: str
    lost: list[str]
    seconds: float


@pytest.fixture(scope="module")
def run(slurm, tmp_path_factory) -> Run:
    folder = tmp_path_factory.mktemp("remote")
    profile = written(folder, "tiny", extraction_parts=3)
    start = time.monotonic()
    with (folder / "said.log").open("w") as log:
        command = snakemake(folder, profile, "all_tables", *THROUGH_SLURM)
        running = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            node = _node_with_a_job(slurm, running)
            lost = slurm.rules_on(node)
            slurm.kill_node(node)
            while slurm.state_of(node) != "down" and running.poll() is None:
                time.sleep(0.5)
            slurm.start_node(node)
            code = running.wait(timeout=1800)
        finally:
            running.kill()
    said = (folder / "said.log").read_text()
    assert code == 0, said[-4000:]
    return Run(folder, said, lost, time.monotonic() - start)


def test_a_cluster_that_loses_a_node_gives_the_tables_of_one_machine(slurm, run, tmp_path):
    num_jobs = run.said.count("has been submitted with SLURM jobid")
    num_again = slurm.num_requeued() + run.said.count("Trying to restart job")
    assert num_jobs > 10
    assert num_again >= len(run.lost) > 0
    for name in ("track", "outcome"):
        assert f"(Rule: {name})" in run.said
        assert f"/rule_{name}/" not in run.said  # the logs of jobs of the cluster
    assert run.said.count("/rule_frames_part/") == 3
    expected = numbers_of_one_machine(tmp_path / "local", written(tmp_path, "tiny"))
    assert numbers(run.folder) == expected
    print(
        f"\nSlurm: {num_jobs} jobs in {run.seconds:.0f} s, frames decoded in 3 parts; a node died "
        f"under {', '.join(run.lost)}; {num_again} started again; track and outcome ran here; "
        f"{len(expected)} files of tables, figures' data and rows are those of one machine, "
        "byte for byte"
    )


@pytest.fixture(scope="module")
def stored(tmp_path_factory) -> Path:
    """Return a folder with the frames of a profile `tiny`, which others share."""
    folder = tmp_path_factory.mktemp("stored")
    command = snakemake(folder, written(folder, "tiny"), "all_frames", "--cores", "2")
    subprocess.run(command, check=True, capture_output=True)
    return folder


def test_networks_run_on_the_gpu_that_slurm_gave(slurm, stored):
    """Somebody else has three GPUs of each node."""
    others = [slurm.submit("sleep 900", f"--nodelist={node}", "--gpus=3") for node in NODES]
    gpu = {"accelerator": "auto"}
    profile = written(stored, "gpu", data_of="tiny", compute=gpu)
    target = "results/gpu/networks/backbone.safetensors"
    subprocess.run(snakemake(stored, profile, target, *THROUGH_SLURM), check=True)
    slurm.cancel(*others)
    log = (stored / "results" / "gpu" / "logs" / "pretrain-backbone.log").read_text()
    print(f"\nSlurm: others had GPUs 0, 1 and 2 of both nodes; the log of pretrain says\n{log}")
    assert "GPUs 3 of 3 (CUDA_VISIBLE_DEVICES=3)" in log


def test_two_nodes_train_to_the_weights_of_one_process(slurm, stored, monkeypatch):
    """Two processes on each; the rule asks for a GPU for each, and there are none to compute on."""
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")  # nobody resolves the nodes' names
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "lo")
    finetuned = {"network": "tiny_cnn", "weights": "random", "finetune": True}
    schedule = {**TINY["training"], "precision": "64-true"}
    together = {"accelerator": "auto", "devices": 2, "num_nodes": 2}
    weights = []
    for name, compute, how in [
        ("alone", {}, ("--cores", "1")),
        ("together", together, THROUGH_SLURM),
    ]:
        profile = written(
            stored,
            name,
            **{"data_of": "tiny", "compute": compute},
            **{"backbone": finetuned, "training": schedule},
        )
        folder = f"results/{name}/runs/multi/uniform_k"
        target = f"{folder}/training_seeds0.json"
        command = snakemake(stored, profile, target, *how)
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-4000:]
        (file,) = (stored / folder / "checkpoints").glob("*.safetensors")
        weights.append(load_file(file))
    log = (stored / "results/together/logs/train-multi-uniform_k-0.log").read_text()
    assert "GPUs 0,1 of 0,1 (CUDA_VISIBLE_DEVICES=0,1)" in log
    job = re.search(r"SLURM jobid (\d+)", done.stdout + done.stderr)[1]
    assert slurm.nodes_of(job) == list(NODES)
    one, four = weights
    assert one.keys() == four.keys()
    apart = max((one[name] - four[name]).abs().max().item() for name in one)
    print(f"\nSlurm: job {job} trained in 4 processes on 2 nodes; weights differ by {apart:.1e}")
    assert apart < TOLERANCE


def _node_with_a_job(slurm: LoopbackSlurm, running: subprocess.Popen[bytes]) -> str:
    """Wait for the training to begin, and return a node that trains."""
    while running.poll() is None:
        for node in ("node1", "node2"):
            if any(name.startswith("rule_train") for name in slurm.rules_on(node)):
                return node
        time.sleep(0.2)
    raise AssertionError("it ended before any training was seen")
