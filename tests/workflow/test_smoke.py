"""The profile `smoke` from nothing to its last table, as in the README."""

import json
import os
import subprocess
import sys

import pytest
import yaml
from kinds_of_files import unclaimed_files
from workflow_runs import Workflow

from benchmark.files.repository import REPOSITORY

pytestmark = pytest.mark.dag


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    run = Workflow(tmp_path_factory.mktemp("smoke"), "smoke")
    return run, run.run_well()


def test_every_table_and_figure_of_the_paper_is_there(smoke):
    run, printed = smoke
    paper = yaml.safe_load((REPOSITORY / "benchmark" / "experiment" / "paper.yaml").read_text())
    expected = [
        *(f"tables/{table}.{kind}" for table in paper["tables"] for kind in ("csv", "md", "tex")),
        *(f"figures/{name}.{kind}" for name in paper["figures"] for kind in ("png", "svg", "csv")),
        "tables/known_answers.csv",
        "tables/claims.csv",
        "tables/tables.tex",
        "mlflow.db",
    ]
    assert len(expected) > 30
    assert [name for name in expected if not (run.results / name).stat().st_size] == []
    assert "Tables, figures and logs lie in results/smoke." in printed


def test_every_run_is_a_good_row(smoke):
    run, _ = smoke
    paths = list(run.results.glob("runs/*/*/*/*/result.json"))
    rows = [json.loads(path.read_text()) for path in paths]
    assert {(row["status"], row["reason"]) for row in rows} == {("ok", "")}
    assert {row["dataset"] for row in rows} == {"long", "short", "multi"}
    assert {row["num_videos"]["evaluated"] for row in rows} == {24}
    assert {row["seed"] for row in rows} == {0, 1}
    assert not [row for row in rows if any("AUDIT FAILED" in label for label in row["labels"])]
    methods = {path.parent.name for path in (REPOSITORY / "methods").glob("*/method.yaml")}
    assert {row["method"] for row in rows} == methods


def test_no_sound_is_decoded_that_nobody_asks_for(smoke):
    assert list(smoke[0].results.glob("data/*/sound")) == []
    assert list(smoke[0].results.glob("data/*/frames"))


def test_progress_and_logs_are_kept(smoke):
    run, _ = smoke
    logs = {path.name: path.read_text() for path in run.results.glob("logs/*.log")}
    assert len(logs) > 50
    assert [name for name, text in logs.items() if "done in" not in text] == []
    trained = [text for name, text in logs.items() if name.startswith("train-long-frameexit-")]
    assert trained
    assert all(" of " in text for text in trained)


def test_a_second_invocation_has_nothing_to_do(smoke):
    run, _ = smoke
    assert "Nothing to be done" in run.run_well()


def _command(run, *words):
    done = subprocess.run(
        [sys.executable, "-m", "benchmark", *words, "--profile", "smoke"],
        cwd=run.folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_table_1_is_printed(smoke):
    printed = _command(smoke[0], "show", "table1")
    assert "FrameExit" in printed
    assert "not run here" in printed


def test_every_file_is_of_a_kind_whose_damage_is_tried(smoke):
    assert unclaimed_files(smoke[0].results) == []


def test_every_number_can_be_derived_again(smoke):
    assert "tables and figures agree; derived again: " in _command(smoke[0], "verify")
