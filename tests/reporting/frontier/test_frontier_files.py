"""The frontier's table and figure, on made-up runs whose gates know, or know nothing."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from benchmark.evaluation.exits import first_above
from benchmark.evaluation.result import Result
from benchmark.experiment.layout import RunKey
from benchmark.experiment.paper import load_paper
from benchmark.experiment.plan import Plan
from benchmark.reporting.artefacts import artefact_named
from benchmark.reporting.frontier import curves as frontier_runs
from benchmark.reporting.frontier.answers import Question, Rule, answers
from benchmark.reporting.frontier.curves import exit_curves, exit_variants
from benchmark.reporting.frontier.files import make
from benchmark.reporting.made import Work
from benchmark.reporting.sources import Sources, write_artefact

METHODS = {
    "knows": ("method", {"default": {"figure6": "frameexit"}, "other": {"figure6": "frameexit"}}),
    "guesses": ("method", {"default": {"table4": "no_pooling"}}),
    "fixed": ("baseline", {"all": {"table1": "all_frames"}}),
}
NUM, STEPS, CLASSES = 120, 5, 4


class Gated:
    exit_threshold = 0.5


@pytest.fixture
def made(make_bench, steps_of, monkeypatch):
    """Return a plan with two methods of the same answers: one gate knows, the other guesses."""
    bench = make_bench(METHODS)
    labels = [f"c{i % CLASSES}" for i in range(NUM)]
    manifest = bench.manifest("films", labels, [f"c{i}" for i in range(CLASSES)])
    targets = manifest.targets(manifest.rows["video_id"].tolist())
    for seed in bench.config.seeds:
        rng = np.random.default_rng(seed)
        right_from = rng.integers(1, STEPS + 2, size=NUM)
        is_right = np.arange(1, STEPS + 1) >= right_from[:, None]
        scores = np.eye(CLASSES)[np.where(is_right, targets[:, None], (targets[:, None] + 1) % 4)]
        for method, sure in (("knows", is_right), ("guesses", rng.random((NUM, STEPS)) > 0.6)):
            values = np.where(sure, 0.6, 0.1) + 0.3 * rng.random((NUM, STEPS))
            values[:, -1] = np.nan
            steps = replace(
                steps_of(manifest, first_above(values, 0.5), scores),
                exit_values=values.astype(np.float32),
            )
            for variant in METHODS[method][1]:
                bench.run(RunKey("films", method, variant, seed), steps, manifest)
    monkeypatch.setattr(frontier_runs, "load_method", lambda folder: Gated)
    monkeypatch.setattr(frontier_runs, "_stops_early", lambda plan, name: name != "fixed")
    variants = {("films", name): tuple(shown) for name, (_, shown) in METHODS.items()}
    return Plan(bench.config, bench.methods, load_paper(), variants), bench


def curves_of(plan):
    return exit_curves(plan, lambda done, of: None)


def test_each_method_gives_its_first_variant(made):
    assert exit_variants(made[0]) == [
        ("films", "knows", "default"),
        ("films", "guesses", "default"),
    ]


def test_a_gate_that_knows_wins_and_one_that_guesses_does_not(made):
    found = {(a.method, a.rule, a.question, a.at): a for a in answers(curves_of(made[0]))}
    knows = found["knows", "difference", "area", None]
    assert knows.low is not None
    assert knows.low > 5
    guesses = found["guesses", "difference", "area", None]
    assert guesses.low < 2
    assert guesses.value < knows.value / 3
    for below in (5.0, 2.0, 1.0, 0.5):
        saved = found["knows", "difference", "budget at equal accuracy", below]
        assert (saved.unit, saved.value < -15, saved.high < 0) == ("% of GFLOPs", True, True)


def test_questions_and_rules_are_closed_lists(made):
    found = answers(curves_of(made[0]))
    assert {a.question for a in found} == set(get_args(Question))
    assert {a.rule for a in found} == set(get_args(Rule))
    assert len(found) == 2 * 3 * (1 + 4 + 4)


def test_fixed_frames_at_a_measured_budget_are_the_measured_numbers(made):
    curves = curves_of(made[0])[0]
    values = np.mean([100 * f.values for f in curves.fixed], axis=0)
    found = {(a.method, a.rule, a.question, a.at): a for a in answers([curves])}
    # 20, 40 and 60 % of five equal steps are one, two and three of them.
    for share, steps in ((20.0, 1), (40.0, 2), (60.0, 3)):
        answer = found["knows", "same frames for all", "accuracy at equal budget", share]
        assert answer.value == pytest.approx(values[steps - 1])
        assert answer.at_value == pytest.approx(steps * 0.004)
        assert answer.low < answer.value < answer.high


def test_the_curve_passes_through_the_result_of_the_run(made):
    plan, bench = made
    curves = curves_of(plan)[0]
    for seed, (gflops, value) in zip(bench.config.seeds, curves.at_own, strict=True):
        key = RunKey("films", "knows", "default", seed)
        result = Result.load(key.folder(bench.layout.runs) / "result.json")
        assert result.value == value
        assert result.macs_per_video == pytest.approx(gflops * 1e9)


def test_files_are_written_and_made_again_alike(made):
    plan, bench = made
    figures = bench.layout.figures
    seen = []
    artefact = artefact_named(bench.config, "frontier")
    write_artefact(plan, artefact, Work(threads=3, progress=lambda *at: seen.append(at)))
    assert seen == [(done, 2 * len(bench.config.seeds)) for done in range(1, len(seen) + 1)]
    assert len(seen) == 2 * len(bench.config.seeds)
    texts = make(plan, "frontier", Work()).texts
    assert {name: (bench.layout.root / name).read_text() for name in texts} == texts
    assert (figures / "frontier.png").read_bytes().startswith(b"\x89PNG")
    assert "</svg>" in (figures / "frontier.svg").read_text()
    sources = Sources.load(bench.layout.root / artefact.record)
    assert len(sources.results) == 2 * len(bench.config.seeds)
    rows = list(csv.DictReader(io.StringIO(texts["figures/frontier.csv"])))
    assert {row["series"] for row in rows} == {
        *("own exits", "own exits, mean", "own threshold"),
        *("same frames for all", "same frames for all, mean"),
    }
    assert "| knows | difference | +" in texts["tables/frontier.md"]


def test_a_failed_run_is_named_with_its_reason(made):
    plan, bench = made
    bench.failure(RunKey("films", "guesses", "default", 2), "diverged")
    text = make(plan, "frontier", Work()).texts["tables/frontier.md"]
    assert "- guesses on films: failed: seed 2: diverged" in text
    assert "| guesses |" not in text
