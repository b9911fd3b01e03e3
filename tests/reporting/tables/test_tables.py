import csv
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from write_shown import write_shown

from benchmark.errors import BenchmarkError
from benchmark.experiment.layout import RunKey
from benchmark.experiment.paper import load_paper
from benchmark.methods.discovery import discover
from benchmark.reporting.tables.rows import collect
from benchmark.reporting.tables.tables import print_table

METHODS = {
    "ours": ("method", {"default": {"table1": "frameexit"}, "wide": {"table1": "zz_new"}}),
    "fixed": ("baseline", {"all": {"table1": "all_frames"}, "ten": {"table1": "uniform_10"}}),
    "coin": ("control", {"default": {"table1": "coin"}}),
}
RUNS = [
    ("fixed", "all"),
    ("fixed", "ten"),
    ("ours", "default"),
    ("ours", "wide"),
    ("coin", "default"),
]


def fill(bench, skip=()):
    noise = np.random.default_rng(0).normal(scale=0.02, size=(3, 200))
    for number, (method, variant) in enumerate(RUNS):
        for seed in bench.config.seeds:
            value = 0.80 - 0.02 * number + 0.01 * (seed - 1)
            if (method, variant) not in skip:
                bench.result(
                    RunKey("films", method, variant, seed),
                    value,
                    value + noise[seed],
                    macs=2e7 + 1e6 * number * seed,
                )


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["role"] == "long"]


def test_numbers_of_a_small_table(make_bench, tmp_path):
    bench = make_bench(METHODS)
    fill(bench)
    write_shown(bench.config, bench.methods, "table1", tmp_path)
    rows = {(row["row"], row["group"]): row for row in read(tmp_path / "table1.csv")}
    frameexit = rows["frameexit", "ResNet"]
    expected = {
        "label": "FrameExit",
        "kind": "method",
        "dataset": "films",
        "metric": "top1",
        "status": "measured",
        "num_seeds": "3",
        "percent": "76.0",
        "percent_std": "1.0",
        "frames": "5.0",
        "gflops": "0.022",
        "gflops_std": "0.002",
        "num_evaluated": "40",
        "num_manifest": "100",
        "num_missing": "1",
        "num_unreadable": "2",
        "num_duplicate": "0",
        "difference_reference": "all_frames",
        "difference_points": "-4.0",
        "difference_low": "-4.0",  # the same noise in both rows: paired, nothing is left of it
        "difference_high": "-4.0",
        "paper_percent": "76.1",
        "paper_gflops": "26.1",
        "labels": "built-in data",
    }
    assert {name: frameexit[name] for name in expected} == expected
    assert float(frameexit["percent_high"]) - float(frameexit["percent_low"]) > 4
    assert rows["all_frames", "ResNet"]["difference_points"] == ""
    shown = (tmp_path / "table1.md").read_text(encoding="utf-8")
    cells = "76.0 ± 1.0 | -4.0 [-4.0, -4.0]* | 0.0220 ± 0.0020 | 5.0 | 40 | 76.1 | 26.1"
    assert f"| FrameExit | {cells} |" in shown


def test_the_papers_rows_come_first_and_in_its_order(make_bench):
    bench = make_bench(METHODS)
    fill(bench)
    spec = load_paper().tables["table1"]
    rows = [row for row in collect(bench.config, bench.methods, spec) if row.role == "long"]
    assert [(row.row, row.group) for row in rows[:13]] == [(r.id, r.group) for r in spec.rows]
    assert [(row.row, row.kind) for row in rows[13:]] == [
        ("zz_new", "method"),
        ("uniform_10", "baseline"),
        ("coin", "control"),
    ]


def test_a_new_row_shows_what_its_own_paper_prints(make_bench, tmp_path):
    bench = make_bench(METHODS)
    manifest = bench.methods["ours"].folder / "method.yaml"
    added = "    reported: {long: {where: Table 1, percent: 61.5, gflops: 9}}\n"
    manifest.write_text(manifest.read_text() + "\n" + added)
    bench = replace(bench, methods=discover([manifest.parents[1]]))
    fill(bench)
    write_shown(bench.config, bench.methods, "table1", tmp_path)
    rows = {row["row"]: row for row in read(tmp_path / "table1.csv")}
    assert (rows["zz_new"]["paper_percent"], rows["zz_new"]["paper_gflops"]) == ("61.5", "9.0")
    assert rows["coin"]["paper_percent"] == ""


