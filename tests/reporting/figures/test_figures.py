import csv
import shutil
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from matplotlib.image import imread
from write_shown import write_shown

from benchmark.data.manifest.manifest import read_manifest
from benchmark.errors import BenchmarkError
from benchmark.evaluation.metrics import average_precision
from benchmark.experiment.layout import RunKey
from benchmark.experiment.paper import load_paper
from benchmark.reporting.figures.classes import draw_classes
from benchmark.reporting.figures.shown_runs import ShownRun
from benchmark.reporting.figures.style import in_style_order, style_of
from benchmark.step_records import StepRecords

FIGURES = ["figure3", "figure4", "figure5", "figure6"]
EVERYWHERE = dict.fromkeys(FIGURES[1:], "frameexit")
METHODS = {
    "ours": (
        "method",
        {
            "default": {**EVERYWHERE, "figure3": "beta_1e-4"},
            "eager": {"figure3": "beta_1e-2", "figure6": "frameexit"},
        },
    ),
    "oracle": ("control", {"default": {"figure6": "oracle_exit"}}),
}
CLASSES = [f"class{letter}" for letter in "abcde"]


@pytest.fixture(params=["single label", "several labels"])
def filled(make_bench, simulated, request):
    bench = make_bench(METHODS)
    rng = np.random.default_rng(0)
    sizes = np.ones(60, int) if request.param == "single label" else rng.integers(1, 3, 60)
    labels = ["|".join(sorted(rng.choice(CLASSES, size, replace=False))) for size in sizes]
    manifest = bench.manifest("films", labels, CLASSES)
    for seed in bench.config.seeds:
        for method, variant, threshold in (
            ("ours", "default", 0.7),
            ("ours", "eager", 0.4),
            ("oracle", "default", 0.6),
        ):
            steps = simulated(manifest, np.random.default_rng(seed), threshold=threshold)
            bench.run(RunKey("films", method, variant, seed), steps, manifest)
    return bench


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("figure", FIGURES)
def test_figures_show_something_and_are_the_same_each_time(filled, tmp_path, figure):
    config = filled.config
    write_shown(config, filled.methods, figure, tmp_path / "first")
    moved = tmp_path / "elsewhere"
    shutil.copytree(config.results, moved)
    config = config.model_copy(update={"results": str(moved)})
    write_shown(config, filled.methods, figure, tmp_path / "second")
    for kind in ("png", "svg", "csv"):
        written = (tmp_path / "first" / f"{figure}.{kind}").read_bytes()
        assert written == (tmp_path / "second" / f"{figure}.{kind}").read_bytes()
    assert b"<dc:date>" not in (tmp_path / "first" / f"{figure}.svg").read_bytes()
    assert ET.parse(tmp_path / "first" / f"{figure}.svg").getroot().tag.endswith("svg")
    picture = imread(tmp_path / "first" / f"{figure}.png")
    assert min(picture.shape[:2]) > 400
    assert (picture[..., :3].std(axis=2) > 0.05).sum() > 500  # pixels with a colour


def test_figures_without_runs_say_so(make_bench, tmp_path):
    bench = make_bench(METHODS)
    bench.manifest("films", ["classa", "classb"], CLASSES)
    for seed in bench.config.seeds:
        bench.failure(RunKey("films", "ours", "default", seed), "out of memory")
    for figure in FIGURES:
        write_shown(bench.config, bench.methods, figure, tmp_path)
        assert (tmp_path / f"{figure}.png").stat().st_size > 5000
    assert {row["source"] for row in read(tmp_path / "figure6.csv")} == {"published"}
    assert read(tmp_path / "figure3.csv") == []


def test_a_measured_run_without_predictions_is_an_error(filled, tmp_path):
    key = RunKey("films", "ours", "default", 1)
    (key.folder(filled.layout.runs) / "predictions.parquet").unlink()
    with pytest.raises(BenchmarkError, match=r"predictions\.parquet: the file is missing"):
        write_shown(filled.config, filled.methods, "figure4", tmp_path)


def test_the_matrix_counts_each_video_where_it_exits(make_bench, steps_of, tmp_path):
    bench = make_bench(METHODS, seeds=[0, 1])
    manifest = bench.manifest("films", ["classa"] * 3 + ["classb"], CLASSES[:2])
    right, wrong = [0.9, 0.1], [0.1, 0.9]
    scores = np.array(
        [
            [right, right, wrong],  # exits at 1: right there and at 2, wrong at 3
            [wrong, right, right],  # exits at 1: wrong there
            [wrong, right, right],  # exits at 2
            [wrong, wrong, right],  # class b: right at 1 and 2; exits at 2
        ]
    )
    for seed in bench.config.seeds:
        steps = steps_of(manifest, np.array([1, 1, 2, 2]), scores)
        bench.run(RunKey("films", "ours", "default", seed), steps, manifest)
    write_shown(bench.config, bench.methods, "figure4", tmp_path)
    found = [
        [row["correct_percent"] for row in read(tmp_path / "figure4.csv")[3 * i : 3 * i + 3]]
        for i in range(3)
    ]
    assert found == [["50.0", "100.0", "50.0"], ["50.0", "100.0", "50.0"], ["", "", ""]]
    cells = read(tmp_path / "figure4.csv")
    assert [cell["num_answers"] for cell in cells[::3]] == ["4", "4", "0"]  # over both seeds
    write_shown(bench.config, bench.methods, "figure3", tmp_path)
    circles = read(tmp_path / "figure3.csv")
    assert [circle["share_percent"] for circle in circles] == ["50.0", "50.0", "0.0"]
    assert [circle["correct_percent"] for circle in circles] == ["50.0", "100.0", ""]


