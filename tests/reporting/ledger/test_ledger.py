"""Each number that the paper prints has one line, with a status that is true."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import get_args

import pytest

from benchmark.errors import BenchmarkError
from benchmark.experiment.layout import RunKey
from benchmark.experiment.paper import load_paper
from benchmark.experiment.plan import Plan
from benchmark.experiment.shown_runs import other_paper_profiles
from benchmark.reporting.artefacts import artefact_named
from benchmark.reporting.ledger import lines as ledger
from benchmark.reporting.ledger.files import ledger_texts
from benchmark.reporting.ledger.lines import (
    STATUSES,
    Status,
    cell_name,
    computed_costs,
    ledger_lines,
)
from benchmark.reporting.ledger.runs import Filler
from benchmark.reporting.made import Work
from benchmark.reporting.sources import Sources, write_artefact
from benchmark.reporting.tables.tables import table_texts

METHODS = {
    "ours": ("method", {"default": {"table1": "frameexit", "table3": "frameexit"}}),
    "fixed": ("baseline", {"all": {"table1": "all_frames"}}),
}
PAPERS = {
    "csv": {"csv": "list.csv", "root": "videos"},
    "sampling": {"positions": 10},
    "role": "long",
    "metric": "map",
    "paper_dataset": "ActivityNet",
}
BACKBONE = {"network": "resnet50", "weights": "hub", "finetune": True}
TRAINING = {"head_units": 4096, "learning_rate": 1e-4, "batch_size": 64}


@pytest.fixture(scope="module")
def costs():
    return computed_costs()


@pytest.fixture
def lines_of(costs, monkeypatch):
    """Return a function that gives a profile's lines by table, row, backbone, dataset, quantity."""

    def lines(bench, *others, costs=costs):
        monkeypatch.setattr(ledger, "computed_costs", lambda: costs)
        own, *rest = (Filler(b.config, b.methods) for b in (bench, *others))
        made = ledger_lines(own, rest)
        return {(x.table, x.row, x.backbone, x.dataset, x.quantity): x for x in made}

    return lines


@pytest.fixture
def papers(make_bench):
    """Return a function that makes a profile on the paper's videos with numbers of its own."""

    def make(percent, macs=26.5e9, labels=(), profile="paper", **changes):
        settings = {"datasets": {"activitynet": PAPERS}, "backbone": BACKBONE, "training": TRAINING}
        bench = make_bench(METHODS, profile=profile, **{**settings, **changes})
        for seed in bench.config.seeds:
            key = RunKey("activitynet", "ours", "default", seed)
            bench.result(key, percent / 100, [percent / 100] * 200, macs=macs, labels=labels)
        return bench

    return make


OWN = ("table1", "frameexit", "ResNet", "ActivityNet")


def test_every_published_number_has_exactly_one_line(make_bench, costs, monkeypatch):
    monkeypatch.setattr(ledger, "computed_costs", lambda: costs)
    bench = make_bench(METHODS)
    lines = ledger_lines(Filler(bench.config, bench.methods))
    printed = [
        (spec.id, row.id, row.group, role, value)
        for spec in load_paper().tables.values()
        for row in spec.rows
        for role, published in row.published.items()
        for value in (published.percent, published.gflops)
        if value is not None
    ]
    roles = {"ActivityNet": "long", "Mini-Kinetics": "short", "HVU": "multi"}
    found = [(x.table, x.row, x.backbone, roles[x.dataset], x.paper) for x in lines]
    assert sorted(found) == sorted(printed)
    assert len(found) == 88
    names = [(x.table, x.row, x.backbone, x.dataset, x.quantity) for x in lines]
    assert len(set(names)) == len(names)


def test_statuses_are_a_closed_list_each_explained():
    assert list(STATUSES) == list(get_args(Status))
    assert all(STATUSES.values())


def test_each_computed_cost_belongs_to_a_cell_that_prints_that_number(costs):
    printed = {
        cell_name(spec.id, row, role): published.gflops
        for spec in load_paper().tables.values()
        for row in spec.rows
        for role, published in row.published.items()
        if published.gflops is not None
    }
    assert set(costs) <= set(printed)
    for cell, row in costs.items():
        assert row.published_gflops == pytest.approx(printed[cell], abs=0.051)
    left = {cell.split("/")[1] for cell in set(printed) - set(costs)}
    assert left == {"arnet", "hatnet"}


