"""A new method's folder passes as it stands; so does the example that CONTRIBUTING.md ends with."""

import re
import shlex

import pytest
import yaml

from benchmark.checks.run import check_method
from benchmark.cli import main
from benchmark.commands.new_method import write_folder
from benchmark.files.repository import REPOSITORY
from benchmark.methods.discovery import discover


def test_the_command_writes_a_folder_that_passes_all_checks(tmp_path, capsys):
    assert main(["new-method", "mean_frame", "--folder", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert {path.name for path in (tmp_path / "mean_frame").iterdir()} == {
        *("method.yaml", "method.py", "README.md")
    }
    methods = discover([tmp_path])
    ended = list(check_method(methods["mean_frame"], methods))
    assert {o.status for o in ended} == {"passed"}, list(map(str, ended))
    shown = methods["mean_frame"].manifest.variants["default"].shown_in
    assert shown == dict.fromkeys(("table1", "table2", "figure6"), "mean_frame")
    for path in (tmp_path / "mean_frame").iterdir():
        assert "my_method" not in path.read_text().lower().replace(" ", "_")
    assert f"    python -m benchmark check mean_frame --methods-path {tmp_path}\n" in said
    assert f"--config profile=smoke methods_path={tmp_path} -- all_tables\n" in said


def test_the_next_commands_are_three(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("benchmark.commands.new_method._METHODS", tmp_path)
    assert main(["new-method", "mean_frame", "--folder", str(tmp_path)]) == 0
    commands = re.findall(r"^    (.*)$", capsys.readouterr().out, re.MULTILINE)
    assert [shlex.split(command) for command in commands] == [
        ["python", "-m", "benchmark", "check", "mean_frame"],
        ["snakemake", "--cores", "2", "--config", "profile=smoke", "--", "all_tables"],
        ["python", "-m", "benchmark", "show", "table1", "--profile", "smoke"],
    ]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("3D-Net", "cannot be a method's name: .*for example my_3d_net"),
        ("Frame Exit", "cannot be a method's name: .*for example frame_exit"),
        ("class", "cannot be a method's name: .*no word of Python. Fix: for example my_class"),
        ("../x", "cannot be a method's name: .*for example x"),
        ("frameexit", "methods/frameexit: the name 'frameexit' is taken. Fix: choose another"),
        ("mine", "mine: the name 'mine' is taken. Fix: choose another one, for example mine_2"),
    ],
)
def test_a_name_that_cannot_be_is_refused(tmp_path, capsys, name, message):
    write_folder("mine", tmp_path)
    assert main(["new-method", name, "--folder", str(tmp_path)]) == 1
    assert re.search(message, capsys.readouterr().err)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_the_example_of_contributing_passes_all_checks(tmp_path):
    text = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text[text.index("## A new method") : text.index("## A new dataset")]
    manifest, code = re.findall(r"```(?:yaml|python)\n(.*?)```", section, re.DOTALL)
    folder = write_folder(yaml.safe_load(manifest)["name"], tmp_path)
    (folder / "method.yaml").write_text(manifest)
    (folder / "method.py").write_text(code)
    methods = discover([tmp_path])
    ended = list(check_method(methods[folder.name], methods))
    assert {o.status for o in ended} == {"passed"}, list(map(str, ended))
