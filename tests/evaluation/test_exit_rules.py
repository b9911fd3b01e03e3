"""Exit rules and controls on steps written by hand."""

import numpy as np
import pytest

from benchmark.evaluation.exits import earliest_correct_step, first_above, threshold_for_budget
from benchmark.methods.loading import load_method
from benchmark.step_records import StepRecords

NAN = float("nan")
VALUES = np.array([[0.1, 0.6, 0.9, NAN], [0.7, 0.2, 0.1, NAN], [0.1, 0.2, 0.3, NAN]])


def _steps(scores, values=None, exit_step=None):
    scores = np.asarray(scores, dtype=np.float32)
    num, num_steps, _ = scores.shape
    ones = np.ones((num, num_steps, 3), dtype=np.int64)
    return StepRecords(
        video_ids=np.array([f"v{i}" for i in range(num)]),
        scores=scores,
        exit_values=np.asarray(values if values is not None else np.full(scores.shape[:2], NAN)),
        exit_step=np.asarray(exit_step if exit_step is not None else np.full(num, num_steps)),
        frames_opened=np.tile(np.arange(1, num_steps + 1), (num, 1)),
        last_opened=np.tile(np.arange(num_steps), (num, 1)),
        pixels_fed=np.tile(np.arange(1, num_steps + 1) * 64, (num, 1)),
        positions=np.tile(np.arange(num_steps), (num, 1)),
        components=("backbone", "gate", "classifier"),
        step_macs=ones * [100, 10, 0],
        exit_macs=ones * [0, 0, 1],
    )


@pytest.fixture
def control(methods):
    def make(name, **params):
        kind = load_method(methods[name])
        return kind(kind.Params(**params))

    return make


@pytest.mark.parametrize(
    ("threshold", "exits"),
    [(0.0, [1, 1, 1]), (0.5, [2, 1, 4]), (0.6, [3, 1, 4]), (0.25, [2, 1, 3]), (1.0, [4, 4, 4])],
)
def test_the_first_value_above_a_threshold_stops(threshold, exits):
    assert first_above(VALUES, threshold).tolist() == exits


def test_a_budget_is_met_as_nearly_as_any_threshold_can():
    rng = np.random.default_rng(0)
    for trial in range(40):
        values = rng.random((30, 8)).round(1 + trial % 3)  # with and without ties
        values[:, -1] = NAN
        budget = rng.uniform(0.5, 8.5)
        levels = [-np.inf, *np.unique(values[:, :-1])]
        best = min(abs(first_above(values, level).mean() - budget) for level in levels)
        chosen = threshold_for_budget(values, budget)
        assert abs(first_above(values, chosen).mean() - budget) == pytest.approx(best)


@pytest.mark.parametrize(
    ("scores", "target", "step"),
    [
        ([[0.6, 0.4], [0.2, 0.8]], 0, 1),
        ([[0.6, 0.4], [0.2, 0.8]], 1, 2),
        ([[0.5, 0.5], [0.4, 0.6], [0.9, 0.1]], 0, 3),  # a tie is not right yet
        ([[0.1, 0.9], [0.2, 0.8]], 0, 2),  # never right: all steps
    ],
)
def test_the_earliest_correct_step(scores, target, step):
    assert earliest_correct_step(np.array([scores]), np.array([target])).tolist() == [step]


def test_with_several_labels_all_must_lead():
    scores = np.array([[[0.9, 0.1, 0.5], [0.9, 0.6, 0.5], [0.2, 0.6, 0.5]]])
    assert earliest_correct_step(scores, np.array([[1, 1, 0]])).tolist() == [2]
    assert earliest_correct_step(scores, np.array([[1, 0, 0]])).tolist() == [1]
    assert earliest_correct_step(scores, np.array([[0, 0, 0]])).tolist() == [1]


def test_oracle_exit_reads_the_labels(control):
    steps = _steps([[[0.9, 0.1], [0.1, 0.9]], [[0.9, 0.1], [0.1, 0.9]]])
    exits = control("oracle_exit").exit_steps(steps, None, np.array([0, 1]), 0)
    assert exits.tolist() == [1, 2]


def test_random_exit_keeps_the_histogram(control):
    exit_step = np.random.default_rng(1).integers(1, 5, 200)
    steps = _steps(np.zeros((200, 4, 2)), exit_step=exit_step)
    exits = control("random_exit").exit_steps(steps, None, np.zeros(200), 7)
    assert sorted(exits) == sorted(exit_step)
    assert (exits != exit_step).mean() > 0.5
    again = control("random_exit").exit_steps(steps, None, np.zeros(200), 7)
    other = control("random_exit").exit_steps(steps, None, np.zeros(200), 8)
    assert (again == exits).all()
    assert (other != exits).any()


@pytest.mark.parametrize(("num_frames", "step"), [(1, 1), (3, 3), (4, 4), (10, 4)])
def test_fixed_budget_is_the_same_for_all(control, num_frames, step):
    chosen = control("fixed_budget", num_frames=num_frames)
    steps = _steps(np.zeros((3, 4, 2)))
    exits = chosen.exit_steps(steps, None, np.zeros(3), 0)
    assert exits.tolist() == [step] * 3
    cost = steps.exiting_at(exits, charged=chosen.charged, uncharged=chosen.uncharged)
    assert cost.macs().tolist() == [100 * step + 1] * 3  # no gate runs


def test_confidence_exit_learns_its_threshold_on_train_scores_alone(control):
    rng = np.random.default_rng(2)
    confidence = rng.uniform(0.5, 1, (2, 400, 5))
    test, train = (_steps(np.stack([c, 1 - c], -1)) for c in confidence)
    chosen = control("confidence_exit", target_frames=2.5)
    exits = chosen.exit_steps(test, train, np.zeros(400), 0)
    assert exits.mean() == pytest.approx(2.5, abs=0.25)
    threshold = threshold_for_budget(train.scores.max(-1), 2.5)
    assert (exits == first_above(test.scores.max(-1), threshold)).all()
    assert threshold != threshold_for_budget(test.scores.max(-1), 2.5)
    cost = test.exiting_at(exits, charged=chosen.charged, uncharged=chosen.uncharged)
    assert (cost.macs() == exits * 101).all()  # the classifier at each step, no gate


def test_confidence_exit_takes_the_sources_budget_if_none_is_given(control):
    rng = np.random.default_rng(3)
    confidence = rng.uniform(0.5, 1, (400, 5))
    steps = _steps(np.stack([confidence, 1 - confidence], -1), exit_step=np.full(400, 2))
    exits = control("confidence_exit").exit_steps(steps, steps, np.zeros(400), 0)
    assert exits.mean() == pytest.approx(2, abs=0.02)


def test_frameexit_at_a_budget_moves_the_gates_threshold(control):
    values = np.random.default_rng(4).random((500, 8))
    values[:, -1] = NAN
    steps = _steps(np.zeros((500, 8, 2)), values=values)
    means = []
    for budget in (3, 4, 6, 7):
        chosen = control("frameexit_budget", mean_frames=budget)
        exits = chosen.exit_steps(steps, None, np.zeros(500), 0)
        means.append(exits.mean())
        cost = steps.exiting_at(exits, charged=chosen.charged, uncharged=chosen.uncharged)
        assert (cost.macs() == exits * 110 + 1).all()  # its gates run
    np.testing.assert_allclose(means, [3, 4, 6, 7], atol=0.02)
