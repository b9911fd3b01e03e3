"""Whatever is killed, and however, the same command ends in the bytes of an undisturbed run."""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import signal
import subprocess
from dataclasses import replace

import pytest
from killing import JOBS, LAST_JOBS, SHORT_JOBS, Blow, Disk, Victims, started_until
from workflow_runs import Workflow

pytestmark = pytest.mark.dag

# With KILLS=all in the environment the tests strike with every signal at every kind of job, forty
# times at random, and let the disk be full seven times. That takes hours.
ALL = os.environ.get("KILLS") == "all"
NUM_RANDOM = 40
BLOWS = [
    Blow(victim, number)
    for victim in ("job", "group", "snakemake")
    for number in (signal.SIGKILL, signal.SIGINT, signal.SIGTERM)
] + [Blow("server", signal.SIGKILL)]
# The room that is left on the disk when a job begins, in KiB.
WALLS = {
    "videos-multi": 512,
    "frames-multi": 256,
    "pretrain-backbone": 0,
    "features-backbone": 16,
    "train-multi-frameexit-0": 24,
    "evaluate-multi-random_exit": 4,
    "table2": 0,
}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, profile_file) -> Workflow:
    """Return a finished run of one method and a control."""
    profile = profile_file(
        "kill", lambda content: content.update(only_methods="frameexit,random_exit")
    )
    run = Workflow(tmp_path_factory.mktemp("undisturbed"), profile)
    run.run_well()
    return run


@pytest.fixture
def disk(tmp_path):
    """Return a file system of a size that can change."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system that can be made too small")
    command = ["mount", "-t", "tmpfs", "-o", "size=100m", "tmpfs", str(tmp_path)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield Disk(tmp_path)
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def assert_same(run: Workflow, undisturbed: Workflow) -> None:
    """Hold every number of a run against those of an undisturbed one."""
    numbers, wanted = run.numbers(), undisturbed.numbers()
    assert len([name for name in wanted if name.startswith("tables/")]) >= 6
    assert set(numbers) == set(wanted)
    assert [name for name in numbers if numbers[name] != wanted[name]] == []
    assert not [path for path in run.results.rglob("*.partial") if path.is_file()]


def rows_with_causes(run: Workflow) -> set[str]:
    """Return what the tables say of rows that have no number because something went wrong."""
    found = set()
    for path in run.results.glob("tables/table*.csv"):
        with path.open(encoding="utf-8") as file:
            said = [row["status"] for row in csv.DictReader(file)]
        found |= {text for text in said if text.startswith(("failed", "missing"))}
    return found


def test_whatever_is_struck_the_same_command_ends_in_the_same_bytes(undisturbed, tmp_path):
    victims = Victims(Workflow(tmp_path, undisturbed.profile))
    run = victims.run
    for victim, number, job in (
        ("snakemake", signal.SIGKILL, "videos-multi"),
        ("job", signal.SIGKILL, "frames-multi"),
        ("group", signal.SIGINT, "train-multi-frameexit-0"),
        ("snakemake", signal.SIGKILL, "train-multi-frameexit-0"),
        ("job", signal.SIGKILL, "evaluate-multi-frameexit"),
    ):
        assert victims.strike_at(job, Blow(victim, number)), f"{job} was not struck"
    cause = "missing: evaluate-multi-frameexit: the job died without a word"
    assert {text[: len(cause)] for text in rows_with_causes(run)} == {cause}

    replace(run, flags=("--touch",)).run_well()  # must not make a finished table of one with causes
    assert victims.strike_at("evaluate-multi-frameexit", Blow("job", signal.SIGTERM))
    cause = "missing: evaluate-multi-frameexit: the job was ended by signal 15 (SIGTERM)"
    assert {text[: len(cause)] for text in rows_with_causes(run)} == {cause}

    # Nor may such a table stand when it alone is asked for.
    table = run.results / "tables" / "table2.csv"
    run.run_well(str(table.relative_to(run.folder)))
    assert table.read_bytes() == (undisturbed.results / "tables" / "table2.csv").read_bytes()

    assert victims.strike_at("figure6", Blow("group", signal.SIGINT))
    # Without their server jobs go on by themselves.
    assert victims.strike_at("track", Blow("server", signal.SIGKILL))
    run.run_well()
    assert_same(run, undisturbed)


def test_a_full_disk_blames_no_method_and_with_room_the_same_command_goes_on(undisturbed, disk):
    run, walls = Workflow(disk.folder, undisturbed.profile), WALLS
    if not ALL:  # two of them, in a run whose first jobs have ended already
        walls = {job: WALLS[job] for job in ("train-multi-frameexit-0", "table2")}
        shutil.copytree(undisturbed.folder, run.folder, dirs_exist_ok=True)
        for name in ("runs", "tables", "mlflow-artifacts"):
            shutil.rmtree(run.results / name)
        (run.results / "mlflow.db").unlink()
    for job, room_kib in walls.items():
        with started_until(run, job) as process:
            disk.fill_but(room_kib)
            printed = process.communicate(timeout=600)[0]
        assert process.returncode != 0, job
        assert "No space left on device" in printed or "Fix: make room" in printed
        blamed = [path for path in run.results.rglob("result.json") if _is_of_method(path)]
        assert blamed == []
        assert not [text for text in rows_with_causes(run) if text.startswith("failed")]
        disk.resize("100m")
    run.run_well()
    assert_same(run, undisturbed)


def _is_of_method(result):
    return json.loads(result.read_text(encoding="utf-8"))["status"] == "failed"


@pytest.mark.skipif(not ALL, reason="KILLS=all strikes with every signal at every kind of job")
@pytest.mark.parametrize("blow", BLOWS, ids=str)
def test_a_run_that_is_struck_at_every_kind_of_job_ends_in_the_same_bytes(
    undisturbed, tmp_path, blow
):
    victims = Victims(Workflow(tmp_path, undisturbed.profile))
    # Without its server a run goes on to the end.
    jobs = ("frames-multi",) if blow.victim == "server" else JOBS
    run, missed = victims.run, {job for job in jobs if not victims.strike_at(job, blow)}
    for job in LAST_JOBS:
        victims.run = replace(run, flags=("--forcerun", job.partition("-")[0]))
        missed |= {job} if not victims.strike_at(job, blow) else set()
    run.run_well()
    print("struck:", victims.tried, "hit:", len(victims.hits), "missed:", missed)
    assert missed <= SHORT_JOBS
    assert_same(run, undisturbed)


@pytest.mark.skipif(not ALL, reason="KILLS=all strikes at forty random moments")
def test_runs_that_are_struck_at_random_moments_end_in_the_same_bytes(undisturbed, tmp_path):
    draw = random.Random(14)
    victims = Victims(Workflow(tmp_path, undisturbed.profile))
    while len(victims.hits) < NUM_RANDOM:
        blow = draw.choice([blow for blow in BLOWS if blow.victim != "job"])
        if not victims.strike_after(draw.uniform(1.0, 40.0), blow):
            assert_same(victims.run, undisturbed)
            shutil.rmtree(victims.run.results)
    victims.run.run_well()
    print("struck:", victims.hits)
    assert_same(victims.run, undisturbed)
