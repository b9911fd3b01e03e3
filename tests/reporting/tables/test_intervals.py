import numpy as np
import pytest

from benchmark.evaluation.bootstrap import replicate_metric, resamples
from benchmark.evaluation.metrics import mean_average_precision
from benchmark.reporting.tables.intervals import interval, seed_draws


def test_the_interval_equals_a_loop_over_the_replicates():
    replicates = np.random.default_rng(0).normal(size=(3, 500))
    draws = seed_draws(3, 500)
    means = [np.mean([replicates[s, b] for s in draws[b]]) for b in range(500)]
    expected = np.percentile(means, [2.5, 97.5]) - np.mean(means) + 7.0
    assert interval(7.0, replicates) == pytest.approx(expected, abs=1e-12)


def test_one_seed_leaves_the_spread_of_the_videos():
    low, high = interval(5.0, np.random.default_rng(1).normal(5.0, 2.0, size=(1, 200_000)))
    assert (low, high) == pytest.approx((5 - 1.96 * 2, 5 + 1.96 * 2), abs=0.05)


def test_seeds_alone_spread_as_the_mean_of_their_resamples():
    by_seed = np.random.default_rng(2).normal(size=40)
    low, high = interval(0.0, np.repeat(by_seed[:, None], 20_000, axis=1))
    half = 1.96 * by_seed.std() / np.sqrt(40)  # the bootstrap's variance of a mean
    assert (high - low) / 2 == pytest.approx(half, rel=0.03)


def test_the_interval_holds_the_value_where_resamples_raise_the_metric():
    rng = np.random.default_rng(3)
    scores, targets = rng.random((24, 12)), np.arange(24) % 12
    measured = mean_average_precision(scores, targets)
    replicates = replicate_metric("map", scores, targets, resamples(24, 2000, 0))
    assert np.quantile(replicates, 0.1) > measured  # repeated positives rank each other up
    low, high = interval(measured, replicates[None])
    assert low < measured < high
    assert high - low == pytest.approx(np.ptp(np.quantile(replicates, [0.025, 0.975])))


def test_the_draws_are_fixed_and_their_beginning_does_not_depend_on_their_number():
    np.testing.assert_array_equal(seed_draws(5, 100), seed_draws(5, 1000)[:100])
    assert set(np.unique(seed_draws(5, 100))) == set(range(5))
