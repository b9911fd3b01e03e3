"""Bad numbers, unknown networks and files of the wrong kind: one clear error each."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url
from written_methods import manifest_of
from written_profiles import with_setting

from benchmark.cli import main
from benchmark.config.load import validate
from benchmark.errors import BenchmarkError
from benchmark.experiment.finished import read_resolved
from benchmark.files.writing import replace_when_complete, write_json
from benchmark.jobs.preflight import check_files
from benchmark.methods.discovery import discover
from benchmark.tracking.mirror import tracking_uri

INFINITE, NONE = float("inf"), float("nan")


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
            validate(with_setting(path, value), "profile.yaml", folders_named=False)
        assert f"key '{path}" in str(caught.value) or f"profile.yaml: {path}" in str(caught.value)


@pytest.fixture
def files(tmp_path):
    """Return a folder with a file, a folder and a root of videos with its list."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "labels.csv").write_text("path,label\n")
    return tmp_path


def _listed(files):
    """Return a profile that lists the videos of that folder."""
    content = with_setting("clips_root", str(files / "videos"))
    content["datasets"]["clips"]["csv"]["root"] = "{clips_root}"
    return content


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("results", "/dev/null", "/dev/null: results need a folder, and this is none. Fix: name"),
        ("results", "FILES/file", "FILES/file: results need a folder, and this is none"),
        ("results", "FILES/file/below", "FILES/file: results need a folder, and this is none"),
        ("results", "FILES/loop/x", "FILES/loop: results need a folder, and this is none"),
        ("results", "/proc/x", "/proc: results cannot be written here: No such file or directory"),
        ("results", "FILES/a?b", "FILES/a?b/tried: MLflow's database cannot lie in a folder with"),
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
    content = _listed(files)
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


def test_mlflows_database_lies_in_the_results_whatever_other_signs_their_name_has(files):
    name = "a b#c%d%20e'f\"g&h;i@j:k+l=é\\$(m)"
    config = validate({**_listed(files), "results": str(files / name)}, "profile.yaml")
    check_files(config)
    address = make_url(tracking_uri(config))
    assert (address.database, dict(address.query)) == (str(config.folder / "mlflow.db"), {})


def test_another_store_lets_results_lie_anywhere(files):
    content = {**_listed(files), "results": str(files / "a?b #%'c"), "mlflow_uri": "http://x"}
    check_files(validate(content, "profile.yaml"))


@pytest.mark.parametrize(
    ("key", "network", "weights", "message"),
    [
        ("backbone", "tiny_cn", "random", "network: unknown network 'tiny_cn' (did you mean"),
        ("networks.sound", "no_such", "random", "network: unknown network 'no_such' (known: aud"),
        ("backbone", "tiny_cnn", "hub", "weights: nobody publishes weights of 'tiny_cnn'. Fix:"),
        ("networks.more", "resnet18", "package", "weights: no package carries weights of 'resn"),
    ],
)
def test_a_network_that_cannot_be_had_is_named_before_any_job(key, network, weights, message):
    content = with_setting(key, {"network": network, "weights": weights})
    with pytest.raises(BenchmarkError) as caught:
        validate(content, "profile.yaml", folders_named=False)
    assert f"profile.yaml: {key}.{message}" in str(caught.value)


def test_a_profile_is_checked_without_importing_torch():
    code = "import sys, benchmark.jobs.preflight; from benchmark.config.load import load_profile; "
    code += "from benchmark.experiment.plan import make_plan; "
    code += "make_plan(load_profile({'profile': 'smoke'})); "
    code += "print('torch' in sys.modules, 'mlflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"


def test_a_results_folder_that_may_not_be_written_is_named(files, monkeypatch):
    content = _listed(files)
    content["results"] = str(files / "folder")
    (files / "folder").chmod(0o555)
    if os.access(files / "folder", os.W_OK):
        pytest.skip("this user may write anywhere")
    with pytest.raises(BenchmarkError, match="results cannot be written here: Permission denied"):
        check_files(validate(content, "profile.yaml"))


MANIFEST = manifest_of("odd")


@pytest.mark.parametrize("params", ["{a: .nan}", "{a: [1, .inf]}", "{a: {b: -.inf}}"])
def test_a_parameter_that_is_not_finite_is_named_with_its_line(write_method, params):
    manifest = MANIFEST.replace("{label: odd,", f"{{label: odd, params: {params},")
    with pytest.raises(BenchmarkError, match=r"method.yaml:8: variants.default.params.a is not"):
        discover([write_method("odd", manifest)])


