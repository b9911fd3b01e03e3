"""A method's code that waits, ends Python or does not import is named, within a limit of time."""

from __future__ import annotations

import pytest
from written_methods import METHOD, write_method

from benchmark.checks.import_probe import import_faults
from benchmark.errors import BenchmarkError, MachineError
from benchmark.methods.discovery import discover
from benchmark.methods.loading import load_method

IN_C = "sum(range(10**15))\n"  # no signal is looked at before it ends
AT_WORK = (
    "import time\nwhile True:\n    try:\n        time.sleep(9)\n    finally:\n        continue\n"
)


@pytest.fixture
def load(tmp_path, monkeypatch, request):
    """Return a function that loads a method of some code, within a second."""
    monkeypatch.setenv("BENCHMARK_IMPORT_SECONDS", "1")
    name = f"odd_{abs(hash(request.node.name))}"  # modules are imported once by name

    def load(code):
        write_method(tmp_path, name, code)
        return load_method(discover([tmp_path])[name])

    return load


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (IN_C, "does not import within 1 s. Fix: do long work in the method's __init__, or set"),
        (AT_WORK, "does not import within 1 s"),
        ("import os\nos._exit(3)\n", r"ends Python while it is imported \(exit code 3\). Fix"),
        ("import os\nos._exit(0)\n", r"ends Python while it is imported \(exit code 0\)"),
        ("import os\nos.kill(os.getpid(), 15)\n", r"ends Python .* \(signal 15\). Fix: take out"),
        ("raise KeyboardInterrupt\n", r"ends Python while it is imported \(exit code 130\)"),
        ("import sys\nsys.exit(0)\n", r"does not import: SystemExit\(0\)"),
        ("class Odd(BaseException):\n    pass\nraise Odd('x')\n", r"does not import: Odd\('x'\)"),
        ("raise GeneratorExit\n", r"does not import: GeneratorExit\(\)"),
        ("print('words')\n", "has no class 'Method' with 'Params'"),
        ("class Method:\n    Params = int\n", r"its class 'Method' derives from none of .* Fix"),
    ],
)
def test_code_that_cannot_be_imported_is_named_with_the_reason(load, code, message):
    with pytest.raises(BenchmarkError, match=f"/method.py: {message}"):
        load(code)


def test_an_import_that_is_killed_is_the_machines_fault(load):
    with pytest.raises(MachineError, match="the process that imports it was killed"):
        load("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")


def test_code_that_took_too_long_is_not_tried_again(load):
    for _ in range(5):  # each of which would take a second
        with pytest.raises(BenchmarkError, match="does not import within 1 s"):
            load(load(f"open(__file__ + '.tried', 'x')\n{IN_C}"))


def test_what_an_import_prints_is_printed_once(load, capfd):
    load("print('a word')\n" + METHOD)
    assert capfd.readouterr().out == "a word\n"


def test_a_limit_of_time_that_is_no_number_is_named(load, monkeypatch):
    monkeypatch.setenv("BENCHMARK_IMPORT_SECONDS", "soon")
    with pytest.raises(BenchmarkError, match="BENCHMARK_IMPORT_SECONDS: 'soon' is no number"):
        load("")


def test_the_check_of_imports_names_what_does_not_end_and_goes_on(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCHMARK_IMPORT_SECONDS", "1")
    codes = {"waits": IN_C, "ends": "import os\nos._exit(3)\n", "holds": METHOD}
    for name, code in codes.items():
        write_method(tmp_path, name, code)
    found = import_faults([tmp_path], list(codes))
    assert "waits/method.py: does not import within 1 s" in found["waits"][0]
    assert "ends/method.py: ends Python while it is imported" in found["ends"][0]
    assert found["holds"] == []
