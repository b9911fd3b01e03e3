"""Metrics equal scikit-learn's, with ties, absent classes and several labels a video."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score

from benchmark.errors import BenchmarkError
from benchmark.evaluation.metrics import (
    average_precision,
    evaluate,
    macro_f1,
    mean_average_precision,
    top1,
)

# (videos, classes, number of different scores or 0 for untied ones)
SIZES = [(1, 3, 2), (7, 2, 2), (40, 5, 3), (40, 30, 0), (300, 12, 4), (300, 12, 0)]


def random_case(num_videos, num_classes, num_levels, multi_label, seed=0):
    """Scores with ties; the last class is never shown, and some others by chance."""
    generator = np.random.default_rng([num_videos, num_classes, num_levels, seed])
    scores = generator.random((num_videos, num_classes)).astype(np.float32)
    if num_levels:
        scores = np.floor(scores * num_levels) / np.float32(num_levels)
    if not multi_label:
        return scores, generator.integers(num_classes - 1, size=num_videos)
    targets = (generator.random((num_videos, num_classes)) < 0.3).astype(np.int64)
    targets[:, -1] = 0
    return scores, targets


def one_hot(scores, targets):
    return targets if targets.ndim == 2 else np.eye(scores.shape[1], dtype=np.int64)[targets]


@pytest.mark.parametrize("multi_label", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_average_precision_equals_scikit_learn(size, multi_label):
    scores, targets = random_case(*size, multi_label)
    labels = one_hot(scores, targets)
    shown = np.flatnonzero(labels.any(axis=0))
    expected = [average_precision_score(labels[:, c], scores[:, c]) for c in shown]
    found = [average_precision(scores[:, c], labels[:, c].astype(bool)) for c in shown]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    mean = np.mean(expected) if expected else 0.0
    assert mean_average_precision(scores, targets) == pytest.approx(mean, abs=1e-12)


@pytest.mark.parametrize("multi_label", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_macro_f1_equals_scikit_learn_over_the_shown_classes(size, multi_label):
    scores, targets = random_case(*size, multi_label)
    labels = one_hot(scores, targets)
    shown = np.flatnonzero(labels.any(axis=0))
    answers = (scores >= 0.5).astype(int) if multi_label else scores.argmax(axis=1)
    expected = (
        f1_score(targets, answers, labels=shown, average="macro", zero_division=0)
        if len(shown)
        else 0.0
    )
    assert macro_f1(scores, targets) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("scores", "targets", "expected"),
    [
        ([[0.9, 0.1], [0.2, 0.8]], [0, 0], 0.5),
        ([[0.5, 0.5], [0.5, 0.5]], [0, 1], 0.5),  # the first of tied classes
        ([[0.1, 0.9, 0.2]], [[1, 1, 0]], 1.0),  # one of the labels is enough
        ([[0.9, 0.1, 0.2]], [[0, 1, 1]], 0.0),
        ([[0.9, 0.1], [0.9, 0.1]], [[0, 0], [1, 0]], 0.5),  # without labels never right
    ],
)
def test_top1(scores, targets, expected):
    assert top1(np.array(scores), np.array(targets)) == expected


@pytest.mark.parametrize(
    ("scores", "positives", "expected"),
    [
        ([3, 2, 1], [1, 0, 0], 1.0),
        ([3, 2, 1], [0, 0, 1], 1 / 3),
        ([3, 2, 1], [1, 0, 1], (1 + 2 / 3) / 2),
        ([1, 1, 1, 1], [1, 0, 0, 0], 1 / 4),  # tied scores form one threshold
        ([2, 1], [0, 0], 0.0),
    ],
)
def test_average_precision_by_hand(scores, positives, expected):
    found = average_precision(np.array(scores, dtype=float), np.array(positives, dtype=bool))
    assert found == pytest.approx(expected)


@given(st.integers(1, 30), st.integers(2, 6), st.integers(0, 4), st.booleans(), st.integers(0, 99))
def test_metrics_are_shares_and_ignore_the_order_of_videos(
    num_videos, num_classes, num_levels, multi_label, seed
):
    scores, targets = random_case(num_videos, num_classes, num_levels, multi_label, seed)
    found = evaluate(scores, targets)
    assert set(found) == {"map", "top1", "macro_f1"}
    assert all(0 <= value <= 1 for value in found.values())
    order = np.random.default_rng(seed).permutation(num_videos)
    assert evaluate(scores[order], targets[order]) == pytest.approx(found, abs=1e-12)


def test_a_perfect_ranking_is_perfect():
    targets = np.array([0, 1, 2, 0])
    scores = np.eye(4)[targets]
    assert evaluate(scores, targets) == {"map": 1.0, "top1": 1.0, "macro_f1": 1.0}


def test_each_category_weighs_the_same_and_those_that_are_not_shown_nothing():
    scores, targets = random_case(300, 12, 4, multi_label=True)
    categories = ["object"] * 7 + ["action"] * 2 + ["event"] * 2 + ["scene"]
    targets[:, 9:] = 0  # no video shows an event or a scene
    found = evaluate(scores, targets, categories)
    parts = [(scores[:, part], targets[:, part]) for part in (slice(0, 7), slice(7, 9))]
    means = [mean_average_precision(*part) for part in parts]
    assert found["category_map"] == pytest.approx(np.mean(means), abs=1e-12)
    assert found["map"] == pytest.approx((7 * means[0] + 2 * means[1]) / 9, abs=1e-12)
    assert found["map"] != pytest.approx(found["category_map"], abs=1e-3)
    assert {**evaluate(scores, targets), "category_map": found["category_map"]} == found
    assert evaluate(scores, 0 * targets, categories)["category_map"] == 0.0


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (np.empty((0, 3)), "there is no video to evaluate"),
        (np.array([[0.1, np.nan], [0.3, 0.4]]), "1 of 2 videos have scores that are not finite"),
        (np.array([[0.1, np.inf], [0.3, 0.4]]), "1 of 2 videos have scores that are not finite"),
    ],
)
def test_nothing_is_computed_from_nothing_or_from_nan(scores, message):
    with pytest.raises(BenchmarkError, match=message):
        evaluate(scores, np.zeros(len(scores), dtype=int))
