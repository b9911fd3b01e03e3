"""A real Slurm on this machine: two nodes on loopback, each with its own daemon.

Configuration and state lie in a temporary folder. `/etc/slurm/slurm.conf` points to it while the
cluster is up, since jobs are started without the variables of their submitter.
"""

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
import time
from pathlib import Path

import psutil

__all__ = ["LoopbackSlurm"]

NODES = ("node1", "node2")
_LINKED = (Path("/etc/slurm/slurm.conf"), Path("/etc/slurm/gres.conf"))
_CONFIGURATION = """\
ClusterName=loopback
SlurmctldHost=localhost
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmctldPort=26817
SlurmctldPidFile={folder}/slurmctld.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmdLogFile={folder}/slurmd.%n.log
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmUser=root
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
SlurmdTimeout=15
KillWait=2
MailProg=/bin/true
SlurmdParameters=config_overrides
GresTypes=gpu
{nodes}
PartitionName=all Nodes=node1,node2 Default=YES MaxTime=INFINITE State=UP
"""
_NODE = (
    "NodeName={name} NodeHostname=localhost NodeAddr=127.0.0.1 Port={port} CPUs=8 "
    "RealMemory=100000 Gres=gpu:8 State=UNKNOWN"
)


class LoopbackSlurm:
    """A cluster that is up inside `with`; its processors, memory and GPUs are made up."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> LoopbackSlurm:
        for path in _LINKED:
            assert not path.exists(), (
                f"{path} is there already: this machine has a Slurm of its own"
            )
        self._write_configuration()
        munge = self.folder / "munge"
        key = munge.with_suffix(".key")
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        self._run(
            "munged",
            "--force",
            *(f"--key-file={key}", f"--socket={munge}.socket", f"--pid-file={munge}.pid"),
            *(f"--log-file={munge}.log", f"--seed-file={munge}.seed"),
        )
        self._run("slurmctld", "-c")
        for node in NODES:
            self.start_node(node)
        return self

    def __exit__(self, *_: object) -> None:
        for node in NODES:
            self.kill_node(node)
        for name in ("slurmctld", "munge"):
            self._kill(int((self.folder / f"{name}.pid").read_text()))
        for path in _LINKED:
            path.unlink()

    def start_node(self, node: str) -> None:
        """Start a node's daemon, and wait until it takes jobs."""
        self._run("slurmd", "-N", node)
        for _ in range(300):
            if self.state_of(node) in {"idle", "mixed", "allocated"}:
                return
            time.sleep(0.1)
        raise AssertionError(f"{node} is {self.state_of(node)}")

    def kill_node(self, node: str) -> None:
        """Kill a node's daemon and all that it runs, as if it lost power."""
        pid = self.folder / f"slurmd.{node}.pid"
        if pid.exists():
            self._kill(int(pid.read_text()))
            pid.unlink()
        for job in self.jobs_on(node):
            for process in psutil.process_iter(["cmdline"]):
                if f"slurmstepd: [{job}." in " ".join(process.info["cmdline"] or []):
                    self._kill(process.pid)

    def jobs_on(self, node: str) -> list[str]:
        """Return the ids of the jobs that run on a node."""
        return self._ask(
            "squeue", "--noheader", "--states=RUNNING", f"--nodelist={node}", "--format=%i"
        ).split()

    def rules_on(self, node: str) -> list[str]:
        """Return the rules, by the comments of their jobs, that run on a node."""
        asked = ("--noheader", "--states=RUNNING", f"--nodelist={node}", "--format=%k")
        return self._ask("squeue", *asked).split()

    def submit(self, command: str, *options: str) -> str:
        """Submit a job and return its id."""
        asked = ("--parsable", "--output=/dev/null", *options, "--wrap", command)
        return self._ask("sbatch", *asked).strip()

    def cancel(self, *jobs: str) -> None:
        """End some jobs."""
        self._run("scancel", *jobs)

    def nodes_of(self, job: str) -> list[str]:
        """Return the nodes on which a job started something, by their own logs."""
        logs = {node: (self.folder / f"slurmd.{node}.log").read_text() for node in NODES}
        return [node for node, log in logs.items() if f"launch task StepId={job}." in log]

    def num_requeued(self) -> int:
        """Return how often the controller gave a job of a lost node to another."""
        log = (self.folder / "slurmctld.log").read_text()
        return log.count("requeue job")

    def state_of(self, node: str) -> str:
        """Return what the controller says of a node, such as 'idle' or 'down'."""
        return self._ask("sinfo", "--noheader", f"--nodes={node}", "--format=%T").strip().strip("*")

    def _write_configuration(self) -> None:
        (self.folder / "state").mkdir()
        lines = []
        for number, name in enumerate(NODES):
            (self.folder / f"spool.{name}").mkdir()
            lines.append(_NODE.format(name=name, port=26818 + number))
        text = _CONFIGURATION.format(folder=self.folder, nodes="\n".join(lines))
        (self.folder / "slurm.conf").write_text(text)
        for number in range(8):
            os.mknod(self.folder / f"gpu{number}", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        gpus = f"AutoDetect=off\nName=gpu File={self.folder}/gpu[0-7]\n"
        (self.folder / "gres.conf").write_text(gpus)
        for path in _LINKED:
            path.parent.mkdir(exist_ok=True)
            path.symlink_to(self.folder / path.name)

    def _run(self, *command: str) -> None:
        """Start a daemon, which goes on by itself."""
        subprocess.run(command, check=True, timeout=60)

    def _ask(self, *command: str) -> str:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        return done.stdout

    def _kill(self, pid: int) -> None:
        """Kill a process and all that it started."""
        try:
            family = [process := psutil.Process(pid), *process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(family, timeout=20)
