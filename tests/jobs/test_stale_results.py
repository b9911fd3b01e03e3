"""What goes before a run, and what is written after jobs that died."""

import json

import pytest

from benchmark.config.load import load_config
from benchmark.evaluation.result import Result
from benchmark.experiment.layout import Layout, RunKey
from benchmark.experiment.plan import make_plan
from benchmark.files.repository import REPOSITORY
from benchmark.jobs.stale_results import cause_of_death, mark_missing, withdraw, withdraw_tables
from benchmark.reporting.tables.measurements import measure

SMOKE = REPOSITORY / "config" / "smoke.yaml"


@pytest.fixture
def plan(tmp_path):
    return make_plan(load_config(SMOKE, {"results": str(tmp_path / "results")}))


def _write(path, text="x"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("3 of 9\ntrain long mine: done in 3.0 s\n", ""),
        ("error: train long mine: OSError: no space\n", "train long mine: OSError: no space"),
        (
            "3 of 9\nerror: train: 2 faults:\n  - one\n  - two\n",
            "train: 2 faults:\n  - one\n  - two",
        ),
        ("error: train: 2 faults:\n  - one\nexit code 1\n", "train: 2 faults:\n  - one"),
        ("3 of 9\nexit code 137\n", "train-long-mine: the job died without a word: killed, or"),
        ("exit code 137\n", "train-long-mine: the job died without a word: killed, or"),
        ("exit code 143\n", "train-long-mine: the job was ended by signal 15 (SIGTERM)"),
        ("exit code 127\n", "train-long-mine: exit code 127: there is no such command"),
        ("3 of 9\nexit code 3\n", "train-long-mine: exit code 3, and no cause in the log"),
        ("3 of 9\n", "train-long-mine: the job was cut off, with all that could have said why"),
    ],
    ids=[
        *("ended well", "failed", "failed in several lines", "failed, and the shell says so"),
        *("killed", "killed at once", "ended by a signal", "not found", "ended by itself"),
        "cut off with its shell",
    ],
)
def test_a_log_says_how_its_job_ended(tmp_path, text, cause):
    said = cause_of_death(_write(tmp_path / "train-long-mine.log", text))
    assert said.startswith(cause)
    assert bool(said) == bool(cause)


def test_a_job_that_never_began_has_no_cause(tmp_path):
    assert cause_of_death(tmp_path / "train-long-mine.log") == ""


def test_results_go_and_what_they_are_made_of_stays(plan):
    layout = Layout.of(plan.config)
    folder = RunKey("long", "frameexit", "default", 0).folder(layout.runs)
    gone = [_write(folder / name) for name in ("result.json", "replicates.npy")]
    gone.append(_write(layout.results_index("long", "frameexit")))
    gone += [_write(layout.tables / "table1.csv"), _write(layout.figures / "figure3.png")]
    kept = [
        _write(folder / "predictions.parquet"),
        _write(layout.stage_index("long", "frameexit", "training", [0])),
        _write(RunKey("long", "random_k", "default", 0).folder(layout.runs) / "result.json"),
    ]
    withdraw(plan.config, "long", "frameexit")
    layout = Layout.of(plan.config)
    for name in ("report.html", "report.sources.json"):
        (layout.root / name).write_text("old")
    withdraw_tables(plan.config)
    assert not list(layout.root.glob("report.*"))
    assert not any(path.exists() for path in gone)
    assert all(path.exists() for path in kept)


def test_missing_results_name_the_log_of_the_job_that_died_and_blame_no_method(plan):
    layout = Layout.of(plan.config)
    for pair in plan.variants:
        if pair[1] not in {"frameexit", "random_exit"} or pair[0] != "long":
            _write(layout.results_index(*pair), json.dumps([]))
    seeds = "-".join(map(str, plan.seed_blocks("long", "frameexit")[0]))
    log = _write(layout.logs / f"train-long-frameexit-{seeds}.log", "exit code 137\n")
    marked = mark_missing(plan)
    assert {key.method for key in marked} == {"frameexit", "random_exit"}
    for key in marked:  # the control re-reads what died
        result = Result.load(key.folder(layout.runs) / "result.json")
        assert result.status == "missing"
        assert result.reason.startswith(f"train-long-frameexit-{seeds}: the job died")
        assert f"(log: {log})" in result.reason
    assert not layout.results_index("long", "frameexit").exists()
    outcome = measure(plan.config, "long", "frameexit", "default")
    assert (outcome.measurement, outcome.status[:8]) == (None, "missing:")


def test_where_nothing_has_run_nothing_is_marked(plan):
    assert mark_missing(plan) == []
    assert not Layout.of(plan.config).root.exists()
