"""The table of claims, from prediction rows to text."""

import csv
import io
import shutil
from dataclasses import replace

import numpy as np
import pytest
from write_shown import plan_of, write_shown

from benchmark.evaluation.bootstrap import dataset_resamples
from benchmark.evaluation.metrics import correct_at_1
from benchmark.experiment.layout import RunKey
from benchmark.experiment.paper import load_paper
from benchmark.files.sealed import read_sealed, write_sealed
from benchmark.reporting.claims.claim import less_costly
from benchmark.reporting.claims.claims_1_to_6 import (
    LARGEST_LOSS,
    LARGEST_SATURATED_GAIN,
    LEAST_SAVING,
)
from benchmark.reporting.claims.claims_7_to_12 import EQUAL, FRACTION
from benchmark.reporting.claims.samples import ClaimRuns
from benchmark.reporting.claims.table import (
    CLAIMS,
    claims_texts,
    judge_claims,
    runs_behind,
)
from benchmark.reporting.sources import Sources
from benchmark.step_records import StepRecords

CLASSES = [f"class{letter}" for letter in "abcdef"]
METHODS = {
    "ours": (
        "method",
        {
            "default": {
                "table1": "frameexit",
                "table4": "pooling",
                "figure3": "beta_1e-4",
                "figure4": "frameexit",
                "figure5": "frameexit",
            },
            "late": {"figure3": "beta_1e-6"},
        },
    ),
    "full": ("baseline", {"all": {"table1": "all_frames"}}),
    "averaged": ("method", {"default": {"table4": "no_pooling"}}),
}


@pytest.fixture
def filled(make_bench, simulated):
    """Videos that differ in difficulty, and gates that stop once they are sure."""
    bench = make_bench(METHODS)
    manifest = bench.manifest("films", CLASSES * 50, CLASSES)
    for seed in bench.config.seeds:
        thresholds = {("ours", "default"): 0.7, ("ours", "late"): 0.9, ("full", "all"): 2.0}
        for (method, variant), threshold in thresholds.items():
            steps = simulated(manifest, np.random.default_rng(seed), threshold=threshold)
            bench.run(RunKey("films", method, variant, seed), steps, manifest)
        steps = simulated(manifest, np.random.default_rng(seed), threshold=0.7)
        worse = replace(steps, scores=steps.scores + np.random.default_rng(9).normal(
            scale=0.5, size=steps.scores.shape
        ).astype(np.float32))  # fmt: skip
        bench.run(RunKey("films", "averaged", "default", seed), worse, manifest)
    return bench


def verdicts(bench):
    found = judge_claims(bench.config, bench.methods)
    return {one.claim.number: one.verdict.name if one.verdict else one.reason for one in found}


def test_claims_that_hold_and_that_cannot_be_tested(filled):
    found = verdicts(filled)
    assert list(found) == list(range(1, 13))
    assert found[4] == "reproduced"
    assert found[1] == "no dataset of this profile plays the part of Mini-Kinetics (short)"
    assert found[6] == "T = 4: not run here"
    assert found[10] == "no dataset of this profile plays the part of HVU (multi)"
    assert found[11].startswith("it takes runs with three backbones")


def test_a_claim_turned_round_is_contradicted(filled):
    runs = filled.layout.runs / "films"
    shutil.move(runs / "ours" / "default", runs / "kept")
    shutil.move(runs / "averaged" / "default", runs / "ours" / "default")
    shutil.move(runs / "kept", runs / "averaged" / "default")
    for method in ("ours", "averaged"):
        for path in (runs / method / "default").glob("*/result.json"):
            content = read_sealed(path, "result", "") | {"method": method}
            (sha256,) = content["provenance"]["outputs"].values()
            rows = str(path.with_name("predictions.parquet").relative_to(filled.layout.runs))
            content["provenance"]["outputs"] = {rows: sha256}
            write_sealed(path, content)
    assert verdicts(filled)[4] == "contradicted"


def test_missing_and_failed_runs_are_named(filled):
    filled.failure(RunKey("films", "averaged", "default", 1), "out of memory")
    shutil.rmtree(filled.layout.runs / "films" / "ours" / "late")
    found = verdicts(filled)
    assert found[4] == "no pooling, predictions averaged on films: failed: seed 1: out of memory"
    assert found[7] == "ours late on films: missing: no result"
    assert found[8] in ("reproduced", "inconclusive", "contradicted")


def test_one_seed_is_said(make_bench, simulated):
    bench = make_bench(METHODS, seeds=[0])
    manifest = bench.manifest("films", CLASSES * 50, CLASSES)
    steps = simulated(manifest, np.random.default_rng(0))
    bench.run(RunKey("films", "ours", "default", 0), steps, manifest)
    text = claims_texts(bench.config, bench.methods)["claims.md"]
    assert "over videos, of this one seed and no other" in text
    assert "| 300 × 1 |" in text


def test_rows_on_different_videos_are_not_compared(filled):
    fewer = filled.manifest("films", CLASSES * 50, CLASSES)
    for seed in filled.config.seeds:
        folder = RunKey("films", "averaged", "default", seed).folder(filled.layout.runs)
        path = folder / "result.json"
        content = read_sealed(path, "result", "")
        content["num_videos"]["evaluated"] = len(fewer.rows) - 1
        write_sealed(path, content)
    assert (
        "answered 300 videos of films, 'no pooling, predictions averaged' 299"
        in verdicts(filled)[4]
    )


def test_videos_that_all_exit_alike_have_no_early_and_late(make_bench, simulated):
    bench = make_bench(METHODS)
    manifest = bench.manifest("films", CLASSES * 5, CLASSES)
    for seed in bench.config.seeds:
        steps = simulated(manifest, np.random.default_rng(seed), threshold=2.0)
        for variant in ("default", "late"):
            bench.run(RunKey("films", "ours", variant, seed), steps, manifest)
    found = verdicts(bench)
    assert (
        found[7] == found[12] == "ours default on films: all videos of a seed exit at the same step"
    )


def test_a_cost_is_compared_as_so_many_times_that_of_the_cheaper_one(filled):
    runs = ClaimRuns(filled.config, filled.methods)
    full, gated = (runs.one(("table1", row), "long") for row in ("all_frames", "frameexit"))
    saving = full.measured.gflops / gated.measured.gflops
    assert saving > 1.5
    said = less_costly(gated, full, 1.2)
    assert said.natural(said.quantity.mean) == pytest.approx(saving, rel=0.01)
    assert said.natural(said.bound) == pytest.approx(1.2)
    assert said.p("for") < 0.01
    assert said.p("against") > 0.99
    assert less_costly(gated, full, 2 * saving).p("for") > 0.99
    assert less_costly(full, gated).p("for") > 0.99


def test_resamples_are_those_of_the_evaluation(filled):
    """Metric and cost of a resample belong to the same videos."""
    runs = ClaimRuns(filled.config, filled.methods)
    sample = runs.one(("table1", "frameexit"), "long")

    def accuracy(steps, targets, weights):
        right = correct_at_1(steps.exit_scores(), targets)
        return 100 * (weights @ right) / weights.sum(axis=1)

    again = sample.statistic(accuracy, 100.0)
    assert again.values == pytest.approx(sample.percent)
    assert again.replicates == pytest.approx(sample.replicates)
    manifest = filled.manifest("films", CLASSES * 50, CLASSES)
    ids = tuple(manifest.rows["video_id"])
    drawn = dataset_resamples("films", ids, filled.config.bootstrap.replicates)
    folder = RunKey("films", "ours", "default", 0).folder(filled.layout.runs)
    right = accuracy(
        StepRecords.load(folder / "predictions.parquet"),
        manifest.targets(manifest.rows["video_id"].tolist()),
        drawn,
    )
    assert right == pytest.approx(sample.replicates[0])


def test_files_are_the_same_each_time_and_say_what_they_are_made_of(filled, tmp_path):
    write_shown(filled.config, filled.methods, "claims", tmp_path)
    texts = claims_texts(filled.config, filled.methods)
    assert {name: (tmp_path / name).read_text() for name in texts} == texts
    rows = list(csv.DictReader(io.StringIO(texts["claims.csv"])))
    assert {row["claim"] for row in rows} == {str(n) for n in range(1, 13)}
    pooling = next(row for row in rows if row["claim"] == "4")
    assert (pooling["verdict"], pooling["decisive"], pooling["claimed"]) == (
        "reproduced", "True", "above",
    )  # fmt: skip
    assert pooling["runs"] == "films/ours/default; films/averaged/default"
    assert float(pooling["low"]) < float(pooling["value"]) < float(pooling["high"])
    sources = Sources.load(tmp_path / "claims.sources.json")
    assert len(sources.results) == 4 * 3
    assert len(runs_behind(plan_of(filled.config, filled.methods), "claims")) == 4 * 3


def test_every_row_of_the_claims_is_one_of_the_papers():
    paper = load_paper()
    rows = {(t.id, row.id) for t in paper.tables.values() for row in t.rows}
    curves = {(f.id, curve.id) for f in paper.figures.values() for curve in f.curves}
    named = {row for claim in CLAIMS for row in claim.rows}
    of_steps = {row for row in named if row[0] in ("figure3", "figure4", "figure5")}
    assert named - of_steps <= rows | curves


def test_every_row_of_the_claims_has_runs_or_is_known_to_have_none(methods):
    shown = {
        item
        for method in methods.values()
        for variant in method.manifest.variants.values()
        for item in variant.shown_in.items()
    }
    named = {row for claim in CLAIMS for row in claim.rows}
    assert {name for _, name in named - shown} == {"adaframe", "listen_to_look", "marl", "hatnet"}


def test_bounds_follow_from_what_the_paper_prints():
    tables = load_paper().tables

    def published(table, row, role):
        found = next(r for r in tables[table].rows if (r.id, r.group) == (row, "ResNet"))
        return found.published[role]

    for role, loss in LARGEST_LOSS.items():
        full = published("table1", "all_frames", role)
        gates = published("table1", "frameexit", role)
        assert loss == pytest.approx(2 * (full.percent - gates.percent))
        saving = 1 - gates.gflops / full.gflops
        assert LEAST_SAVING[role] == pytest.approx(1 / (1 - saving / 2), abs=0.005)
    short = published("table1", "all_frames", "short"), published("table1", "frameexit", "short")
    assert pytest.approx(short[0].percent - short[1].percent) == EQUAL
    gain = published("table5", "t10", "long").percent - published("table5", "t8", "long").percent
    assert pytest.approx(gain / 2) == LARGEST_SATURATED_GAIN
    ours = max(published("table2", f"frameexit_1e-{n}", "multi").gflops for n in (3, 5))
    rivals = ("uniform_10", "random_10", "r3d18", "hatnet")
    least = min(published("table2", name, "multi").gflops for name in rivals)
    assert least / ours > FRACTION