def test_a_reported_number_that_is_not_finite_is_named(write_method):
    reported = "reported: {long: {where: x, percent: .nan}}"
    manifest = MANIFEST.replace("{label: odd,", f"{{label: odd, {reported},")
    with pytest.raises(BenchmarkError, match=r"percent': Input should be a finite number"):
        discover([write_method("odd", manifest)])


def test_a_method_whose_code_is_a_folder_is_named(tmp_path):
    (tmp_path / "odd" / "method.py").mkdir(parents=True)
    (tmp_path / "odd" / "method.yaml").write_text(MANIFEST)
    with pytest.raises(BenchmarkError, match=r"method.yaml: has no method.py beside it"):
        discover([tmp_path])


JOB = ("job", "--config", "FILES/tried/config.json")
COLUMNS = ("--label-column", "labels", "--out", "FILES/out.csv", "--dataset", "x")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["schemas", "--folder", "FILES/file"], 1, "error: FILES/file: "),
        (["schemas", "--folder", "FILES/file"], 1, ". Fix: name another path, or correct what"),
        (["show", "tabel1"], 1, "error: no table 'tabel1' (did you mean 'table1'?)"),
        (["show", "--results", "FILES"], 1, "FILES/tried/runs: there are no results yet. Fix: run"),
        (["show", "videos", "--results", "FILES"], 1, "no videos have been listed yet. Fix: run"),
        (["audit", "--videos", "0"], 2, "argument --videos: '0' is no whole number from 1 on"),
        (["audit", "--seed", "9", "--results", "FILES"], 1, "has no seed 9 (known: 0)"),
        (["manifest", "x", *COLUMNS, "--folds", "-3"], 2, "argument --folds: '-3' is no whole"),
        (["manifest", "x", *COLUMNS, "--workers", "0"], 2, "argument --workers: '0' is no whole"),
        (
            ["manifest", "x", *COLUMNS, "--max-unreadable-fraction", "nan"],
            2,
            "argument --max-unreadable-fraction: 'nan' is no number from 0 to 1",
        ),
        (["manifest", "x", *COLUMNS, "--dataset", "$(x)"], 2, "argument --dataset: '$(x)' is no"),
        (["manifest", "FILES/pipe", *COLUMNS], 1, "FILES/pipe: is a named pipe, not a file. Fix"),
        (["import", "frameexit-release", "FILES/pipe"], 1, "FILES/pipe: is a named pipe, not a"),
        ([*JOB, "nosuch"], 1, "error: nosuch: no stage 'nosuch' (known: "),
        ([*JOB, "manifest", "--dataset", "lung"], 1, "no dataset 'lung' (did you mean 'long'?)"),
        ([*JOB, "manifest", "--config", "FILES"], 1, "FILES: is a folder, not a file. Fix: name"),
        ([*JOB, "train", "--seeds", "x"], 2, "argument --seeds: 'x' are no whole numbers, as 0-1"),
        (["plan", "--gmacs-per-second", "inf"], 2, "argument --gmacs-per-second: 'inf' is neither"),
    ],
)
def test_a_wrong_argument_of_a_command_is_named(files, capsys, words, code, message):
    os.mkfifo(files / "pipe")
    config = validate(with_setting("results", str(files)), "x")
    write_json(files / "tried" / "config.json", config.model_dump(mode="json"))
    words = [word.replace("FILES", str(files)) for word in words]
    words += ["--profile", "tried"] if words[0] in ("show", "audit") else []
    try:
        ended = main(words)
    except SystemExit as end:  # of the parser
        ended = end.code
    assert ended == code
    assert message.replace("FILES", str(files)) in capsys.readouterr().err


def test_a_file_is_not_written_over_a_folder(files):
    with (
        pytest.raises(IsADirectoryError, match=r"Is a directory: '.*/folder'"),
        replace_when_complete(files / "folder"),
    ):
        pass


@pytest.mark.parametrize("name", ["method.yaml", "method.py"])
def test_a_methods_folder_without_a_readable_manifest_is_named(tmp_path, name):
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / name).symlink_to("/no/such/file")
    with pytest.raises(BenchmarkError, match=r"odd/method.yaml: not readable: No such file.*Fix"):
        discover([tmp_path])


def test_settings_of_another_version_are_named(tmp_path):
    path: Path = tmp_path / "config.json"
    path.write_text('{"profile": "old"}')
    with pytest.raises(BenchmarkError, match=r"config.json: holds no settings of this version"):
        read_resolved(path)
