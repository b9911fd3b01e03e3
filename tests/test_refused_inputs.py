"""Bad numbers, files of the wrong kind and methods that do not import: one clear error each."""

from __future__ import annotations

import copy
import os
from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.config import validate
from benchmark.errors import BenchmarkError
from benchmark.jobs.job import read_resolved
from benchmark.methods import discover, load_method
from benchmark.preflight import check_files

INFINITE, NONE = float("inf"), float("nan")
GOOD = {
    "profile": "tried",
    "description": "a test",
    "seeds": [0],
    "datasets": {
        "long": {
            "role": "long",
            "builtin": {"set": "long", "num_train": 4, "num_val": 4},
            "sampling": {"positions": 8},
        },
        "clips": {
            "role": "short",
            "csv": {"csv": "labels.csv", "root": "{clips_root}"},
            "sampling": {"fps": 1},
        },
    },
    "backbone": {"network": "tiny_cnn", "weights": "random"},
    "training": {"head_units": 8, "learning_rate": 0.01, "batch_size": 4},
}


def _with(path, value):
    content = copy.deepcopy(GOOD)
    *parents, key = path.split(".")
    place = content
    for parent in parents:
        place = place.setdefault(parent, {})
    place[key] = value
    return content


@pytest.mark.parametrize(
    ("path", "values"),
    {
        "seeds": ([-1], [10**40], [INFINITE], [1.5], list(range(1000))),
        "extraction_parts": (1_000_000, 0, -1, INFINITE),
        "runs_per_job": (0, 10**12),
        "results": ("",),
        "training.learning_rate": (INFINITE, NONE, -1, 0, 1e30),
        "training.epochs_scale": (INFINITE, NONE, 1e12, 0, -2),
        "training.batch_size": (10**12, -4),
        "training.head_units": (10**12, 0),
        "training.accumulate": (10**15, 0),
        "datasets.clips.sampling.fps": (INFINITE, NONE, 1e9, -1),
        "datasets.clips.csv.num_folds": (10**9, 0),
        "datasets.long.sampling.positions": (10**9, 0),
        "datasets.long.sampling.short_side": (10**9,),
        "datasets.long.sampling.skip_start_s": (INFINITE, NONE, -1),
        "datasets.long.max_unreadable_fraction": (INFINITE, NONE, 2),
        "datasets.long.builtin.num_train": (10**12, -1),
        "datasets.long.builtin.seed": (10**30, -1),
        "backbone.size": (10**9, 0),
        "bootstrap.replicates": (10**12, 1),
        "compute.devices": (10**9, 0),
        "compute.num_nodes": (10**9, -1),
        "compute.checkpoint_epochs": (10**12, 0),
    }.items(),
)
def test_a_number_out_of_bounds_is_named_with_its_key(path, values):
    for value in values:
        with pytest.raises(BenchmarkError) as caught:
            validate(_with(path, value), "profile.yaml", folders_named=False)
        assert f"key '{path}" in str(caught.value) or f"profile.yaml: {path}" in str(caught.value)