def test_rows_without_a_number_say_why(make_bench, tmp_path):
    bench = make_bench(METHODS)
    fill(bench, skip=[("ours", "default"), ("coin", "default"), ("fixed", "ten")])
    for seed in bench.config.seeds:
        bench.failure(RunKey("films", "ours", "default", seed), "loss is\nnot finite")
    bench.result(RunKey("films", "fixed", "ten", 1), 0.5, np.full(200, 0.5))
    bench.failure(RunKey("films", "ours", "wide", 2), "out of memory")
    write_shown(bench.config, bench.methods, "table1", tmp_path)
    rows = {(row["row"], row["group"]): row for row in read(tmp_path / "table1.csv")}
    statuses = {
        row: rows[row, "ResNet"]["status"] for row in ("frameexit", "zz_new", "coin", "arnet")
    }
    assert statuses == {
        "frameexit": "failed: loss is not finite",
        "zz_new": "failed: seed 2: out of memory",
        "coin": "missing: no result",
        "arnet": "not run here",
    }
    assert rows["uniform_10", "ResNet"]["status"] == "missing: no result of seed 0, 2"
    for row in ("frameexit", "zz_new", "coin", "uniform_10"):
        assert rows[row, "ResNet"]["percent"] == ""
    assert rows["frameexit", "ResNet"]["paper_percent"] == "76.1"
    assert rows["frameexit", "EfficientNet"]["status"] == "not run here"
    with (tmp_path / "table1.csv").open(encoding="utf-8") as file:
        short = [row["status"] for row in csv.DictReader(file) if row["role"] == "short"]
    assert set(short) == {"no such dataset in this profile"}


@pytest.mark.parametrize(("points", "star"), [(3.0, True), (0.5, False), (-3.0, True)])
def test_only_an_interval_without_zero_is_marked(make_bench, tmp_path, points, star):
    bench = make_bench(METHODS)
    noise = np.random.default_rng(3).normal(scale=0.01, size=200)
    for seed in bench.config.seeds:
        bench.result(RunKey("films", "fixed", "all", seed), 0.5, np.full(200, 0.5))
        value = 0.5 + points / 100
        bench.result(RunKey("films", "ours", "default", seed), value, value + noise)
    write_shown(bench.config, bench.methods, "table1", tmp_path)
    row = next(r for r in read(tmp_path / "table1.csv") if r["row"] == "frameexit")
    # One noise for all seeds, whose mean is no difference.
    spread = 100 * np.quantile(noise - noise.mean(), [0.025, 0.975]) + points
    found = float(row["difference_low"]), float(row["difference_high"])
    assert found == pytest.approx(spread)
    line = next(
        line
        for line in (tmp_path / "table1.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| FrameExit | 5") or line.startswith("| FrameExit | 4")
    )
    assert ("]*" in line) == star


def test_rows_on_different_videos_are_not_compared(make_bench, tmp_path):
    bench = make_bench(METHODS)
    for seed in bench.config.seeds:
        bench.result(RunKey("films", "fixed", "all", seed), 0.5, np.full(200, 0.5))
        bench.result(RunKey("films", "ours", "default", seed), 0.6, np.full(200, 0.6), evaluated=39)
    write_shown(bench.config, bench.methods, "table1", tmp_path)
    row = next(r for r in read(tmp_path / "table1.csv") if r["row"] == "frameexit")
    assert (row["percent"], row["difference_points"]) == ("60.0", "")
    caption = (tmp_path / "table1.md").read_text(encoding="utf-8")
    assert "40 test videos evaluated" in caption
    assert "39 test videos evaluated" in caption


def test_a_part_that_one_seed_never_runs_costs_it_nothing(make_bench, tmp_path):
    bench = make_bench(METHODS)
    fill(bench)
    for seed, parts in enumerate([{"backbone": 3e9}, {"backbone": 3e9, "small": 6e9}, {}]):
        key = RunKey("films", "ours", "default", seed)
        bench.result(key, 0.5, np.full(200, 0.5), components=parts)
    write_shown(bench.config, bench.methods, "table1", tmp_path)
    row = next(row for row in read(tmp_path / "table1.csv") if row["row"] == "frameexit")
    assert row["gflops_by_component"] == "backbone 2; small 2"


def test_one_seed_has_no_deviation(make_bench, tmp_path):
    bench = make_bench(METHODS, seeds=[0])
    fill(bench)
    write_shown(bench.config, bench.methods, "table1", tmp_path)
    row = next(r for r in read(tmp_path / "table1.csv") if r["row"] == "frameexit")
    assert (row["percent"], row["percent_std"], row["gflops_std"]) == ("75.0", "", "")
    assert "One seed." in (tmp_path / "table1.md").read_text(encoding="utf-8")


