"""Rows of a run survive a file, and another exit rule's cost is what a run with it costs."""

import subprocess
import sys
from dataclasses import fields, replace

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from benchmark.contract import EarlyExit, Task
from benchmark.errors import BenchmarkError
from benchmark.evaluation.early_exit import predict_steps
from benchmark.experiment.layout import RunKey
from benchmark.step_records import StepRecords, concatenate


class Answering(EarlyExit):
    """Stops where a table says; its parts cost different amounts at different steps."""

    def __init__(self, exits=None, confidence_at_each_step=False):
        super().__init__(Task(("a", "b"), False, 6, 4), None)
        self.layers = torch.nn.ModuleList(torch.nn.Linear(6, step + 2) for step in range(6))
        self.classifiers = torch.nn.ModuleList(torch.nn.Linear(step + 2, 2) for step in range(6))
        self.judge = torch.nn.Linear(6, 1)
        self.exits, self.confident = exits, confidence_at_each_step

    num_steps = 6
    stages = ()

    def loss(self, stage, videos):
        raise AssertionError("not trained")

    def visit(self, videos):
        return torch.arange(6).expand(len(videos), 6)

    def step(self, step, features, state, videos):
        with videos.component("body"):
            hidden = self.layers[step - 1](features)
        return (features, hidden, torch.as_tensor(videos.keys.astype(np.int64)))

    def exit_value(self, step, state, videos):
        features, _, keys = state
        if self.confident:
            self.classify(step, state, videos)
        else:
            with videos.component("gate"):
                value = self.judge(features)[:, 0].sigmoid()
        if self.exits is None:
            return value
        return torch.tensor([float(self.exits[int(key)] == step) for key in keys])

    def classify(self, step, state, videos):
        with videos.component("classifier"):
            return self.classifiers[step - 1](state[1]).softmax(-1)


def _run(videos, rows=None, **how):
    torch.manual_seed(0)
    rows = range(len(videos.features)) if rows is None else rows
    ids = [videos.ids[row] for row in rows]
    return predict_steps(Answering(**how).eval(), lambda meter: videos.batch(rows, meter), ids)


def _same(one, other):
    for field in fields(StepRecords):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, np.ndarray):
            assert a.dtype.kind == b.dtype.kind
            np.testing.assert_array_equal(a, b)
        else:
            assert a == b
    return True


@pytest.fixture
def videos(memory_videos):
    return memory_videos(num=10, num_classes=2)


def test_rows_survive_a_file(videos, tmp_path):
    steps = _run(videos)
    steps.save(tmp_path / "run" / "predictions.parquet")
    assert _same(StepRecords.load(tmp_path / "run" / "predictions.parquet"), steps)


def test_a_file_says_the_main_things_in_plain_columns(videos, tmp_path):
    steps = _run(videos)
    steps.save(tmp_path / "rows.parquet")
    table = pq.read_table(tmp_path / "rows.parquet").to_pandas()
    assert table["video_id"].tolist() == videos.ids
    assert (table["exit_step"] == steps.exit_step).all()
    assert (table["frames_opened"] == steps.frames_at_exit()).all()
    spent = sum(table[f"macs_{name}"] for name in steps.components)
    assert (spent == steps.macs()).all()


