"""Whatever is killed, and however, the same command ends in the bytes of an undisturbed run."""

from __future__ import annotations

import os
import random
import shutil
import signal

import pytest
from killing import JOBS, Blow, Victims
from workflow_runs import Workflow

pytestmark = pytest.mark.dag

BLOWS = [
    Blow(victim, number)
    for victim in ("job", "group", "snakemake")
    for number in (signal.SIGKILL, signal.SIGINT, signal.SIGTERM)
] + [Blow("server", signal.SIGKILL)]
# Each run of the tests strikes these; with KILLS=all in the environment it strikes with every
# signal at every kind of job, and forty times at random, which takes most of an hour.
USUAL = {
    "job-SIGKILL": ("frames-multi", "train-multi-frameexit-0", "evaluate-multi-frameexit"),
    "group-SIGINT": ("train-multi-frameexit-0", "table-table2"),
    "snakemake-SIGKILL": ("videos-multi", "train-multi-frameexit-0"),
    "server-SIGKILL": ("pretrain-backbone",),
}
ALL = os.environ.get("KILLS") == "all"
NUM_RANDOM = 40 if ALL else 2


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, profile_file) -> Workflow:
    """Return a finished run of one method and a control."""
    profile = profile_file(
        "kill", lambda content: content.update(only_methods="frameexit,random_exit")
    )
    run = Workflow(tmp_path_factory.mktemp("undisturbed"), profile)
    run.run_well()
    return run


def assert_same(run: Workflow, undisturbed: Workflow) -> None:
    """Hold every number of a run against those of an undisturbed one."""
    numbers, wanted = run.numbers(), undisturbed.numbers()
    assert len([name for name in wanted if name.startswith("tables/")]) >= 6
    assert set(numbers) == set(wanted)
    assert [name for name in numbers if numbers[name] != wanted[name]] == []
    assert not [path for path in run.results.rglob("*.partial") if path.is_file()]


@pytest.mark.parametrize("blow", BLOWS, ids=str)
def test_a_run_that_is_struck_at_every_kind_of_job_ends_in_the_same_bytes(
    undisturbed, tmp_path, blow
):
    jobs = JOBS if ALL else USUAL.get(str(blow), ())
    if not jobs:
        pytest.skip("KILLS=all strikes with this signal too")
    victims = Victims(Workflow(tmp_path, undisturbed.profile))
    for job in jobs:
        victims.strike_at(job, blow)
    victims.run.run_well()
    print("struck:", victims.hits)
    assert victims.hits
    assert_same(victims.run, undisturbed)


def test_runs_that_are_struck_at_random_moments_end_in_the_same_bytes(undisturbed, tmp_path):
    draw = random.Random(14)
    victims, longest = Victims(Workflow(tmp_path, undisturbed.profile)), 40.0
    while len(victims.hits) < NUM_RANDOM:
        blow = draw.choice([b for b in BLOWS if b.victim != "job"])
        if not victims.strike_after(draw.uniform(1.0, longest), blow):
            assert_same(victims.run, undisturbed)
            shutil.rmtree(victims.run.results)
    victims.run.run_well()
    print("struck:", victims.hits)
    assert_same(victims.run, undisturbed)


def test_after_a_failed_run_a_table_alone_is_made_anew_too(undisturbed, tmp_path):
    """Rows with causes must not stand as a finished table, whatever is asked for."""
    victims = Victims(Workflow(tmp_path, undisturbed.profile))
    while not victims.strike_at("evaluate-multi-frameexit", Blow("job", signal.SIGKILL)):
        shutil.rmtree(victims.run.results, ignore_errors=True)
    table = victims.run.results / "tables" / "table2.csv"
    assert "failed: evaluate-multi-frameexit: the job died without a word" in table.read_text()
    victims.run.run_well(str(table.relative_to(victims.run.folder)))
    wanted = undisturbed.results / "tables" / "table2.csv"
    assert table.read_bytes() == wanted.read_bytes()
    victims.run.run_well()
    assert_same(victims.run, undisturbed)
