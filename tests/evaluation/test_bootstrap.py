"""Weighted metrics equal the plain ones on videos that are really repeated."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.evaluation import bootstrap
from benchmark.evaluation.bootstrap import dataset_resamples, replicate_metric, resamples
from benchmark.evaluation.metrics import mean_average_precision, top1

METRICS = {"map": mean_average_precision, "top1": top1}


def repeated(metric, scores, targets, weights):
    """The metric on the rows themselves, each as often as its resample drew it."""
    rows = [np.repeat(np.arange(len(scores)), counts) for counts in weights]
    return [METRICS[metric](scores[drawn], targets[drawn]) for drawn in rows]


@pytest.mark.parametrize("metric", METRICS)
@given(
    num_videos=st.integers(1, 40),
    num_classes=st.integers(2, 8),
    num_levels=st.sampled_from([1, 2, 5, 1 << 20]),
    multi_label=st.booleans(),
    seed=st.integers(0, 999),
)
def test_replicates_equal_the_metric_of_repeated_videos(
    *, metric, num_videos, num_classes, num_levels, multi_label, seed
):
    generator = np.random.default_rng(seed)
    scores = generator.integers(num_levels, size=(num_videos, num_classes)) / num_levels
    scores = scores.astype(np.float32)
    targets = (
        generator.random((num_videos, num_classes)) < 0.25
        if multi_label
        else generator.integers(num_classes, size=num_videos)
    )
    weights = resamples(num_videos, 6, seed)
    found = replicate_metric(metric, scores, targets, weights)
    expected = repeated(metric, scores, targets, weights)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("metric", METRICS)
def test_every_video_once_is_the_metric_itself(metric):
    generator = np.random.default_rng(3)
    scores, targets = generator.random((50, 6)), generator.integers(6, size=50)
    found = replicate_metric(metric, scores, targets, np.ones((2, 50), dtype=np.int32))
    np.testing.assert_allclose(found, METRICS[metric](scores, targets), rtol=0, atol=1e-12)


def test_blocks_change_nothing(monkeypatch):
    generator = np.random.default_rng(4)
    scores, targets = generator.random((30, 4)), generator.random((30, 4)) < 0.3
    weights = resamples(30, 25, 0)
    whole = replicate_metric("map", scores, targets, weights)
    monkeypatch.setattr(bootstrap, "_BLOCK_BYTES", 2 * 30 * 7)  # 6, 6, 6 and 7 replicates
    np.testing.assert_array_equal(replicate_metric("map", scores, targets, weights), whole)


@pytest.mark.parametrize("num_replicates", [1, 2, 3, 5, 9, 1000, 1001])
@pytest.mark.parametrize("bytes_each", [1, 1 << 18, 1 << 25, 1 << 40])
def test_parts_are_all_resamples_and_none_is_alone(num_replicates, bytes_each):
    parts = bootstrap._parts(num_replicates, bytes_each)
    whole = [number for part in parts for number in range(num_replicates)[part]]
    assert whole == list(range(num_replicates))
    assert all(part.stop - part.start > 1 for part in parts) or num_replicates == 1
    assert len(parts) == 1 or num_replicates * bytes_each > bootstrap._BLOCK_BYTES


@pytest.mark.parametrize("kind", [np.uint16, np.float32, np.float64])
def test_sums_of_weights_are_exact_in_every_type_that_is_used(monkeypatch, kind):
    generator = np.random.default_rng(5)
    scores, targets = generator.random((300, 4)).round(2), generator.random((300, 4)) < 0.3
    weights = resamples(300, 20, 0)
    whole = replicate_metric("map", scores, targets, weights)
    monkeypatch.setattr(bootstrap, "_smallest_exact", lambda num_videos: np.dtype(kind))
    np.testing.assert_array_equal(replicate_metric("map", scores, targets, weights), whole)


@pytest.mark.parametrize("num_videos", [1, 65_535, 65_536, (1 << 24) - 1, 1 << 24])
def test_a_type_holds_the_weights_of_all_videos_together(num_videos):
    kind = bootstrap._smallest_exact(num_videos)
    for total in (num_videos, num_videos - 1):
        assert int(kind.type(total)) == total


def test_resamples_are_draws_with_replacement_and_repeatable():
    weights = resamples(200, 400, 7)
    assert weights.dtype == np.int32
    assert (weights.sum(axis=1) == 200).all()
    assert (weights >= 0).all()
    # Poisson-like: the share of videos left out is 1/e, and each is drawn once on average.
    assert (weights == 0).mean() == pytest.approx(np.exp(-1), abs=0.01)
    assert weights.mean(axis=0) == pytest.approx(np.ones(200), abs=0.25)
    np.testing.assert_array_equal(weights, resamples(200, 400, 7))
    np.testing.assert_array_equal(weights[:10], resamples(200, 10, 7))
    assert (weights != resamples(200, 400, 8)).any()


def test_the_spread_of_replicates_is_the_binomial_standard_error():
    correct = np.arange(400) % 4 > 0  # 3 of 4 videos are right
    scores = np.stack([~correct, correct], axis=1).astype(float)
    spread = replicate_metric(
        "top1", scores, np.ones(400, dtype=int), resamples(400, 2000, 0)
    ).std()
    assert spread == pytest.approx(np.sqrt(0.75 * 0.25 / 400), rel=0.1)


def test_runs_of_a_dataset_are_paired_because_they_share_the_resamples_of_its_videos():
    videos = tuple(f"video{number}" for number in range(20))
    drawn = dataset_resamples("mini", videos, 8)
    dataset_resamples("another", videos, 8)  # what is kept in memory is drawn anew
    np.testing.assert_array_equal(dataset_resamples("mini", videos, 8), drawn)
    np.testing.assert_array_equal(dataset_resamples("mini", videos, 3), drawn[:3])
    for dataset, ids in (("another", videos), ("mini", videos[::-1]), ("mini", (*videos, "last"))):
        other = dataset_resamples(dataset, ids, 8)
        assert other.shape != drawn.shape or (other != drawn).any()
    with pytest.raises(ValueError, match="read-only"):
        drawn[0] = 0
