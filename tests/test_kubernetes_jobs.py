"""Jobs on Kubernetes: what is submitted, and how its state is read."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from benchmark.files.repository import REPOSITORY
from benchmark.jobs.kubernetes import Request, job_manifest, status_of

PROFILES = REPOSITORY / "workflow" / "profiles"
# As a cluster shows a pod: with the credentials and the tolerations that it gave it.
POD = {
    "metadata": {"name": "head"},
    "spec": {
        "serviceAccountName": "benchmark",
        "nodeName": "cpu7",
        "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists"}],
        "containers": [
            {
                "name": "head",
                "image": "registry/benchmark:1",
                "command": ["sleep", "infinity"],
                "env": [{"name": "PYTHONPATH", "value": "/volume/code"}],
                "volumeMounts": [
                    {"name": "work", "mountPath": "/volume"},
                    {
                        "name": "kube-api-access-x",
                        "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
                    },
                ],
            }
        ],
        "volumes": [
            {"name": "work", "persistentVolumeClaim": {"claimName": "benchmark"}},
            {"name": "kube-api-access-x", "projected": {"sources": []}},
        ],
    },
}


def _job(gpus=0):
    script = Path("/volume/results/.snakemake/tmp.1/snakejob.train_source.12.sh")
    return job_manifest(POD, script, Path("/volume/results"), Request(4, 32000, 90, gpus))


def test_a_job_is_a_copy_of_the_pod_that_asks_for_what_it_needs():
    job = _job()
    assert re.fullmatch(r"benchmark-train-source-12-[0-9a-f]{10}", job["metadata"]["name"])
    assert "activeDeadlineSeconds" not in job["spec"]  # it would run while the pod waits
    assert job["spec"]["backoffLimit"] == 0
    pod = job["spec"]["template"]["spec"]
    assert pod == {
        "serviceAccountName": "benchmark",
        "tolerations": POD["spec"]["tolerations"],
        "restartPolicy": "Never",
        "activeDeadlineSeconds": 5400,
        "containers": [
            {
                "name": "job",
                "image": "registry/benchmark:1",
                "env": [{"name": "PYTHONPATH", "value": "/volume/code"}],
                "command": ["/bin/sh", job["metadata"]["annotations"]["script"]],
                "workingDir": "/volume/results",
                "resources": {
                    "requests": {"cpu": "4", "memory": "32000M"},
                    "limits": {"memory": "32000M"},
                },
                "volumeMounts": [
                    {"name": "work", "mountPath": "/volume"},
                    {"name": "shared-memory", "mountPath": "/dev/shm"},
                ],
            }
        ],
        "volumes": [
            {"name": "work", "persistentVolumeClaim": {"claimName": "benchmark"}},
            {"name": "shared-memory", "emptyDir": {"medium": "Memory"}},
        ],
    }


def test_a_job_with_gpus_asks_for_them_and_may_run_where_they_are():
    pod = _job(gpus=2)["spec"]["template"]["spec"]
    resources = pod["containers"][0]["resources"]
    assert resources["limits"]["nvidia.com/gpu"] == resources["requests"]["nvidia.com/gpu"] == "2"
    assert [toleration["key"] for toleration in pod["tolerations"]] == [
        "node.kubernetes.io/not-ready",
        "nvidia.com/gpu",
    ]


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        ({}, "running"),
        ({"status": {"active": 1}}, "running"),
        ({"status": {"conditions": [{"type": "Complete", "status": "True"}]}}, "success"),
        ({"status": {"conditions": [{"type": "Failed", "status": "True"}]}}, "failed"),
        ({"status": {"conditions": [{"type": "Failed", "status": "False"}]}}, "running"),
        ({"status": {"conditions": [{"type": "Suspended", "status": "True"}]}}, "running"),
    ],
)
def test_the_state_of_a_job(job, expected):
    assert status_of(job) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ('Error from server (NotFound): jobs.batch "gone" not found', "failed\n"),
        ("Unable to connect to the server: i/o timeout", "running\n"),
    ],
)
def test_a_job_that_nobody_knows_has_failed_but_a_silent_server_is_waited_for(
    tmp_path, said, expected
):
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 1\n")
    kubectl.chmod(0o755)
    done = _run({"PATH": f"{tmp_path}:{os.environ['PATH']}"}, "status", "gone")
    assert (done.returncode, done.stdout) == (0, expected)
    assert said in done.stderr


def test_outside_a_pod_nothing_is_submitted():
    ask = ("--cpus", "1", "--memory-mb", "1", "--minutes", "1", "--gpus", "0")
    done = _run({"POD_NAME": ""}, "submit", *ask, "script.sh")
    assert done.returncode == 1
    assert "Snakemake must run in a pod" in done.stderr


def _run(environment, *words):
    command = [sys.executable, "-m", "benchmark.jobs.kubernetes", *words]
    environment = {**os.environ, **environment}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_the_profiles_of_clusters_agree_and_name_rules_that_there_are():
    """Snakemake takes no offence at a rule that it does not know."""
    files = (REPOSITORY / "workflow" / "rules").glob("*.smk")
    rules = {name for file in files for name in re.findall(r"^rule (\w+):", file.read_text(), re.M)}
    slurm, kubernetes = (
        yaml.safe_load((PROFILES / name / "profile.v9+.yaml").read_text())
        for name in ("slurm", "kubernetes")
    )
    for key in ("set-threads", "set-resources", "groups", "group-components", "retries"):
        assert slurm[key] == kubernetes[key]
    named = {*slurm["set-threads"], *slurm["set-resources"]}
    named |= {entry.split("=")[0] for entry in slurm["groups"]}
    assert named - {"train_source"} <= rules  # `use rule train as train_source`
