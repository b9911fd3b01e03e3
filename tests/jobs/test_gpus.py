"""Real processes that compete for devices; their names are made up."""

import os
import re
import signal
import subprocess
import sys
import uuid

import pytest

from benchmark.config.learning import Compute
from benchmark.errors import BenchmarkError
from benchmark.experiment.resources import num_gpus
from benchmark.jobs import gpus
from benchmark.jobs.gpus import assigned_gpus

# Says what it was given, holds it until its input ends, and may leave a fork behind.
JOB = """\
import os, sys
from benchmark.jobs.gpus import assigned_gpus
title, devices, forks = sys.argv[1:]
say = lambda line: print(line, flush=True)
with assigned_gpus(int(devices), title, say):
    if forks == "forks" and os.fork() == 0:
        os.close(1)
        os.read(0, 1)
        os._exit(0)
    print("sees", os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
    sys.stdin.read()
"""


class Jobs:
    """Jobs of one user; no test shares its devices with another run of the tests."""

    def __init__(self):
        # A Slurm job's devices are apart from those of all others.
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("SLURM")},
            "SLURM_JOB_ID": f"test-{uuid.uuid4()}",
            "CUDA_VISIBLE_DEVICES": "0,1,2",
        }
        self.running = []

    def start(self, title, devices=1, forks=""):
        command = [sys.executable, "-c", JOB, title, str(devices), forks]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        job = subprocess.Popen(command, **pipes, text=True, env=self.environment)
        self.running.append(job)
        return job

    def end(self):
        for job in self.running:
            job.stdin.close()
            job.wait(30)
            job.stdout.close()


@pytest.fixture
def jobs():
    jobs = Jobs()
    yield jobs
    jobs.end()
    folder = gpus._runtime_folder() / f"slurm-{jobs.environment['SLURM_JOB_ID']}"
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


def _given(job):
    """Wait for a job's devices; return them and all that it said before."""
    said = []
    for line in job.stdout:
        if line.startswith("sees "):
            return line.split()[1], said
        said.append(line.strip())
    raise AssertionError(f"it ended; it said {said}")


def test_each_job_has_devices_of_its_own_and_logs_them(jobs):
    assigned = [_given(jobs.start(f"job {number}")) for number in range(3)]
    assert [device for device, _ in assigned] == ["0", "1", "2"]
    for device, said in assigned:
        assert said == [f"GPUs {device} of 0,1,2 (CUDA_VISIBLE_DEVICES=0,1,2)"]


def test_a_job_waits_and_goes_on_when_another_is_killed(jobs):
    first, second, third = (jobs.start(name) for name in "abc")
    freed = {_given(job)[0]: job for job in (first, second, third)}["1"]
    waiting = jobs.start("d")
    line = waiting.stdout.readline()
    assert re.fullmatch(
        r"waits for 1 GPUs of 0,1,2 \(.*\): 0 has ., process \d+; 1 has .*; 2 has .*\n", line
    )
    assert f"process {freed.pid}" in line
    freed.send_signal(signal.SIGKILL)
    assert _given(waiting)[0] == "1"


def test_jobs_that_want_several_never_wait_for_each_other(jobs):
    """Each of two holds two of three in turn; the third, for one, is served after them."""
    first = jobs.start("first", 2)
    assert _given(first)[0] == "0,1"
    second = jobs.start("second", 2)
    assert second.stdout.readline().startswith("waits for 1 GPUs of 0,1,2")
    third = jobs.start("third")
    assert third.stdout.readline().startswith("waits for its turn to take 1 GPUs of 0,1,2")
    first.stdin.close()
    assert _given(second)[0] == "0,2"
    assert _given(third)[0] == "1"


def test_a_device_is_held_until_the_last_fork_that_may_use_it_has_ended(jobs):
    holder = jobs.start("holder", 3, "forks")
    _given(holder)
    holder.kill()
    holder.wait(30)
    waiting = jobs.start("waiting")
    assert waiting.stdout.readline().startswith("waits for 1 GPUs")
    holder.stdin.close()  # ends the fork
    assert _given(waiting)[0] == "0"


