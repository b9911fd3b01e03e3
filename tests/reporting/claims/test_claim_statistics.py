"""Statistics of exits, against sums by hand and against scipy."""

from dataclasses import fields, replace

import numpy as np
import pytest
from scipy.stats import linregress, spearmanr

from benchmark.evaluation.bootstrap import resamples
from benchmark.evaluation.exits import correct_by_step
from benchmark.evaluation.metrics import average_precision
from benchmark.reporting.claims.exit_statistics import (
    accuracy_slope,
    class_rank_correlation,
    gain_of_later,
    loss_of_earlier,
)
from benchmark.reporting.figures.exit_matrix import exit_matrix

CLASSES = [f"class{letter}" for letter in "abcdef"]
ONCE = np.ones((1, 120), dtype=np.int32)


@pytest.fixture
def rows(make_bench, simulated):
    bench = make_bench({"ours": ("method", {"default": {"table1": "frameexit"}})})
    manifest = bench.manifest("films", CLASSES * 20, CLASSES)
    steps = simulated(manifest, np.random.default_rng(0))
    return steps, manifest.targets(steps.video_ids.tolist())


def repeated(steps, targets, weights):
    """Return the rows of a resample, each as often as it was drawn."""
    chosen = np.repeat(np.arange(len(weights)), weights)
    arrays = {f.name: getattr(steps, f.name) for f in fields(steps)}
    arrays = {k: v[chosen] for k, v in arrays.items() if isinstance(v, np.ndarray)}
    return replace(steps, **arrays), targets[chosen]


@pytest.mark.parametrize(
    "statistic", [accuracy_slope, loss_of_earlier, gain_of_later, class_rank_correlation]
)
def test_a_resample_counts_each_video_as_often_as_it_was_drawn(rows, statistic):
    weights = resamples(120, 3, 0)
    found = statistic(*rows, weights)
    expected = [statistic(*repeated(*rows, drawn), ONCE)[0] for drawn in weights]
    assert found == pytest.approx(expected)


def test_the_slope_is_that_of_least_squares(rows):
    steps, targets = rows
    right = correct_by_step(steps.scores, targets)[np.arange(120), steps.exit_step - 1]
    expected = 100 * linregress(steps.exit_step, right).slope
    assert accuracy_slope(*rows, ONCE) == pytest.approx([expected])


def test_earlier_and_later_answers_by_a_loop_over_videos(rows):
    steps, targets = rows
    right = 100.0 * correct_by_step(steps.scores, targets)
    earlier, later = [], []
    for video, step in enumerate(steps.exit_step):
        here, before, after = right[video, step - 1], right[video, : step - 1], right[video, step:]
        earlier += [here - before.mean()] if len(before) else []
        later += [after.mean() - here] if len(after) else []
    assert loss_of_earlier(*rows, ONCE) == pytest.approx([np.mean(earlier)])
    assert gain_of_later(*rows, ONCE) == pytest.approx([np.mean(later)])


def test_the_rank_correlation_is_spearmans(rows):
    steps, targets = rows
    frames = [steps.frames_at_exit()[targets == c].mean() for c in range(6)]
    precisions = [average_precision(steps.exit_scores()[:, c], targets == c) for c in range(6)]
    expected = spearmanr(frames, precisions).statistic
    assert np.tanh(class_rank_correlation(*rows, ONCE)) == pytest.approx([expected])


def test_a_class_that_a_resample_does_not_show_is_left_out(rows):
    steps, targets = rows
    drawn = (targets != 2).astype(np.int32)[None]
    kept = [c for c in range(6) if c != 2]
    some, labels = repeated(steps, targets, drawn[0])
    frames = [some.frames_at_exit()[labels == c].mean() for c in kept]
    precisions = [average_precision(some.exit_scores()[:, c], labels == c) for c in kept]
    expected = spearmanr(frames, precisions).statistic
    assert np.tanh(class_rank_correlation(*rows, drawn)) == pytest.approx([expected])


def test_all_exits_alike_have_no_slope_and_the_first_step_no_earlier_one(rows):
    steps, targets = rows
    first = steps.exiting_at(np.ones(120))
    assert np.isnan(accuracy_slope(first, targets, ONCE)).all()
    assert np.isnan(loss_of_earlier(first, targets, ONCE)).all()
    assert np.isfinite(gain_of_later(first, targets, ONCE)).all()
    (exits,), (correct,) = exit_matrix(first, targets, ONCE)
    assert (exits[0], exits[1:].sum(), correct[1:].sum()) == (120, 0, 0)