def test_the_same_rows_are_the_same_bytes(videos, tmp_path):
    for name in ("one", "two"):
        _run(videos).save(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize("content", [None, b"", b"not rows", "another table"])
def test_a_file_that_holds_no_rows_is_explained(tmp_path, content):
    path = tmp_path / "predictions.parquet"
    if content == "another table":
        code = "import pandas as p, sys; p.DataFrame({'a': [1]}).to_parquet(sys.argv[1])"
        subprocess.run([sys.executable, "-c", code, str(path)], check=True)
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(BenchmarkError, match=r"predictions.parquet: no readable.*workflow again"):
        StepRecords.load(path)


@pytest.mark.parametrize("last", [1, 4, 6])
def test_another_exit_rule_costs_what_a_run_with_it_costs(videos, last):
    keys = videos.batch().keys.astype(np.int64)
    exits = np.random.default_rng(last).integers(1, last + 1, 10)
    real = _run(videos, exits=dict(zip(keys.tolist(), exits.tolist(), strict=True)))
    derived = _run(videos).exiting_at(exits)
    assert (real.exit_step == exits).all()
    assert (derived.macs_by_component() == real.macs_by_component()).all()
    assert (derived.exit_scores() == real.exit_scores()).all()
    assert (derived.frames_at_exit() == real.frames_at_exit()).all()
    assert (derived.macs() > 0).all()


def test_a_rule_that_asks_for_confidence_is_charged_the_classifier_at_each_step(videos):
    """The gates are not run then: the cost is that of a method which really does so."""
    keys = videos.batch().keys.astype(np.int64)
    exits = np.array([1, 2, 3, 4, 5, 6, 6, 1, 3, 6])
    table = dict(zip(keys.tolist(), exits.tolist(), strict=True))
    derived = _run(videos).exiting_at(exits, charged=("classifier",), uncharged=("gate",))
    names = derived.components
    expected = np.zeros((10, len(names)), dtype=np.int64)
    for number, exit_step in enumerate(exits):
        steps = range(1, exit_step + 1)
        expected[number, names.index("backbone")] = 1_000_003 * exit_step
        expected[number, names.index("body")] = sum(6 * (t + 1) for t in steps)
        expected[number, names.index("classifier")] = sum(2 * (t + 1) for t in steps)
    assert (derived.macs_by_component() == expected).all()
    # One that answers before it decides pays the answer at its exit twice, but for the last step.
    real = _run(videos, exits=table, confidence_at_each_step=True)
    twice = np.array([2 * (t + 1) if t < 6 else 0 for t in exits])
    assert (real.macs() - derived.macs() == twice).all()


def test_the_original_is_not_changed(videos):
    steps = _run(videos)
    before = replace(steps, step_macs=steps.step_macs.copy(), exit_macs=steps.exit_macs.copy())
    steps.exiting_at(np.ones(10, dtype=np.int64), charged=("classifier",), uncharged=("gate",))
    assert _same(steps, before)


def test_batches_join_by_component(videos):
    whole = _run(videos)
    first, second = _run(videos, range(4)), _run(videos, range(4, 10))
    at = first.components.index("gate")
    turned = replace(
        first,
        components=(*first.components[:at], *first.components[at + 1 :], "gate"),
        step_macs=np.concatenate(
            [np.delete(first.step_macs, at, -1), first.step_macs[..., [at]]], -1
        ),
        exit_macs=np.concatenate(
            [np.delete(first.exit_macs, at, -1), first.exit_macs[..., [at]]], -1
        ),
    )
    joined = concatenate([turned, second])
    assert joined.video_ids.tolist() == whole.video_ids.tolist()
    for name in whole.components:
        a, b = joined.components.index(name), whole.components.index(name)
        assert (joined.macs_by_component()[:, a] == whole.macs_by_component()[:, b]).all()


@pytest.mark.parametrize("bytes_a_group", [1, 200, 1 << 25], ids="{} bytes a group".format)
def test_answers_alone_are_those_of_all_scores(videos, tmp_path, monkeypatch, bytes_a_group):
    monkeypatch.setattr("benchmark.step_records._BYTES_A_GROUP", bytes_a_group)
    _run(videos).save(tmp_path / "rows.parquet")
    groups = pq.ParquetFile(tmp_path / "rows.parquet").num_row_groups
    assert groups == {1: 10, 200: 3, 1 << 25: 1}[bytes_a_group]
    whole = StepRecords.load(tmp_path / "rows.parquet")
    assert _same(whole, _run(videos))
    answers = StepRecords.load(tmp_path / "rows.parquet", answers_only=True)
    assert len(set(answers.exit_step.tolist())) > 1
    assert answers.scores.shape == (10, 1, 2)
    assert answers.num_steps == whole.num_steps
    assert (answers.exit_scores() == whole.exit_scores()).all()
    assert _same(replace(answers, scores=whole.scores), whole)


def test_a_run_has_one_folder(tmp_path):
    key = RunKey("long", "frameexit", "beta_1e-4", 3)
    assert key.folder(tmp_path) == tmp_path / "long" / "frameexit" / "beta_1e-4" / "seed3"
