"""Which variants a profile runs, where it names some."""

import pytest

from benchmark.config.load import load_config
from benchmark.errors import BenchmarkError
from benchmark.experiment.plan import make_plan
from benchmark.files.repository import REPOSITORY

SMOKE = REPOSITORY / "config" / "smoke.yaml"


def plan_of(only_methods, **settings):
    return make_plan(load_config(SMOKE, {"only_methods": only_methods, **settings}))


def test_all_run_where_none_is_named():
    plan = plan_of("")
    assert {method for _, method in plan.variants} > {"frameexit", "uniform_k", "oracle_exit"}


def test_methods_and_variants_that_are_named_run_alone():
    plan, whole = plan_of(" frameexit/default , uniform_k"), plan_of("")
    assert {method for _, method in plan.variants} == {"frameexit", "uniform_k"}
    for (dataset, method), variants in plan.variants.items():
        of_all = whole.variants[dataset, method]
        assert variants == (("default",) if method == "frameexit" else of_all)
    assert {dataset for dataset, _ in plan.variants} == set(plan.config.datasets)


def test_an_exit_control_brings_its_source():
    plan = plan_of("oracle_exit")
    assert {method for _, method in plan.variants} == {"oracle_exit", "frameexit"}
    assert all(plan.variants[d, m] == ("default",) for d, m in plan.variants if m == "frameexit")
    assert plan.config.asks_for("frameexit", "default")
    assert not plan.config.asks_for("frameexit", "no_exit")
    assert make_plan(plan.config).config == plan.config


def test_a_name_that_is_none_is_an_error():
    with pytest.raises(BenchmarkError) as raised:
        plan_of("frameexit/defaults,uniform_kk,frameexit")
    said = str(raised.value)
    assert (
        "no method or method/variant 'frameexit/defaults' (did you mean 'frameexit/default'?)"
        in said
    )
    assert "no method or method/variant 'uniform_kk' (did you mean 'uniform_k'?)" in said


def test_nothing_to_run_is_an_error():
    with pytest.raises(BenchmarkError, match="none of frameexit/released runs"):
        plan_of("frameexit/released")