def test_a_profiles_own_group_and_a_table_with_one_group(make_bench):
    backbone = {"network": "efficientnet_b3", "weights": "random", "paper_group": "EfficientNet"}
    methods = {
        "ours": ("method", {"default": {"table1": "frameexit", "table5": "t10"}}),
        "fixed": ("baseline", {"ten": {"table1": "scsampler"}}),
    }
    bench = make_bench(methods, backbone=backbone)
    for seed in bench.config.seeds:
        for method, variant in (("ours", "default"), ("fixed", "ten")):
            bench.result(RunKey("films", method, variant, seed), 0.5, np.full(200, 0.5))
    tables = load_paper().tables
    first = collect(bench.config, bench.methods, tables["table1"])
    ran = [(r.row, r.group, r.label, r.in_paper) for r in first if r.measured]
    assert ran == [
        ("frameexit", "EfficientNet", "FrameExit", True),
        ("scsampler", "EfficientNet", "SCSampler", False),
    ]
    fifth = collect(bench.config, bench.methods, tables["table5"])
    assert [(r.row, r.group) for r in fifth if r.measured] == [("t10", "ResNet")]


def test_a_row_claimed_twice_is_refused(make_bench):
    bench = make_bench(
        {
            "ours": ("method", {"default": {"table1": "frameexit"}}),
            "theirs": ("method", {"default": {"table1": "frameexit"}}),
        }
    )
    with pytest.raises(BenchmarkError, match="row 'frameexit' of table1 is already that of ours"):
        collect(bench.config, bench.methods, load_paper().tables["table1"])


def test_same_input_same_bytes_in_any_folder(make_bench, tmp_path):
    bench = make_bench(METHODS)
    fill(bench)
    write_shown(bench.config, bench.methods, "table1", tmp_path / "first")
    moved = tmp_path / "elsewhere"
    shutil.copytree(bench.config.results, moved)
    config = bench.config.model_copy(update={"results": str(moved)})
    write_shown(config, bench.methods, "table1", tmp_path / "second")
    for name in ("table1.csv", "table1.md", "table1.tex"):
        written = (tmp_path / "first" / name).read_bytes()
        assert written == (tmp_path / "second" / name).read_bytes()
        assert str(tmp_path).encode() not in written


def test_the_caption_says_what_a_reader_must_know(make_bench, tmp_path):
    bench = make_bench(METHODS)
    fill(bench)
    write_shown(bench.config, bench.methods, "table1", tmp_path)
    caption = (tmp_path / "table1.md").read_text(encoding="utf-8").splitlines()[-1]
    for part in (
        "Data: made-up numbers_with 100 % of TeX's marks (built-in data).",
        "Backbone: small_cnn, random weights, frozen.",
        "standard deviation over 3 seeds",
        "1 GFLOP is 10^9 multiply-accumulates",
        "points against 'FrameExit w/o exit'",
        "paired bootstrap over videos and seeds (200 resamples); * where it excludes zero",
        "40 test videos evaluated; of all 100 in the manifest, 1 missing, 2 unreadable, 0 dup",
        "not the paper's",
    ):
        assert part in caption
    write_shown(bench.config, bench.methods, "table6", tmp_path)
    assert "chosen without labels" in (tmp_path / "table6.md").read_text(encoding="utf-8")


def test_a_label_that_not_all_rows_share_stands_at_its_row(make_bench, tmp_path):
    bench = make_bench(METHODS)
    fill(bench)
    for seed in bench.config.seeds:
        key = RunKey("films", "coin", "default", seed)
        bench.result(key, 0.5, np.full(200, 0.5), labels=("built-in data", "random weights"))
    write_shown(bench.config, bench.methods, "table1", tmp_path)
    assert "| coin default [random weights] | 50.0" in (tmp_path / "table1.md").read_text("utf-8")


def test_the_terminal_is_not_overrun(make_bench, capsys):
    bench = make_bench(METHODS)
    fill(bench)
    for table in load_paper().tables:
        print_table(bench.config, bench.methods, table)
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 120
    assert "76.0 ± 1.0  -4.0 [-4.0, -4.0]*  0.0220     5.0      40   76.1          26.1" in printed


def test_latex_is_whole_and_compiles(make_bench, tmp_path):
    bench = make_bench(METHODS)
    fill(bench)
    for table in load_paper().tables:
        write_shown(bench.config, bench.methods, table, tmp_path)
    write_shown(bench.config, bench.methods, "tables", tmp_path)
    text = (tmp_path / "table1.tex").read_text(encoding="utf-8")
    marks = [r"\toprule", r"\bottomrule", r"\begin{tabular}", r"\end{tabular}", r"\end{table}"]
    assert [text.count(mark) for mark in marks] == [1] * 5
    assert r"numbers\_with 100 \% of TeX's" in text
    assert r"& 76.0 $\pm$ 1.0 & $-$4.0 [$-$4.0, $-$4.0]* &" in text
    body = text[text.index(r"\toprule") : text.index(r"\bottomrule")].splitlines()
    for line in (line for line in body if line.startswith("FrameExit &")):
        spared = 4 * line.count(r"\multicolumn{5}")  # a status stands in five columns
        assert line.count(" & ") + spared == 14
    if shutil.which("pdflatex") is None:
        pytest.skip("no pdflatex here: structure checked, not compiled")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "tables.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout
