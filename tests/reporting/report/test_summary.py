"""The five sentences say what the results say, whatever those are."""

import numpy as np
import pytest

from benchmark.evaluation.result import Result
from benchmark.experiment.layout import RunKey
from benchmark.experiment.paper import load_paper
from benchmark.experiment.plan import Plan
from benchmark.reporting.report.absences import absences
from benchmark.reporting.report.summary import summary
from benchmark.reporting.tables.rows import collect

BOUND = load_paper().figures["figure6"].bound
METHODS = {
    "whole": ("baseline", {"default": {"table1": "all_frames"}}),
    "fast": ("method", {"default": {"table1": "frameexit"}}),
    "slow": ("method", {"default": {"table1": "arnet"}}),
    "oracle": ("control", {"default": {"table1": BOUND}}),
}
CLAIMS = [
    {"claim": "1", "verdict": "reproduced", "sentence": "first", "reason": ""},
    {"claim": "1", "verdict": "reproduced", "sentence": "first", "reason": ""},
    {"claim": "2", "verdict": "contradicted", "sentence": "second", "reason": ""},
    {"claim": "3", "verdict": "contradicted", "sentence": "third", "reason": ""},
    {"claim": "4", "verdict": "not applicable", "sentence": "fourth", "reason": "no such data"},
]


UNDECODABLE = {"films": {"v0009": "moov atom not found"}}
ABSENT_CLASSES = (
    "classes without videos",
    "films",
    "no usable video to train on: 2 of 2 classes: a, b",
)


@pytest.fixture
def world(make_bench):
    """Return a function that writes results, `{method: (accuracy, GFLOPs)}`, and reads them."""

    def make(numbers, failed=()):
        bench = make_bench(METHODS)
        bench.manifest("films", ["a", "b"], ["a", "b"])
        keys = {m: [RunKey("films", m, "default", s) for s in (0, 1, 2)] for m in METHODS}
        for method, (accuracy, gflops) in numbers.items():
            for key in keys[method]:
                spread = accuracy + np.linspace(-0.001, 0.001, 200)
                bench.result(key, accuracy, spread, macs=gflops * 1e9)
        for method in failed:
            for key in keys[method]:
                bench.failure(key, "training: RuntimeError: no")
        variants = {("films", method): ("default",) for method in METHODS}
        plan = Plan(bench.config, bench.methods, load_paper(), variants)
        paths = {
            k: k.folder(bench.layout.runs) / "result.json" for own in keys.values() for k in own
        }
        results = {key: Result.load(path) for key, path in paths.items() if path.is_file()}
        return plan, results, collect(bench.config, bench.methods, plan.paper.tables["table1"])

    return make


ALL = {"whole": (0.9, 4), "fast": (0.9, 1), "slow": (0.7, 3), "oracle": (0.95, 0.5)}


def test_the_runs_are_counted(world):
    first = summary(*world(ALL), CLAIMS)[0]
    assert first.startswith(
        "4 methods ran in 4 settings with 3 seeds on the same test videos (40 of"
    )
    assert first.endswith("12 runs gave numbers, none failed.")


def test_what_gave_no_number_is_counted(world):
    some = {name: ALL[name] for name in ("whole", "fast")}
    assert (
        "6 runs gave numbers, 3 failed and 3 without a result."
        in summary(*world(some, failed=["slow"]), CLAIMS)[0]
    )


def test_a_cheaper_row_that_is_as_accurate_is_named(world):
    second = summary(*world(ALL), CLAIMS)[1]
    assert second == (
        "On films 'FrameExit w/o exit' reaches 90.0 top-1 at 4 GFLOPs, and of 2 cheaper rows 1 is "
        "not shown to be less accurate, the cheapest 'FrameExit' at 1 GFLOPs "
        "(+0.0 points [+0.0, +0.0])."
    )


def test_none_is_named_where_each_is_less_accurate(world):
    second = summary(*world({**ALL, "fast": (0.8, 1)}), CLAIMS)[1]
    assert second.endswith("of 2 cheaper rows each is less accurate.")


def test_the_front_holds_what_is_not_dominated_and_never_the_bound(world):
    third = summary(*world(ALL), CLAIMS)[2]
    assert third == (
        "No other row of Table 1 is both as accurate and as cheap as on films FrameExit "
        "(90.0 top-1 at 1 GFLOPs)."
    )
    further = summary(*world({**ALL, "whole": (0.91, 4)}), CLAIMS)[2]
    assert "FrameExit (90.0 top-1 at 1 GFLOPs), FrameExit w/o exit (91.0" in further


def test_each_claim_is_counted_once(world):
    assert summary(*world(ALL), CLAIMS)[3] == (
        "Of the paper's 4 claims 1 is reproduced (1), 2 are contradicted (2, 3), "
        "1 is not applicable (4)."
    )


def test_labels_of_some_rows_are_not_those_of_all(world):
    plan, results, rows = world(ALL)
    key = RunKey("films", "fast", "default", 0)
    labels = ("built-in data", "random weights")
    results[key] = results[key].model_copy(update={"labels": labels})
    fifth = summary(plan, results, rows, CLAIMS)[4]
    assert "this data (built-in data) and backbone (small_cnn, random weights)" in fifth
    assert fifth.endswith("; some rows are labelled 'random weights'.")


def test_without_numbers_the_sentences_say_so(world):
    said = summary(*world({}, failed=list(METHODS)), CLAIMS)
    assert said[0].endswith("0 runs gave numbers, 12 failed.")
    assert said[1] == "The row that Table 1 compares with has no number here."
    assert said[2] == "Table 1 has no number here."


def test_nothing_that_is_absent_is_hidden(world):
    plan, results, rows = world({"whole": (0.9, 4)}, failed=["fast"])
    ledger = [{"status": "not run", "fills": "paper with ActivityNet"}, {"status": "agrees"}]
    lines = [
        tuple(c.text for c in row)
        for row in absences(plan, results, rows, CLAIMS, ledger, undecodable=UNDECODABLE).rows
    ]
    kinds = [line[0] for line in lines]
    assert kinds.count("failed run") == 3
    assert kinds.count("run without a result") == 6
    assert ("failed run", "films/fast/default, seed 0", "training: RuntimeError: no") in lines
    assert ("unreadable videos", "films: v0009", "moov atom not found") in lines
    classes = [line for line in lines if line[0] == "classes without videos"]
    assert classes == [ABSENT_CLASSES]
    assert ("claim not tested", "4: fourth", "no such data") in lines
    assert ("numbers of the paper", "1 of 2", "await profile paper with ActivityNet") in lines
    without = [what for kind, what, _ in lines if kind == "row without a number"]
    assert any("AdaFrame (ResNet)" in what for what in without)
    assert any("FrameExit (ResNet)" in what for what in without)
    assert not any(
        "FrameExit w/o exit (ResNet)" in w for w in without if w.startswith("Table 1, films")
    )


def test_a_failed_audit_leads_to_its_runs(world):
    plan, results, rows = world(ALL)
    key = RunKey("films", "fast", "default", 0)
    label = "AUDIT FAILED: 3 MACs too few"
    results[key] = results[key].model_copy(update={"labels": (label,)})
    (line,) = [
        r
        for r in absences(plan, results, rows, [], [], undecodable={}).rows
        if r[0].text == "failed audit"
    ]
    assert line[1].link == "#run/films/fast/default"
    assert line[2].text == label
