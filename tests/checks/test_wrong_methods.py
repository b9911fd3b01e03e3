"""A method that is wrong in one way fails exactly one check, and a good one none."""

import re

import pytest
from written_methods import CONTROL, changed, write_method
from wrong_methods import CODE, CONTROLS, GOOD, README, TRADE_OFF, WRONG

from benchmark.checks.run import check_method
from benchmark.methods.check_names import CHECK_NAMES
from benchmark.methods.discovery import discover


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Write all these methods into one folder and return them by name."""
    root = tmp_path_factory.mktemp("wrong")

    def write(name, code=CODE, kind="baseline", more=TRADE_OFF):
        write_method(root, name, code, kind, more)
        (root / name / "README.md").write_text(README.format(name=name))

    write(GOOD)
    for name, (_, file, changes) in WRONG.items():
        write(name)
        path = root / name / file
        path.write_text(changed(path.read_text(), changes))
    for name, (_, exits) in CONTROLS.items():
        code, source = CONTROL.format(exits=exits), "source: {method: good_exit, train_steps: true}"
        write(name, code, "control", source)
    learns_nothing = changed(CODE, WRONG["learns_nothing"][2])
    for name, check, code in (
        ("fails_as_declared", "fit", learns_nothing),
        ("passes_in_spite", "seed", CODE),
    ):
        declared = f"expected_failed_checks: {{{check}: it was meant so}}"
        write(name, code, more=f"{TRADE_OFF}\n{declared}")
    return discover([root])


def outcomes(written, name):
    return {
        outcome.check: outcome for outcome in check_method(written[name], written, list(written))
    }


def failed(written, name):
    ended = outcomes(written, name)
    assert tuple(ended) == CHECK_NAMES
    return {check: str(o) for check, o in ended.items() if o.status == "FAILED"}


def test_each_check_has_a_method_that_fails_it():
    assert {check for check, *_ in WRONG.values()} == set(CHECK_NAMES)


def test_a_good_method_passes_all(written):
    assert {o.status for o in outcomes(written, GOOD).values()} == {"passed"}


@pytest.mark.parametrize(("name", "check"), [(name, WRONG[name][0]) for name in WRONG])
def test_a_wrong_method_fails_exactly_that_check(written, name, check):
    wrong = failed(written, name)
    assert list(wrong) == [check], wrong
    assert re.match(r"FAILED: (?!could not run).{10}", wrong[check])


@pytest.mark.parametrize(("name", "check"), [(name, CONTROLS[name][0]) for name in CONTROLS])
def test_a_control_fails_exactly_its_check(written, name, check):
    wrong = failed(written, name)
    assert list(wrong) == ([check] if check else []), wrong


def test_what_is_declared_to_fail_must_fail(written):
    declared = outcomes(written, "fails_as_declared")
    assert str(declared["fit"]) == "expected to fail: it was meant so"
    assert {o.status for o in declared.values()} == {"passed", "expected to fail"}
    wrong = failed(written, "passes_in_spite")
    assert list(wrong) == ["seed"]
    assert "is expected to fail (it was meant so) and passes: take it from" in wrong["seed"]


def test_what_makes_no_sense_for_a_control_says_why(written):
    ended = outcomes(written, "good_control")
    away = {check for check, o in ended.items() if o.status == "not applicable"}
    assert away == {
        *("fit", "checkpoint", "batch_invariance", "device", "no_look_ahead", "frames_opened"),
        "monotone_cost",
    }
    assert (
        ended["fit"].reason == "it only re-reads the stored steps of good_exit, and trains nothing"
    )
