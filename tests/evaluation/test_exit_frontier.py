"""Curves of known shape: the frontier goes through what was measured and invents nothing."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.evaluation.bootstrap import resamples
from benchmark.evaluation.exits import first_above
from benchmark.evaluation.frontier import (
    Judge,
    area,
    budget_at,
    spaced_thresholds,
    trace_fixed,
    trace_thresholds,
    value_at,
)
from benchmark.evaluation.metrics import mean_average_precision, top1
from benchmark.step_records import StepRecords

NUM, STEPS, CLASSES = 80, 6, 4


@pytest.fixture
def steps() -> tuple[StepRecords, np.ndarray]:
    """Return steps that become right one after another, with gate values that know when."""
    rng = np.random.default_rng(3)
    targets = rng.integers(CLASSES, size=NUM)
    right_from = rng.integers(1, STEPS + 1, size=NUM)
    is_right = np.arange(1, STEPS + 1) >= right_from[:, None]
    answers = np.where(is_right, targets[:, None], (targets[:, None] + 1) % CLASSES)
    scores = np.eye(CLASSES)[answers] * 0.5 + rng.random((NUM, STEPS, CLASSES)) * 0.1
    values = np.where(is_right, 0.6, 0.1) + 0.3 * rng.random((NUM, STEPS))
    values[:, -1] = np.nan
    costs = np.stack([np.full((NUM, STEPS), 10**9), np.full((NUM, STEPS), 10**8)], axis=2)
    answer = np.stack([np.zeros((NUM, STEPS)), np.zeros((NUM, STEPS))], axis=2).astype(np.int64)
    made = StepRecords(
        video_ids=np.array([f"v{i}" for i in range(NUM)]),
        scores=scores.astype(np.float32),
        exit_values=values.astype(np.float32),
        exit_step=first_above(values, 0.5),
        frames_opened=np.tile(np.arange(1, STEPS + 1), (NUM, 1)),
        last_opened=np.zeros((NUM, STEPS), dtype=np.int64),
        pixels_fed=np.zeros((NUM, STEPS), dtype=np.int64),
        components=("backbone", "gate"),
        step_macs=costs.astype(np.int64),
        exit_macs=answer,
    )
    return made, targets


@pytest.mark.parametrize(("metric", "measure"), [("top1", top1), ("map", mean_average_precision)])
def test_it_goes_through_the_run_as_it_was_and_through_both_ends(steps, metric, measure):
    run, targets = steps
    weights = resamples(NUM, 30, 0)
    levels = spaced_thresholds(run.exit_values, 20, always=0.5)
    curve = trace_thresholds(run, Judge(targets, metric, weights), levels)
    (place,) = np.flatnonzero(curve.settings == 0.5)
    assert curve.values[place] == measure(run.exit_scores(), targets)
    assert curve.gflops[place] == pytest.approx(run.macs().mean() / 1e9)
    assert (curve.gflops[0], curve.gflops[-1]) == pytest.approx((1.1, 6.6))
    assert curve.values[-1] == measure(run.scores[:, -1], targets)
    assert curve.values[0] == measure(run.scores[:, 0], targets)
    assert (np.diff(curve.gflops) >= 0).all()
    assert curve.replicates.shape == curve.gflops_replicates.shape == (len(levels), 30)


def test_a_gate_that_knows_when_the_answer_is_right_is_monotone_and_beats_equal_frames(steps):
    run, targets = steps
    judge = Judge(targets, "top1", resamples(NUM, 30, 0))
    gated = trace_thresholds(run, judge, spaced_thresholds(run.exit_values, 20, always=0.5))
    fixed = trace_fixed(run, judge)
    assert (np.diff(gated.values) >= 0).all()
    assert gated.values[gated.settings == 0.5] == 1.0
    assert fixed.gflops.tolist() == [1, 2, 3, 4, 5, 6]  # the gate is not run
    budget = run.macs().mean() / 1e9
    assert value_at(np.array([budget]), fixed.gflops, fixed.values)[0] < 0.8
    assert budget_at(1.0, gated.gflops, gated.values) <= budget + 1e-9
    assert budget_at(1.0, fixed.gflops, fixed.values) == 6


def test_a_resample_is_the_run_with_its_videos_repeated(steps):
    run, targets = steps
    weights = resamples(NUM, 5, 1)
    curve = trace_thresholds(run, Judge(targets, "map", weights), np.array([0.2, 0.5]))
    for k, level in enumerate((0.2, 0.5)):
        chosen = run.exiting_at(first_above(run.exit_values, level))
        for b, drawn in enumerate(weights):
            videos = np.repeat(np.arange(NUM), drawn)
            expected = mean_average_precision(chosen.exit_scores()[videos], targets[videos])
            assert curve.replicates[k, b] == pytest.approx(expected)
            assert curve.gflops_replicates[k, b] == pytest.approx(
                chosen.macs()[videos].mean() / 1e9
            )


def test_thresholds_are_even_in_mean_steps_and_cover_both_ends(steps):
    values = steps[0].exit_values
    levels = spaced_thresholds(values, 12)
    means = np.array([first_above(values, level).mean() for level in levels])
    assert (means[0], means[-1]) == (1, STEPS)
    assert len(levels) <= 12
    assert np.diff(means).max() < 3 * (STEPS - 1) / 11
    assert spaced_thresholds(np.full((4, 3), np.nan), 12).tolist() == [np.inf]


LINE = np.array([1.0, 2.0, 4.0]), np.array([0.1, 0.2, 0.4])


def test_area_of_a_straight_line_is_its_middle():
    assert area(1.0, 4.0, *LINE) == pytest.approx(0.25)
    assert area(1.5, 3.5, *LINE) == pytest.approx(0.25)
    assert area(2.2, 2.4, *LINE) == pytest.approx(0.23)
    assert area(0.0, 2.0, np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 1.0])) == 0.75


@pytest.mark.parametrize(
    ("target", "budget"),
    [(0.05, 1.0), (0.1, 1.0), (0.15, 1.5), (0.2, 2.0), (0.3, 3.0), (0.4, 4.0), (0.41, None)],
)
def test_budget_and_accuracy_are_read_off_the_same_line(target, budget):
    found = budget_at(target, *LINE)
    if budget is None:
        assert np.isnan(found)
        return
    assert found == pytest.approx(budget)
    assert value_at(np.array([found]), *LINE)[0] == pytest.approx(max(target, 0.1))


def test_nothing_is_extrapolated_and_the_first_crossing_counts():
    assert np.isnan(value_at(np.array([0.9, 0.9999, 4.0001, 4.1]), *LINE)).all()
    ends = np.nextafter(np.array([1.0, 4.0]), np.array([0.0, 5.0]))  # rounding is no extrapolation
    assert value_at(ends, *LINE).tolist() == [0.1, 0.4]
    assert budget_at(0.5, np.array([1.0, 2.0, 3.0, 4.0]), np.array([0, 1, 0, 1.0])) == 1.5