@pytest.mark.parametrize(
    ("name", "ours", "status"),
    [
        (("table1", "all_frames", "ResNet", "ActivityNet"), 40.96, "agrees"),
        (("table1", "all_frames", "EfficientNet", "Mini-Kinetics"), 9.68, "differs"),
        (("table1", "all_frames", "X3D-S", "ActivityNet"), 19.71, "agrees"),
        (("table1", "frameexit", "ResNet", "Mini-Kinetics"), 19.59, "account agrees"),
        (("table1", "frameexit", "EfficientNet", "ActivityNet"), 6.13, "account differs"),
        (("table1", "scsampler", "ResNet", "Mini-Kinetics"), 41.72, "agrees"),
        (("table2", "random_10", "ResNet", "HVU"), 40.94, "agrees"),
        (("table2", "r3d18", "ResNet", "HVU"), 40.70, "differs"),
        (("table2", "hatnet", "ResNet", "HVU"), None, "not implemented"),
        (("table5", "t16", "ResNet", "ActivityNet"), 34.90, "account agrees"),
    ],
)
def test_costs_need_no_run(make_bench, lines_of, name, ours, status):
    line = lines_of(make_bench(METHODS))[*name, "GFLOPs"]
    assert line.status == status
    assert line.ours == (None if ours is None else pytest.approx(ours, abs=0.006))
    assert bool(line.reason) == (status not in {"agrees", "account agrees"})
    assert line.filled_by == ""


def test_built_in_numbers_stand_beside_and_are_never_ours(make_bench, lines_of):
    bench = make_bench(METHODS)
    for seed in bench.config.seeds:
        bench.result(RunKey("films", "ours", "default", seed), 0.761, [0.761] * 200)
    line = lines_of(bench)[*OWN, "accuracy"]
    assert (line.ours, line.status, line.filled_by) == (None, "not run", "")
    assert line.fills == "paper with ActivityNet and ResNet-50"
    assert line.here == pytest.approx(76.1)
    assert line.here_label == "toy/films, small_cnn, built-in data"


@pytest.mark.parametrize(
    ("percent", "status", "difference"),
    [(75.2, "agrees", -0.9), (77.05, "agrees", 0.95), (74.9, "differs", -1.2)],
)
def test_a_run_on_the_papers_videos_fills_its_lines(papers, lines_of, percent, status, difference):
    lines = lines_of(papers(percent))
    line = lines[*OWN, "accuracy"]
    assert (line.status, line.filled_by, line.tolerance) == (status, "paper", 1.0)
    assert line.difference == pytest.approx(difference)
    assert line.ours_from == "measured: profile paper, 3 seeds, 40 videos"
    assert line.here is None
    cost = lines[*OWN, "GFLOPs"]
    assert (cost.ours, cost.status, cost.filled_by) == (26.5, "agrees", "paper")
    assert lines["table3", "frameexit", "ResNet", "ActivityNet", "accuracy"].status == status
    assert lines["table1", "frameexit", "EfficientNet", "ActivityNet", "accuracy"].ours is None


def test_a_difference_names_the_settings_that_are_not_the_papers(papers, lines_of):
    frozen = {**BACKBONE, "finetune": False}
    line = lines_of(papers(70.0, backbone=frozen))[*OWN, "accuracy"]
    assert (line.status, line.reason) == ("differs", "frozen backbone, the paper's is fine-tuned")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"backbone": {**BACKBONE, "network": "resnet18"}}, "backbone resnet18, not ResNet-50"),
        ({"backbone": {**BACKBONE, "size": 112}}, "input of 112 pixels, not 224"),
        ({"datasets": {"activitynet": {**PAPERS, "metric": "top1"}}}, "metric top1, not map"),
        ({"labels": ("AUDIT FAILED: why",)}, "AUDIT FAILED: why"),
    ],
)
def test_what_is_not_the_papers_setting_is_not_comparable(papers, lines_of, changes, reason):
    line = lines_of(papers(76.1, **changes))[*OWN, "accuracy"]
    assert (line.status, line.reason, line.ours) == ("not comparable", reason, None)
    assert line.here == pytest.approx(76.1)