@pytest.mark.parametrize(
    ("environ", "devices", "given"),
    [
        ({"CUDA_VISIBLE_DEVICES": "3,5"}, 2, ("3", "5")),
        ({"CUDA_VISIBLE_DEVICES": " 7 ,-1,8"}, 1, ("7",)),
        ({"CUDA_VISIBLE_DEVICES": "GPU-a1,GPU-b2"}, 2, ("GPU-a1", "GPU-b2")),
        ({"CUDA_VISIBLE_DEVICES": "MIG-GPU-a1/1/0"}, 1, ("MIG-GPU-a1/1/0",)),
        ({"SLURM_JOB_ID": "1", "CUDA_VISIBLE_DEVICES": "0", "SLURM_JOB_GPUS": "6"}, 1, ("0",)),
        ({"SLURM_JOB_ID": "1", "SLURM_JOB_GPUS": "6,7"}, 2, ("6", "7")),
        ({"SLURM_JOB_ID": "1", "SLURM_STEP_GPUS": "7", "SLURM_JOB_GPUS": "6,7"}, 1, ("7",)),
    ],
)
def test_where_devices_come_from(monkeypatch, tmp_path, environ, devices, given):
    monkeypatch.setattr(gpus, "_runtime_folder", lambda: tmp_path)
    before, lines = dict(environ), []
    with assigned_gpus(devices, "a job", lines.append, environ=environ) as found:
        assert found == given
        assert environ["CUDA_VISIBLE_DEVICES"] == ",".join(given)
    assert environ == before
    assert len(lines) == 1


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"CUDA_VISIBLE_DEVICES": ""}, "2 GPUs are asked for, and there are 0"),
        ({"CUDA_VISIBLE_DEVICES": "0,0"}, "there are 1"),
        ({"SLURM_JOB_ID": "9"}, "Slurm gave job 9 none"),
    ],
)
def test_too_few_devices_are_an_error(monkeypatch, tmp_path, environ, said):
    monkeypatch.setattr(gpus, "_runtime_folder", lambda: tmp_path)
    with (
        pytest.raises(BenchmarkError, match=said),
        assigned_gpus(2, "a job", print, environ=environ),
    ):
        pass


def test_a_job_may_go_on_without(monkeypatch, tmp_path):
    monkeypatch.setattr(gpus, "_runtime_folder", lambda: tmp_path)
    environ, lines = {"SLURM_JOB_ID": "9"}, []  # it may not take what Slurm gave to others
    with assigned_gpus(2, "a job", lines.append, optional=True, environ=environ) as found:
        assert (found, environ["CUDA_VISIBLE_DEVICES"]) == ((), "")
    assert lines == ["no GPU (Slurm gave job 9 none): on the CPU"]


@pytest.mark.parametrize(
    ("accelerator", "stage", "expected"),
    [
        ("cpu", "train", 0),
        ("cuda", "train", 4),
        ("auto", "train", 4),
        ("cuda", "features", 1),
        ("cuda", "pretrain", 1),
        ("cuda", "evaluate", 0),
    ],
)
def test_how_many_a_stage_uses(accelerator, stage, expected):
    assert num_gpus(stage, Compute(accelerator=accelerator, devices=4)) == expected


def test_a_machine_is_asked_what_it_has_without_starting_cuda_here(monkeypatch, tmp_path):
    import torch

    monkeypatch.setattr(gpus, "_runtime_folder", lambda: tmp_path)
    environ = {k: v for k, v in os.environ.items() if k != "CUDA_VISIBLE_DEVICES"}
    expected = tuple(str(number) for number in range(min(1, torch.cuda.device_count())))
    with assigned_gpus(1, "a job", print, optional=True, environ=environ) as found:
        assert found == expected
    assert not torch.cuda.is_initialized()
