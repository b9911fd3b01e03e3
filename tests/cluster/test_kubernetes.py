"""The workflow through the profile for Kubernetes, with a stand-in for the cluster.

No cluster can run here. What is real: Snakemake, its executor, the profile, the commands that it
names, the jobs and their files. Not run with the other tests, since it takes minutes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from cluster_runs import PROFILES, numbers, numbers_of_one_machine, snakemake, written

pytestmark = pytest.mark.cluster


def test_jobs_in_copies_of_a_pod_give_the_tables_of_one_machine(tmp_path):
    pytest.importorskip("snakemake_executor_plugin_cluster_generic")
    played, bin_folder, remote = (tmp_path / name for name in ("played", "bin", "remote"))
    for folder in (played, bin_folder, remote):
        folder.mkdir()
    parts = list(yaml.safe_load_all((PROFILES / "kubernetes" / "head.yaml").read_text()))
    (played / "pod.json").write_text(json.dumps(parts[-1]))
    kubectl = bin_folder / "kubectl"
    stand_in = Path(__file__).with_name("kubectl_stand_in.py")
    kubectl.write_text(f'#!/bin/sh\nexec {sys.executable} {stand_in} "$@"\n')
    kubectl.chmod(0o755)
    path = os.pathsep.join([str(bin_folder), os.path.dirname(sys.executable), os.environ["PATH"]])
    pod = {"POD_NAME": "benchmark-head", "KUBECTL_STAND_IN": str(played), "PATH": path}

    profile, start = written(tmp_path, "tiny"), time.monotonic()
    options = ("--profile", str(PROFILES / "kubernetes"), "--latency-wait", "5")
    command = snakemake(
        remote, profile, "all_tables", *options, "--seconds-between-status-checks", "1", "-j", "4"
    )
    done = subprocess.run(
        command, env={**os.environ, **pod}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    seconds = time.monotonic() - start
    jobs = [json.loads(file.read_text()) for file in played.glob("benchmark-*.json")]
    rules = [job["metadata"]["name"].rsplit("-", 2)[0] for job in jobs]
    assert rules.count("benchmark-manifest") == 2  # one was lost
    assert not {"benchmark-track", "benchmark-outcome"} & set(rules)
    asked = {
        job["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"]
        for job, rule in zip(jobs, rules, strict=True)
        if rule == "benchmark-manifest"
    }
    assert asked == {"8000M", "16000M"}
    expected = numbers_of_one_machine(tmp_path / "local", profile)
    assert numbers(remote) == expected
    print(
        f"\nKubernetes, played: {len(jobs)} jobs in {seconds:.0f} s, one lost and tried again with "
        f"twice the memory; {len(expected)} files are those of one machine, byte for byte"
    )
