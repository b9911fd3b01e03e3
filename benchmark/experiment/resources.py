"""What the jobs of a stage ask of the machine: GPUs, threads beside them, and nodes."""

from __future__ import annotations

from benchmark.config.learning import Compute

__all__ = ["THREADS_PER_GPU", "job_resources", "num_gpus"]

THREADS_PER_GPU = 4
"""Of a job: while its GPU computes, they make frames of what is stored. Every cluster has so many;
where more are free, the profile's `set-threads` gives them."""


def num_gpus(stage: str, compute: Compute) -> int:
    """Return how many GPUs of a machine a stage's job uses: one a process that runs networks."""
    if compute.accelerator == "cpu":
        return 0
    return {"pretrain": 1, "features": 1, "train": compute.devices, "timing": 1}.get(stage, 0)


def job_resources(stage: str, compute: Compute) -> dict[str, int | str]:
    """Return the resources of a stage's job, for its rule; none for one process without a GPU.

    `gpu` is what `snakemake --resources gpu=4` counts on one machine. The others are read by
    snakemake-executor-plugin-slurm (2.8): without `nodes`, Slurm may gather GPUs of several; a job
    of several nodes is started on the first of them, and not as a step of Slurm's, only if it has
    `mpi`; `tasks_per_gpu=0` keeps it from asking for tasks by the GPU; what each node must have, it
    has no resource for.
    """
    num, nodes = num_gpus(stage, compute), compute.num_nodes if stage == "train" else 1
    asked: dict[str, int | str] = {"gpu": num * nodes, "nodes": nodes} if num else {}
    if nodes > 1:
        each = ["--ntasks-per-node=1", *([f"--gpus-per-node={num}"] if num else [])]
        asked |= {"nodes": nodes, "tasks": nodes, "tasks_per_gpu": 0, "mpi": "srun"}
        asked["slurm_extra"] = " ".join(each)
    return asked
