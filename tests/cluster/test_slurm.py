"""The workflow through a real Slurm: `make test-slurm`.

Not run with the other tests: it takes minutes, needs root, Debian's slurm-wlm and munge, and a
machine without a Slurm of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from cluster_runs import PROFILES, numbers, numbers_of_one_machine, snakemake, written
from loopback_slurm import NODES, LoopbackSlurm

pytestmark = pytest.mark.cluster

# The cluster is small and near, and keeps no accounts.
THROUGH_SLURM = [
    *("--profile", str(PROFILES / "slurm"), "--latency-wait", "5"),
    *("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "3"),
]
# Two nodes with two GPUs each: what the rule of training asks for, and what its job does with it.
TWO_NODES = """\
from benchmark.config import Compute
from benchmark.training.launch import job_resources

rule meet:
    output: "weights.txt"
    threads: 2
    resources: **job_resources("train", Compute(accelerator="cuda", devices=2, num_nodes=2))
    shell: "{python} launch.py"
"""
LAUNCH = """\
import os, subprocess
from benchmark.config import Compute
from benchmark.training.launch import launch_command
compute = Compute(accelerator="cuda", devices=2, num_nodes=2)
here = {"MASTER_ADDR": "127.0.0.1"}  # the nodes' names are made up, nobody resolves them
command = launch_command(compute, ["worker.py"], {**os.environ, **here})
subprocess.run(command, check=True)
"""
WORKER = """\
import os
import numpy as np
import torch
from torch import nn

torch.distributed.init_process_group("gloo")
rank, world = torch.distributed.get_rank(), torch.distributed.get_world_size()
inputs = torch.linspace(-1, 1, 32, dtype=torch.float64).reshape(8, 4)
model = nn.Linear(4, 1, dtype=torch.float64)
nn.init.zeros_(model.weight), nn.init.zeros_(model.bias)
model = nn.parallel.DistributedDataParallel(model)
optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(3):
    optimiser.zero_grad()
    (model(inputs[rank::world]) - 1).square().mean().backward()
    optimiser.step()
np.savetxt(f"weights-{rank}.txt", model.module.weight.detach().numpy())
place = [os.environ[name] for name in ("SLURMD_NODENAME", "CUDA_VISIBLE_DEVICES", "LOCAL_RANK")]
with open(f"place-{rank}.txt", "w") as file:
    print(world, *place, file=file)
torch.distributed.barrier()
if rank == 0:
    os.rename("weights-0.txt", "weights.txt")
torch.distributed.destroy_process_group()
"""


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
    profile = written(tmp_path, "tiny")
    remote = tmp_path / "remote"
    remote.mkdir()
    start = time.monotonic()
    with (tmp_path / "remote.log").open("w") as log:
        command = snakemake(remote, profile, "all_tables", *THROUGH_SLURM)
        running = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            node = _node_with_a_job(slurm, running)
            lost = slurm.rules_on(node)
            slurm.kill_node(node)
            while slurm.state_of(node) != "down" and running.poll() is None:
                time.sleep(0.5)
            slurm.start_node(node)
            code = running.wait(timeout=1500)
        finally:
            running.kill()
    seconds = time.monotonic() - start
    said = (tmp_path / "remote.log").read_text()
    assert code == 0, said[-4000:]
    num_jobs, num_again = said.count("has been submitted with SLURM jobid"), slurm.num_requeued()
    assert num_jobs > 10
    assert num_again + said.count("Trying to restart job") >= len(lost)
    for name in ("track", "outcome"):
        assert f"(Rule: {name})" in said
        assert f"/rule_{name}/" not in said  # the logs of jobs of the cluster
    expected = numbers_of_one_machine(tmp_path / "local", profile)
    assert numbers(remote) == expected
    print(
        f"\nSlurm: {num_jobs} jobs in {seconds:.0f} s; {node} died under {', '.join(lost)}, "
        f"{num_again} jobs were given to another; track and outcome ran here; {len(expected)} "
        "files of tables, figures' data and rows are those of one machine, byte for byte"
    )
    _networks_run_on_the_gpu_that_slurm_gave(slurm, remote)


def _networks_run_on_the_gpu_that_slurm_gave(slurm: LoopbackSlurm, folder: Path) -> None:
    """Pretrain on what is there already, while somebody else has three GPUs of each node."""
    others = [slurm.submit("sleep 900", f"--nodelist={node}", "--gpus=3") for node in NODES]
    gpu = {"accelerator": "auto"}  # there is no real one
    profile = written(folder.parent, "tiny_gpu", data_of="tiny", compute=gpu)
    target = "results/tiny_gpu/networks/backbone.safetensors"
    subprocess.run(snakemake(folder, profile, target, *THROUGH_SLURM), check=True)
    log = (folder / "results" / "tiny_gpu" / "logs" / "pretrain-backbone.log").read_text()
    assert "GPUs 3 of 3 (CUDA_VISIBLE_DEVICES=3)" in log
    print(f"\nSlurm: others had GPUs 0, 1 and 2 (jobs {', '.join(others)}); pretrain: {log}")


def test_processes_of_two_nodes_train_together(slurm, tmp_path):
    content = TWO_NODES.replace("{python}", sys.executable)
    files = {"Snakefile": content, "launch.py": LAUNCH, "worker.py": WORKER}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    command = [sys.executable, "-m", "snakemake", *THROUGH_SLURM, "--directory", str(tmp_path)]
    subprocess.run(
        [*command, "--snakefile", str(tmp_path / "Snakefile"), "--", "meet"],
        check=True,
        env=environment,
    )
    places = {(tmp_path / f"place-{rank}.txt").read_text() for rank in range(4)}
    assert places == {f"4 {node} 0,1 {local}\n" for node in NODES for local in (0, 1)}
    inputs = np.linspace(-1, 1, 32).reshape(8, 4)
    weight, bias = np.zeros(4), 0.0
    for _ in range(3):  # one process, the whole batch
        error = inputs @ weight + bias - 1
        weight = weight - 0.1 * 2 * error @ inputs / 8
        bias = bias - 0.1 * 2 * error.mean()
    for name in ("weights.txt", "weights-1.txt", "weights-2.txt", "weights-3.txt"):
        np.testing.assert_allclose(np.loadtxt(tmp_path / name), weight, rtol=1e-12)
    print(f"\nSlurm: {sorted(places)} met, and trained to the weights of one process")


def _node_with_a_job(slurm: LoopbackSlurm, running: subprocess.Popen[bytes]) -> str:
    """Wait for the training to begin, and return a node that trains."""
    while running.poll() is None:
        for node in ("node1", "node2"):
            if any(name.startswith("rule_train") for name in slurm.rules_on(node)):
                return node
        time.sleep(0.2)
    raise AssertionError("it ended before any training was seen")
