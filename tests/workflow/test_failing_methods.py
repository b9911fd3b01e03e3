"""A method is a folder: added, edited, broken, killed, mended and removed, it changes no other.

One folder of results goes through three runs; what each left is kept, and the tests look at that.
"""

import csv
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass

import pytest
from workflow_runs import Workflow, last_error
from written_methods import CONTROL, METHOD, changed, write_method

from benchmark.files.repository import REPOSITORY

pytestmark = pytest.mark.dag

# Name, what of METHOD is replaced, and what the row says.
FAILING = {
    "fails_in_import": ({"import torch\n": "import torch, unheard_of\n"}, "does not import"),
    "fails_in_training": (
        {"        return loss\n": "        return loss / (1 / 0)\n"},
        "training: ZeroDivisionError: division by zero",
    ),
    "fails_in_prediction": (
        {"        return features\n": "        raise RuntimeError('lost the thread')\n"},
        "prediction: RuntimeError: lost the thread",
    ),
    "gives_no_numbers": (
        {"self.layer(state)\n": "self.layer(state) * float('nan')\n"},
        "prediction: FloatingPointError: scores are not finite",
    ),
    "runs_an_unknown_op": (
        {"return features\n": "return torch.linalg.matrix_exp(features[:, :, None])\n"},
        "prediction: ",
    ),
}
GOOD = ("is_edited", "breaks", "is_killed")
KILLED = changed(METHOD, {"return loss": "import os; os.kill(os.getpid(), 9)"})


@dataclass(frozen=True)
class State:
    """What a run left.

    Attributes:
        rows: of Table 2, by row.
        tables: bytes of every csv, by name.
        times: when each file of training, prediction and evaluation was written.
        results: of the user's methods, by method.
        verified: exit code and output of `verify`.
    """

    code: int
    printed: str
    rows: dict[str, dict[str, str]]
    tables: dict[str, bytes]
    times: dict[str, int]
    results: dict[str, dict]
    verified: tuple[int, str]

    def written_since(self, earlier: "State") -> set[str]:
        """Return the methods of which a file was written after another run."""
        new = {name for name, time in self.times.items() if earlier.times.get(name) != time}
        return {name.split("/")[2] for name in new}