def test_classes_stand_at_their_own_frames_and_precision(filled, tmp_path):
    write_shown(filled.config, filled.methods, "figure5", tmp_path)
    found = {row["name"]: row for row in read(tmp_path / "figure5.csv")}
    assert list(found) == CLASSES
    manifest = read_manifest(filled.layout.manifest("films"))
    frames, precisions = [], []
    for seed in filled.config.seeds:
        folder = RunKey("films", "ours", "default", seed).folder(filled.layout.runs)
        steps = StepRecords.load(folder / "predictions.parquet")
        shows = manifest.rows["labels"].str.split("|").map(lambda names: "classb" in names)
        frames.append(steps.exit_step[shows.to_numpy()].mean())
        precisions.append(average_precision(steps.exit_scores()[:, 1], shows.to_numpy()))
    row = found["classb"]
    assert float(row["frames"]) == pytest.approx(np.mean(frames))
    assert float(row["average_precision_percent"]) == pytest.approx(100 * np.mean(precisions))
    assert int(row["num_videos"]) == shows.sum()


def test_names_of_classes_touch_no_other_name(make_bench, simulated):
    bench = make_bench(METHODS)
    names = [f"class{number:03d}" for number in range(200)]
    manifest = bench.manifest("films", names * 3, names)
    key = RunKey("films", "ours", "default", 0)
    bench.run(key, simulated(manifest, np.random.default_rng(0)), manifest)
    runs = bench.layout.runs
    run = ShownRun("frameexit", "ours", "ours", "measured", (key,), runs, manifest)
    figure, classes = draw_classes(bench.config, "title", [run])
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert len(classes) == 200
    assert 20 < len(boxes) < 200
    assert [box.count_overlaps(boxes) for box in boxes] == [1] * len(boxes)  # itself


def test_the_tradeoff_holds_every_measured_and_published_point(filled, tmp_path):
    write_shown(filled.config, filled.methods, "figure6", tmp_path)
    points = read(tmp_path / "figure6.csv")
    measured = [point for point in points if point["source"] == "measured"]
    assert [(p["row"], p["label"]) for p in measured] == [
        ("frameexit", "ours eager"),  # the cheaper of the two
        ("frameexit", "ours default"),
        ("oracle_exit", "oracle default"),
    ]
    for point in measured:
        assert float(point["percent_low"]) < float(point["percent"]) < float(point["percent_high"])
    published = {(p["row"], p["group"], p["gflops"]): p["percent"] for p in points[len(measured) :]}
    assert published["frameexit", "ResNet", "17.96"] == "72.72"
    assert published["frameexit", "X3D-S", "9.8"] == "86.0"
    assert published["arnet", "EfficientNet", "15.3"] == "79.7"
    curves = sum(len(curve.gflops) for curve in load_paper().figures["figure6"].curves)
    others = 6 + 1 + 2  # rivals on ResNet, AR-Net on EfficientNet, two of X3D-S
    assert len(published) == curves + others


def test_a_method_keeps_its_style_when_others_come():
    before = style_of("uniform", ["frameexit", "uniform"])
    assert style_of("uniform", ["aaa", "frameexit", "uniform", "zzz"]) == before
    styles = {style_of(row, ["aaa"]) for row in in_style_order(["frameexit", "aaa", "arnet"])}
    assert len(styles) == 3
    assert in_style_order(["zzz", "uniform", "aaa", "frameexit", "aaa"]) == [
        "frameexit",
        "uniform",
        "aaa",
        "zzz",
    ]
    named = load_paper().figures["figure6"].style_order
    assert len({style_of(row, named).colour for row in named}) == len(named)
    assert len({style_of(row, named).mark for row in named}) == len(named)


def test_the_front_is_what_nothing_beats_but_the_bound(make_bench, tmp_path):
    shown = {
        "first": {"figure6": "first"},
        "worse": {"figure6": "worse"},
        "expensive": {"figure6": "expensive"},
    }
    bench = make_bench(
        {"m": ("method", shown), "oracle": ("control", {"default": {"figure6": "oracle_exit"}})}
    )
    numbers = {
        ("m", "first"): (0.8, 2e9),
        ("m", "worse"): (0.7, 3e9),
        ("m", "expensive"): (0.9, 4e9),
        ("oracle", "default"): (0.99, 1e9),
    }
    for (method, variant), (value, macs) in numbers.items():
        for seed in bench.config.seeds:
            bench.result(
                RunKey("films", method, variant, seed), value, np.full(200, value), macs=macs
            )
    write_shown(bench.config, bench.methods, "figure6", tmp_path)
    measured = [row for row in read(tmp_path / "figure6.csv") if row["source"] == "measured"]
    assert {row["label"]: row["on_front"] for row in measured} == {
        "m first": "True", "m worse": "False", "m expensive": "True", "oracle default": "False",
    }  # fmt: skip
