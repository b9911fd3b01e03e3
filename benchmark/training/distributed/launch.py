"""How a job gets the machines of processes that train together, and starts them there.

torchrun starts a process a device and makes them meet. On several nodes Slurm's srun starts one
torchrun on each node of the job's allocation; they meet at a port of the node that runs the job.
Both halves, what the workflow asks for and what the job does, are functions of the settings.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence

from benchmark.config.learning import Compute
from benchmark.errors import BenchmarkError

__all__ = ["launch_command"]

_FIRST_PORT = 15_000  # below those that Linux gives away by itself, which begin at 32768
_NUM_PORTS = 15_000


def launch_command(compute: Compute, words: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    """Return the command line that starts all processes of a training.

    Args:
        compute: how many processes a node, and how many nodes.
        words: what each process runs, after `python`: `-m MODULE ARGUMENT …` or `FILE ARGUMENT …`.
        environ: of the job. MASTER_ADDR and MASTER_PORT, if they are set, are where nodes meet.

    Raises:
        BenchmarkError: if several nodes are asked for outside a Slurm allocation, or in one that
            is smaller.
    """
    if compute.devices * compute.num_nodes == 1:
        return [sys.executable, *words]
    torchrun = [sys.executable, "-m", "torch.distributed.run"]
    torchrun += [f"--nnodes={compute.num_nodes}", f"--nproc-per-node={compute.devices}"]
    if compute.num_nodes == 1:
        return [*torchrun, "--standalone", *words]
    _check_allocation(compute.num_nodes, environ)
    torchrun += ["--rdzv-backend=c10d", f"--rdzv-endpoint={_meeting_point(environ)}"]
    torchrun += [f"--rdzv-id={environ['SLURM_JOB_ID']}"]
    return [*_srun(compute.num_nodes), *torchrun, *words]


def _srun(num_nodes: int) -> list[str]:
    """Return what starts a command once on each node, with all of the job's cores and GPUs there.

    Where the job is a step that holds them already, they are shared; a launcher is bound to no
    core, since it has many processes; and if one launcher fails, the others are not waited for.
    """
    return [
        *("srun", f"--nodes={num_nodes}", f"--ntasks={num_nodes}", "--ntasks-per-node=1"),
        *("--overlap", "--cpu-bind=none", "--kill-on-bad-exit=1"),
    ]


def _check_allocation(num_nodes: int, environ: Mapping[str, str]) -> None:
    where = "compute.num_nodes"
    if "SLURM_JOB_ID" not in environ:
        raise BenchmarkError(
            f"{num_nodes} nodes can train together inside a Slurm allocation only",
            where=where,
            fix="run with --profile workflow/profiles/slurm, or set it to 1",
        )
    # Absent in a job of the Slurm profile, which asks for the right number: srun says if not.
    given = environ.get("SLURM_JOB_NUM_NODES") or environ.get("SLURM_NNODES")
    if given is not None and int(given) < num_nodes:
        raise BenchmarkError(
            f"{num_nodes} nodes are to train together, "
            f"but job {environ['SLURM_JOB_ID']} has {given}",
            where=where,
            fix=f"ask Slurm for --nodes={num_nodes}, or set it to {given}",
        )


def _meeting_point(environ: Mapping[str, str]) -> str:
    """Return host and port at which the launchers of a job's nodes find each other."""
    host = (
        environ.get("MASTER_ADDR")
        or environ.get("SLURMD_NODENAME")
        or _first_node(environ.get("SLURM_JOB_NODELIST", ""))
    )
    job = int(environ["SLURM_JOB_ID"])
    port = environ.get("MASTER_PORT") or _FIRST_PORT + job % _NUM_PORTS
    return f"{host}:{port}"


def _first_node(listed: str) -> str:
    """Return the first host of Slurm's short form, such as 'gpu[03-05,9],login1'."""
    found = re.match(r"([^,\[]+)(?:\[([^\],-]+)[^\]]*\]([^,]*))?", listed)
    if found is None:
        raise BenchmarkError(
            f"Slurm names no node of this job ('{listed}')",
            where="SLURM_JOB_NODELIST",
            fix="set MASTER_ADDR to a node of the allocation",
        )
    return "".join(part or "" for part in found.groups())