def _look(run, code=0, printed=""):
    paths = [path for path in run.results.glob("runs/**/*") if path.is_file()]
    results = {p.parts[-4]: p for p in paths if p.name == "result.json"}
    with (run.results / "tables" / "table2.csv").open(encoding="utf-8") as file:
        rows = {row["row"]: row for row in csv.DictReader(file) if row["kind"] != "published"}
    verified = subprocess.run(
        [sys.executable, "-m", "benchmark", "verify", "--profile", run.results.name],
        cwd=run.folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    return State(
        code=code,
        printed=printed,
        rows=rows,
        tables={path.name: path.read_bytes() for path in run.results.glob("*/*.csv")},
        times={str(p.relative_to(run.results)): p.stat().st_mtime_ns for p in paths},
        results={name: json.loads(path.read_text()) for name, path in results.items()},
        verified=(verified.returncode, verified.stdout),
    )


@pytest.fixture(scope="module")
def place(tiny_run, tmp_path_factory):
    """Return a copy of the finished run, and the folder of the user's methods that it reads."""
    folder = tmp_path_factory.mktemp("failures")
    shutil.copytree(tiny_run.folder, folder, dirs_exist_ok=True)
    own = tmp_path_factory.mktemp("own_methods")
    return Workflow(folder, tiny_run.profile, {"methods_path": str(own)}), own


@pytest.fixture(scope="module")
def states(place):
    """Return what was there before the user's methods, and what each of three runs left."""
    run, own = place
    before = _look(run)

    for name in GOOD:
        write_method(own, name, METHOD)
        (own / name / "weights.bin").write_bytes(b"first")
    exits = CONTROL.format(exits="test.exit_step + 100")
    write_method(own, "control_fails", exits, "control", "source: {method: frameexit}")
    for name, (change, _) in FAILING.items():
        write_method(own, name, changed(METHOD, change))
    added = _look(run, *run.run())

    for name in (*FAILING, "control_fails"):
        shutil.rmtree(own / name)
    write_method(own, "is_edited", changed(METHOD, {"[[0, 7]]": "[[3, 9]]"}))
    write_method(own, "breaks", changed(METHOD, FAILING["fails_in_prediction"][0]))
    write_method(own, "is_killed", KILLED)
    after = _look(run, *run.run())

    for name in ("is_edited", "breaks"):
        shutil.rmtree(own / name)
    write_method(own, "is_killed", METHOD)
    mended = _look(run, *run.run())
    return {"before": before, "added": added, "changed": after, "mended": mended}


@pytest.mark.parametrize(("name", "reason"), [(n, reason) for n, (_, reason) in FAILING.items()])
def test_a_failed_method_is_a_row_with_its_reason(states, name, reason):
    result = states["added"].results[name]
    assert (result["status"], result["metrics"], result["macs_per_video"]) == ("failed", {}, None)
    assert reason in result["reason"]
    assert reason in states["added"].rows[name]["status"]


def test_a_failed_control_is_a_row_too(states):
    result = states["added"].results["control_fails"]
    assert result["status"] == "failed"
    assert "IndexError" in result["reason"]


def test_the_exit_code_and_the_last_words_tell(states):
    added = states["added"]
    assert added.code != 0
    said = last_error(added.printed)
    assert said.startswith("error: outcome: ")
    assert "6 runs failed, their rows say so; first multi/control_fails/default" in said
    assert "Fix: mend the method and run the same command again" in said


def test_an_added_method_is_a_row_and_only_its_own_jobs_run(states):
    before, added = states["before"], states["added"]
    own = {*FAILING, *GOOD, "control_fails"}
    assert added.written_since(before) == own
    assert {name: added.rows[name] for name in before.rows} == before.rows
    assert added.rows.keys() - before.rows.keys() == own
    for name in GOOD:
        assert added.rows[name]["status"] == "measured"
        assert added.results[name]["frames_per_video"] == 2


def test_an_edited_method_alone_is_run_again(states):
    added, changed = states["added"], states["changed"]
    assert changed.written_since(added) == set(GOOD)
    assert changed.rows["is_edited"]["status"] == "measured"
    assert changed.rows["is_edited"]["percent"] != added.rows["is_edited"]["percent"]
    kept = changed.rows.keys() - set(GOOD)
    assert kept == states["before"].rows.keys()
    assert {name: changed.rows[name] for name in kept} == states["before"].rows


def test_a_method_that_breaks_says_why_and_keeps_no_number(states):
    row = states["changed"].rows["breaks"]
    assert row["status"] == "failed: prediction: RuntimeError: lost the thread"
    assert (row["percent"], row["gflops"]) == ("", "")


def test_a_job_that_dies_marks_its_rows(states):
    """The table job could not run; the tables were written all the same, without the old number."""
    row = states["changed"].rows["is_killed"]
    assert row["status"].startswith("missing: train-multi-is_killed-0: the job died without a word")
    assert "(log: results/tiny/logs/train-multi-is_killed-0.log)" in row["status"]
    assert (row["percent"], row["gflops"]) == ("", "")
    assert len(states["changed"].tables) == len(states["before"].tables)


def test_a_job_that_dies_has_the_last_word(states):
    assert states["changed"].code != 0
    said = last_error(states["changed"].printed)
    assert said.startswith("error: train-multi-is_killed-0: the job died without a word")


def test_a_mended_method_has_its_number_again_and_removed_ones_have_no_row(states):
    added, mended = states["added"], states["mended"]
    assert mended.code == 0, mended.printed[-3000:]
    assert mended.written_since(states["changed"]) == {"is_killed"}
    expected = {**states["before"].rows, "is_killed": added.rows["is_killed"]}
    assert mended.rows == expected


def test_an_edit_of_any_file_of_a_method_reruns_its_training_and_no_other(states, place):
    run, own = place
    assert states["mended"].code == 0
    folder = own / "is_killed"
    (folder / "__pycache__").mkdir(exist_ok=True)
    for name in ("README.md", "__pycache__/method.cpython-311.pyc"):
        (folder / name).write_text("changes nothing")
    assert run.planned_jobs() == set()
    jobs = {"train-multi-is_killed-0", "evaluate-multi-is_killed"}
    (folder / "classes.json").write_text("[]")
    added = run.planned_jobs()
    (folder / "classes.json").unlink()
    (folder / "weights.bin").write_bytes(b"second")
    for planned in (added, run.planned_jobs()):
        assert jobs <= planned
        others = planned - jobs
        assert not {name for name in others if name.startswith(("train", "control", "evaluate"))}


def test_verify_knows_which_tables_miss_a_result(states):
    for name in ("before", "added", "mended"):
        assert states[name].verified[0] == 0, states[name].verified[1]
    code, said = states["changed"].verified
    stale = [line for line in said.splitlines() if "STALE" in line]
    assert code == 1
    assert [line.split()[0] for line in stale] == ["table2"]
    assert "runs/multi/is_killed/" in stale[0]
    left_over = "ignored: results/tiny/runs/multi/fails_in_import/default/seed0/result.json"
    assert left_over in said


def test_a_name_that_exists_twice_is_an_error(tiny_run, tmp_path):
    write_method(tmp_path, "frameexit", METHOD)
    run = Workflow(tmp_path / "run", tiny_run.profile, {"methods_path": str(tmp_path)})
    code, printed = run.run()
    assert code != 0
    assert "method 'frameexit' exists twice" in last_error(printed)
    assert not run.results.exists()


def test_a_row_that_two_variants_claim_is_an_error_before_any_job(tiny_run, tmp_path):
    write_method(tmp_path, "mine", METHOD)
    path = tmp_path / "mine" / "method.yaml"
    path.write_text(changed(path.read_text(), {"table2: mine": "table2: frameexit_1e-4"}))
    run = Workflow(tmp_path / "run", tiny_run.profile, {"methods_path": str(tmp_path)})
    code, printed = run.run()
    assert code != 0
    assert "row 'frameexit_1e-4' of table2 is already that of frameexit/default" in last_error(
        printed
    )
    assert not run.results.exists()
