"""The command lines that start processes which train together; one of them is run."""

import os
import subprocess
import sys

import pytest

from benchmark.config.learning import Compute
from benchmark.errors import BenchmarkError
from benchmark.experiment.resources import job_resources
from benchmark.training.distributed.launch import launch_command

WORDS = ["-m", "benchmark.training.distributed.worker", "task.json"]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run"]
SLURM = {"SLURM_JOB_ID": "42", "SLURM_JOB_NUM_NODES": "2", "SLURMD_NODENAME": "gpu3"}


def _compute(devices, num_nodes):
    return Compute(accelerator="cuda", devices=devices, num_nodes=num_nodes)


@pytest.mark.parametrize(
    ("stage", "compute", "expected"),
    [
        ("train", Compute(devices=4), {}),
        ("evaluate", _compute(4, 2), {}),
        ("features", _compute(4, 2), {"gpu": 1, "nodes": 1}),
        ("train", _compute(4, 1), {"gpu": 4, "nodes": 1}),
        (
            "train",
            _compute(4, 2),
            {
                **{"gpu": 8, "nodes": 2, "tasks": 2, "tasks_per_gpu": 0, "mpi": "srun"},
                "slurm_extra": "--ntasks-per-node=1 --gpus-per-node=4",
            },
        ),
        (
            "train",
            Compute(num_nodes=3),
            {
                **{"nodes": 3, "tasks": 3, "tasks_per_gpu": 0, "mpi": "srun"},
                "slurm_extra": "--ntasks-per-node=1",
            },
        ),
    ],
)
def test_what_a_job_asks_for(stage, compute, expected):
    assert job_resources(stage, compute) == expected


def test_one_process_needs_no_launcher():
    assert launch_command(_compute(1, 1), WORDS, SLURM) == [sys.executable, *WORDS]


def test_one_node_meets_at_a_free_port_of_its_own():
    assert launch_command(_compute(4, 1), WORDS, {}) == [
        *TORCHRUN,
        *("--nnodes=1", "--nproc-per-node=4", "--standalone"),
        *WORDS,
    ]


def test_slurm_starts_a_launcher_on_each_of_several_nodes():
    command = launch_command(_compute(4, 2), WORDS, SLURM)
    middle = command.index(sys.executable)
    assert command[:4] == ["srun", "--nodes=2", "--ntasks=2", "--ntasks-per-node=1"]
    assert command[middle:] == [
        *TORCHRUN,
        *("--nnodes=2", "--nproc-per-node=4"),
        *("--rdzv-backend=c10d", "--rdzv-endpoint=gpu3:15042", "--rdzv-id=42"),
        *WORDS,
    ]


@pytest.mark.parametrize(
    ("changed", "endpoint"),
    [
        ({"MASTER_ADDR": "10.0.0.7", "MASTER_PORT": "999"}, "10.0.0.7:999"),
        ({"SLURM_JOB_ID": "15007"}, "gpu3:15007"),
        ({"SLURMD_NODENAME": "", "SLURM_JOB_NODELIST": "a1"}, "a1:15042"),
        ({"SLURMD_NODENAME": "", "SLURM_JOB_NODELIST": "a1,b[2-3]"}, "a1:15042"),
        ({"SLURMD_NODENAME": "", "SLURM_JOB_NODELIST": "gpu[03-05,9],a1"}, "gpu03:15042"),
        ({"SLURMD_NODENAME": "", "SLURM_JOB_NODELIST": "r[7,9]-ib"}, "r7-ib:15042"),
    ],
)
def test_nodes_meet_at_one_place(changed, endpoint):
    command = launch_command(_compute(1, 2), WORDS, {**SLURM, **changed})
    assert f"--rdzv-endpoint={endpoint}" in command


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "inside a Slurm allocation only"),
        ({**SLURM, "SLURM_JOB_NUM_NODES": "1"}, "2 nodes are to train together, but job 42 has 1"),
        ({"SLURM_JOB_ID": "42", "SLURM_NNODES": "1"}, "job 42 has 1"),
        ({"SLURM_JOB_ID": "42"}, "names no node"),
    ],
)
def test_nodes_that_are_not_there_are_an_error(environ, said):
    with pytest.raises(BenchmarkError, match=said):
        launch_command(_compute(1, 2), WORDS, environ)


def test_processes_of_one_node_know_their_places(tmp_path):
    worker = tmp_path / "worker.py"
    worker.write_text(
        "import os, pathlib, sys\n"
        "rank, world = os.environ['RANK'], os.environ['WORLD_SIZE']\n"
        "pathlib.Path(sys.argv[1], f'{rank} of {world}').touch()\n"
    )
    places = tmp_path / "places"
    places.mkdir()
    command = launch_command(Compute(devices=2), [str(worker), str(places)], os.environ)
    subprocess.run(command, check=True, timeout=300, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert {path.name for path in places.iterdir()} == {"0 of 2", "1 of 2"}
