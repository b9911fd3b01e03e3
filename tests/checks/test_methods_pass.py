"""Every folder in methods/ passes the checks, but for those that its manifest excuses."""

import pytest

from benchmark.checks.run import check_method
from benchmark.cli import main
from benchmark.files.repository import REPOSITORY

NAMES = sorted(path.parent.name for path in REPOSITORY.glob("methods/*/method.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_a_method_of_the_repository_passes(name, methods):
    ended = list(check_method(methods[name], methods, NAMES))
    assert [f"{o.check}: {o}" for o in ended if o.status == "FAILED"] == []


def test_the_command_says_how_each_check_ended(capsys):
    assert main(["check", "oracle_exit", "--explain"]) == 0
    said = capsys.readouterr().out
    assert "  manifest          passed\n" in said
    assert "  no_label_leak     expected to fail: it reads the test labels" in said
    assert "(Test labels are for marking only" in said
    assert said.endswith("6 passed, 7 not applicable, 1 expected to fail\n")


def test_a_failed_check_is_explained_and_the_exit_code_says_so(write_method, capsys):
    manifest = (
        "name: one_more\nlabel: ' '\nkind: control\nsummary: Nothing.\nlicence: Apache-2.0\n"
        "source: {method: frameexit}\nvariants: {default: {label: plain}}\n"
    )
    code = (
        "from dataclasses import dataclass\nfrom benchmark.contract import ExitControl\n"
        "@dataclass\nclass Params: ...\nclass Method(ExitControl):\n    Params = Params\n"
    )
    root = write_method("one_more", manifest, code)
    assert main(["check", "one_more", "--methods-path", str(root)]) == 1
    said = capsys.readouterr().out
    assert "FAILED: README.md is missing or empty" in said
    assert "method.yaml: label is empty" in said
    assert "(Whoever reads a table can find out" in said
    assert "build             FAILED: could not run: TypeError" in said


def test_an_unknown_name_has_a_near_one(capsys):
    assert main(["check", "frameexi"]) == 1
    assert "no method 'frameexi' (did you mean 'frameexit'?)" in capsys.readouterr().err