def test_a_failed_run_says_so(papers, lines_of):
    bench = papers(76.1)
    bench.failure(RunKey("activitynet", "ours", "default", 1), "out of memory")
    line = lines_of(bench)[*OWN, "accuracy"]
    assert (line.status, line.reason) == ("failed", "failed: seed 1: out of memory")


def test_another_profile_in_the_same_results_fills_the_line(papers, make_bench, lines_of):
    filled = papers(76.0)
    other = papers(60.0, profile="half", labels=("unfinished training (0.5 of the epochs)",))
    bench = make_bench(METHODS)
    for others in ([other, filled], [filled, other]):
        line = lines_of(bench, *others)[*OWN, "accuracy"]
        assert (line.status, line.filled_by) == ("agrees", "paper")
        assert line.ours == pytest.approx(76.0)


def test_each_backbone_of_the_paper_has_a_profile_that_fills_its_rows(papers, lines_of):
    networks = {"ResNet": "resnet50", "EfficientNet": "efficientnet_b3", "X3D-S": "x3d_s"}
    profiles = [
        papers(
            70.0 + number,
            profile=f"paper{number}",
            backbone={**BACKBONE, "network": network, "weights": "hub", "paper_group": group},
        )
        for number, (group, network) in enumerate(networks.items())
    ]
    for bench in profiles:
        bench.layout.config.write_text(bench.config.model_dump_json())
    own, *_ = profiles
    assert [c.profile for c in other_paper_profiles(own.config)] == ["paper1", "paper2"]
    lines = lines_of(*profiles)
    for number, group in enumerate(networks):
        line = lines["table1", "frameexit", group, "ActivityNet", "accuracy"]
        assert (line.filled_by, line.ours) == (f"paper{number}", pytest.approx(70 + number))
    texts = table_texts(own.config, own.methods, "table1")["table1.md"]
    assert "Rows beside another backbone are measured by the profile that has it" in texts
    assert "Videos and backbone are not the paper's" not in texts


def test_files_say_what_they_were_made_of(papers, make_bench, costs, monkeypatch, tmp_path):
    monkeypatch.setattr(ledger, "computed_costs", lambda: costs)
    filled, bench = papers(76.0), make_bench(METHODS)
    filled.layout.config.write_text(filled.config.model_dump_json())
    (found,) = other_paper_profiles(bench.config)
    assert found.profile == "paper"
    monkeypatch.setattr("benchmark.reporting.ledger.runs.make_plan", lambda c: plan_of(filled))
    plan = plan_of(bench)
    write_artefact(plan, artefact_named(bench.config, "ledger"), Work())
    sources = Sources.load(bench.layout.tables / "ledger.sources.json")
    assert set(sources.files) == {"tables/ledger.csv", "tables/ledger.md"}
    assert all(name.startswith("../paper/runs/activitynet/ours") for name in sources.results)
    assert len(sources.results) == 3
    texts = ledger_texts(plan)
    rows = list(csv.DictReader(io.StringIO(texts["ledger.csv"])))
    assert len(rows) == 88
    assert sum(row["filled_by"] == "paper" for row in rows) == 4
    assert "**88 numbers.** 48 accuracies: 2 agrees" in texts["ledger.md"]
    assert all(
        f"*{status}*: {meaning}" in texts["ledger.md"] for status, meaning in STATUSES.items()
    )
    assert texts["ledger.md"].count("\n| ") == 88 + 2 * 6


def plan_of(bench) -> Plan:
    return Plan(bench.config, bench.methods, load_paper(), {})


def test_only_real_videos_of_the_right_part_are_the_papers(make_bench):
    for wrong in ({"paper_dataset": "HVU"}, {"builtin": {}, "csv": None}):
        with pytest.raises(BenchmarkError, match=r"does not play|built-in videos are no|builtin"):
            make_bench(METHODS, datasets={"activitynet": {**PAPERS, **wrong}})


def test_an_unknown_reason_is_said(papers, lines_of, costs):
    name = "table1/all_frames/ResNet/long"
    lines = lines_of(papers(70.0), costs={**costs, name: replace(costs[name], ours_macs=10**9)})
    assert lines[*OWN, "accuracy"].reason == "reason unknown"
    cost = lines["table1", "all_frames", "ResNet", "ActivityNet", "GFLOPs"]
    assert (cost.ours, cost.status, cost.reason) == (1.0, "differs", "reason unknown")
