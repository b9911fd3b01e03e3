"""The table of measured time is made by its own target; no number of it is held to a bound."""

import csv
import shutil

import pytest
from workflow_runs import TINY, Workflow

from benchmark.data.builtin.generate import generate
from benchmark.machine import provenance

pytestmark = pytest.mark.dag

COLUMNS = {
    *("dataset", "method", "variant", "decode_ms", "single_ms", "batched_ms"),
    *("num_videos", "num_threads", "processor"),
}


@pytest.fixture(scope="module")
def timed(tiny_run, tmp_path_factory):
    """Return a finished run with its videos put back, and the rows of its timing table."""
    folder = tmp_path_factory.mktemp("timed")
    shutil.copytree(tiny_run.folder, folder, dirs_exist_ok=True)
    run = Workflow(folder, tiny_run.profile)
    videos, again = run.results / "data" / "multi" / "videos", folder / "again"
    builtin = TINY["datasets"]["multi"]["builtin"]
    generate("multi", again, num_train=builtin["num_train"], num_val=builtin["num_val"], seed=0)
    for path in again.rglob("*.mp4"):
        shutil.copy(path, videos / path.relative_to(again))
    run.run_well("timing")
    with (run.results / "tables" / "timing.csv").open(encoding="utf-8") as file:
        return run, list(csv.DictReader(file))


def test_each_method_of_tables_1_and_2_that_runs_a_network_has_a_row(timed):
    run, rows = timed
    assert set(rows[0]) == COLUMNS
    trained = {path.parent.name for path in run.results.glob("runs/multi/*/checkpoints")}
    assert {row["method"] for row in rows} == trained > {"frameexit", "uniform_k"}
    names = [(row["dataset"], row["method"], row["variant"]) for row in rows]
    assert len(set(names)) == len(names)
    frameexit = [variant for _, method, variant in names if method == "frameexit"]
    assert frameexit == ["beta_1e-2", "beta_1e-3", "beta_1e-5", "default"]


def test_times_are_positive_and_name_the_machine(timed):
    for row in timed[1]:
        assert all(float(row[name]) > 0 for name in ("decode_ms", "single_ms", "batched_ms"))
        assert (int(row["num_videos"]), int(row["num_threads"])) >= (12, 1)
        assert row["processor"] == provenance()["machine"]["processor"]


def test_it_is_spelled_as_the_other_tables_and_says_what_it_belongs_to(timed):
    run, rows = timed
    text = (run.results / "tables" / "timing.md").read_text()
    assert text.startswith("**Measured time**, milliseconds a video")
    assert text.count("\n| multi | ") == len(rows)
    assert (run.results / "tables" / "timing.sources.json").is_file()


def test_no_other_table_was_made_again(timed, tiny_run):
    for path in tiny_run.results.glob("tables/*.csv"):
        assert (timed[0].results / "tables" / path.name).read_bytes() == path.read_bytes()