@pytest.fixture
def files(tmp_path):
    """Return a folder with a file, a folder and a root of videos with its list."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "labels.csv").write_text("path,label\n")
    return tmp_path


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("results", "/dev/null", "/dev/null: results need a folder, and this is none. Fix: name"),
        ("results", "FILES/file", "FILES/file: results need a folder, and this is none"),
        ("results", "FILES/file/below", "FILES/file: results need a folder, and this is none"),
        ("results", "/" + "x" * 300, "cannot be looked up: File name too long"),
        ("clips_root", "/no/such", "/no/such: no such folder of videos. Fix: correct datasets"),
        ("clips_root", "FILES/file", "FILES/file: no such folder of videos. Fix: correct"),
        ("datasets.clips.csv.csv", "no.csv", "FILES/videos/no.csv is no file. Fix: correct"),
        ("datasets.clips.csv.root", "a{", "'a{' has a brace without its partner. Fix: write"),
        ("backbone.file", "FILES/folder", "FILES/folder: is a folder, and backbone.weights"),
        ("backbone.file", "FILES/no", "FILES/no: no such file, and backbone.weights: file"),
    ],
)
def test_a_file_of_the_wrong_kind_is_named_before_any_job(files, path, value, message):
    content = _with("clips_root", str(files / "videos"))
    content["results"] = str(files / "results")
    check_files(validate(content, "profile.yaml"))
    *parents, key = path.split(".")
    place = content
    for parent in parents:
        place = place[parent]
    place[key] = value.replace("FILES", str(files))
    if key == "file":
        content["backbone"]["weights"] = "file"
    with pytest.raises(BenchmarkError) as caught:
        check_files(validate(content, "profile.yaml"))
    assert message.replace("FILES", str(files)) in str(caught.value)
    assert not (files / "results").exists()


def test_a_results_folder_that_may_not_be_written_is_named(files, monkeypatch):
    content = {**_with("clips_root", str(files / "videos")), "results": str(files / "folder")}
    (files / "folder").chmod(0o555)
    if os.access(files / "folder", os.W_OK):
        pytest.skip("this user may write anywhere")
    with pytest.raises(BenchmarkError, match="results cannot be written here: no permission"):
        check_files(validate(content, "profile.yaml"))


MANIFEST = """\
name: odd
label: odd
kind: baseline
summary: A test.
licence: Apache-2.0
variants:
  default: {label: odd, shown_in: {table2: odd}}
"""


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import time\ntime.sleep(600)\n", "does not import within 1 s. Fix: do long work in"),
        ("while True:\n    pass\n", "does not import within 1 s"),
        ("import sys\nsys.exit(0)\n", r"does not import: SystemExit\(0\)"),
        ("class Odd(BaseException):\n    pass\nraise Odd('x')\n", r"does not import: Odd\('x'\)"),
        ("raise GeneratorExit\n", r"does not import: GeneratorExit\(\)"),
        ("print('words')\n", "has no class 'Method' with 'Params'"),
    ],
)
def test_a_method_that_does_not_import_says_so(write_method, monkeypatch, code, message):
    monkeypatch.setenv("BENCHMARK_IMPORT_SECONDS", "1")
    name = f"odd_{len(code)}"
    methods = discover([write_method(name, MANIFEST.replace("name: odd", f"name: {name}"), code)])
    with pytest.raises(BenchmarkError, match=f"{name}/method.py: {message}"):
        load_method(methods[name])


def test_a_limit_of_time_that_is_no_number_is_named(write_method, monkeypatch):
    monkeypatch.setenv("BENCHMARK_IMPORT_SECONDS", "soon")
    methods = discover([write_method("odd", MANIFEST)])
    with pytest.raises(BenchmarkError, match="BENCHMARK_IMPORT_SECONDS: 'soon' is no number"):
        load_method(methods["odd"])


@pytest.mark.parametrize("params", ["{a: .nan}", "{a: [1, .inf]}", "{a: {b: -.inf}}"])
def test_a_parameter_that_is_not_finite_is_named_with_its_line(write_method, params):
    manifest = MANIFEST.replace("{label: odd,", f"{{label: odd, params: {params},")
    with pytest.raises(BenchmarkError, match=r"method.yaml:7: variants.default.params.a is not"):
        discover([write_method("odd", manifest)])


def test_a_method_whose_code_is_a_folder_is_named(tmp_path):
    (tmp_path / "odd" / "method.py").mkdir(parents=True)
    (tmp_path / "odd" / "method.yaml").write_text(MANIFEST)
    with pytest.raises(BenchmarkError, match=r"method.yaml: has no method.py beside it"):
        discover([tmp_path])


def test_a_command_names_the_file_that_the_system_refuses(files, capsys):
    assert main(["schemas", "--folder", str(files / "file")]) == 1
    said = capsys.readouterr().err
    assert said == f"error: {files / 'file'}: Not a directory\n" or "File exists" in said


def test_settings_of_another_version_are_named(tmp_path):
    path: Path = tmp_path / "config.json"
    path.write_text('{"profile": "old"}')
    with pytest.raises(BenchmarkError, match=r"config.json: holds no settings of this version"):
        read_resolved(path)
