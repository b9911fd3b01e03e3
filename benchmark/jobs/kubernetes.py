"""Runs the workflow's jobs on Kubernetes, for Snakemake's executor that submits with any command.

Snakemake runs in a pod that has the volume of the results; each job runs in a copy of that pod, of
the same image, with the same volumes, variables and account, and asks for its own cores, memory,
time and GPUs. Snakemake's own plugin for Kubernetes (0.5) is not used: it takes it that machines
share no files and carries declared outputs through object storage, and our jobs write many more
files than they declare: shards, features, checkpoints.

Commands of workflow/profiles/kubernetes: `python -m benchmark.jobs.kubernetes submit|status …`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.errors import BenchmarkError

__all__ = ["Request", "job_manifest", "main", "status_of"]

_POD_NAME = "POD_NAME"
_SECONDS_KEPT = 24 * 3600  # of a job that has ended: time to read what it said
_OF_THE_POD = ("serviceAccountName", "imagePullSecrets", "securityContext", "tolerations")
_OF_ITS_CONTAINER = ("image", "imagePullPolicy", "env", "envFrom", "securityContext")
_CREDENTIALS = "/var/run/secrets/kubernetes.io/"  # mounted anew in each pod
_SHARED_MEMORY = "/dev/shm"  # 64 MB in a container, less than processes need that load data


@dataclass(frozen=True)
class Request:
    """What a job asks for: whole cores and GPUs, 10^6 bytes, minutes."""

    cpus: int
    memory_mb: int
    minutes: int
    gpus: int = 0


def job_manifest(
    pod: Mapping[str, Any], script: Path, folder: Path, ask: Request
) -> dict[str, Any]:
    """Return the Job that runs a script in a copy of a pod.

    Args:
        pod: the one that submits, as `kubectl get pod --output=json` prints it.
        script: on a volume of the pod.
        folder: to run it in.
        ask: what the job may use.
    """
    of_pod = pod["spec"]
    of_container = of_pod["containers"][0]
    mounts = [
        mount
        for mount in of_container.get("volumeMounts", [])
        if not mount["mountPath"].startswith(_CREDENTIALS)
    ]
    mounted = {mount["name"] for mount in mounts}
    volumes = [volume for volume in of_pod.get("volumes", []) if volume["name"] in mounted]
    if all(mount["mountPath"] != _SHARED_MEMORY for mount in mounts):
        mounts.append({"name": "shared-memory", "mountPath": _SHARED_MEMORY})
        volumes.append({"name": "shared-memory", "emptyDir": {"medium": "Memory"}})
    memory = f"{ask.memory_mb}M"
    gpus = {"nvidia.com/gpu": str(ask.gpus)} if ask.gpus else {}
    container = {
        **{key: of_container[key] for key in _OF_ITS_CONTAINER if key in of_container},
        "name": "job",
        "command": ["/bin/sh", str(script)],
        "workingDir": str(folder),
        "resources": {
            "requests": {"cpu": str(ask.cpus), "memory": memory, **gpus},
            "limits": {"memory": memory, **gpus},
        },
        "volumeMounts": mounts,
    }
    spec = {
        **{key: of_pod[key] for key in _OF_THE_POD if key in of_pod},
        "restartPolicy": "Never",
        # The pod's own runs from its start on a node; a Job's would run while it waits for one.
        "activeDeadlineSeconds": ask.minutes * 60,
        "containers": [container],
        "volumes": volumes,
    }
    if ask.gpus:
        lets_in = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
        spec["tolerations"] = [*spec.get("tolerations", []), lets_in]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": _name_of(script),
            "labels": {"app": "efficient-video-benchmark"},
            "annotations": {"script": str(script)},
        },
        "spec": {
            "backoffLimit": 0,  # Snakemake tries again, and knows of it
            "ttlSecondsAfterFinished": _SECONDS_KEPT,
            "template": {"spec": spec},
        },
    }


def _name_of(script: Path) -> str:
    """Return a new name for a job, which says which rule's it is."""
    rule = re.sub(r"[^a-z0-9]+", "-", script.stem.removeprefix("snakejob.").lower())
    return f"benchmark-{rule[:30].strip('-')}-{uuid.uuid4().hex[:10]}"


def status_of(job: Mapping[str, Any]) -> str:
    """Return Snakemake's word for the state of a Job: running, success or failed."""
    holds = {
        condition["type"]
        for condition in job.get("status", {}).get("conditions", [])
        if condition["status"] == "True"
    }
    if "Complete" in holds:
        return "success"
    return "failed" if "Failed" in holds else "running"


def main(argv: Sequence[str] | None = None) -> int:
    """Submit a job and print its name, or print the state of one."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmark.jobs.kubernetes", description=__doc__
    )
    commands = parser.add_subparsers(required=True, dest="command")
    submit = commands.add_parser("submit")
    for name in ("cpus", "memory-mb", "minutes", "gpus"):
        submit.add_argument(f"--{name}", type=int, required=True)
    submit.add_argument("script", type=Path)
    commands.add_parser("status").add_argument("name")
    args = parser.parse_args(argv)
    try:
        if args.command == "submit":
            print(_submit(args.script, Request(args.cpus, args.memory_mb, args.minutes, args.gpus)))
        else:
            print(_status(args.name))
    except BenchmarkError as fault:
        print(f"error: {fault}", file=sys.stderr)
        return 1
    return 0


def _submit(script: Path, ask: Request) -> str:
    own_name = os.environ.get(_POD_NAME)
    if not own_name:
        raise BenchmarkError(
            "Snakemake must run in a pod, which its jobs' pods are copies of",
            where=_POD_NAME,
            fix="start it by workflow/profiles/kubernetes/head.yaml",
        )
    pod = json.loads(_kubectl("get", "pod", own_name, "--output=json"))
    manifest = job_manifest(pod, script.resolve(), Path.cwd(), ask)
    _kubectl("create", "--filename=-", given=json.dumps(manifest))
    return str(manifest["metadata"]["name"])


def _status(name: str) -> str:
    """Return a job's state; while nobody answers, it is taken to run on."""
    try:
        return status_of(json.loads(_kubectl("get", "job", name, "--output=json")))
    except BenchmarkError as fault:
        print(f"error: {fault}", file=sys.stderr)
        return "failed" if "NotFound" in str(fault) else "running"


def _kubectl(*words: str, given: str | None = None) -> str:
    command = ["kubectl", *words]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchmarkError(done.stderr.strip(), where=" ".join(command))
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
