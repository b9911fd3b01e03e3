"""Rows of variants that a profile leaves out, though an earlier run of it measured them."""

import numpy as np
import pytest

from benchmark.experiment.layout import RunKey
from benchmark.experiment.paper import load_paper
from benchmark.experiment.shown_runs import shown_keys
from benchmark.reporting.tables.measurements import LEFT_OUT, MEASURED, measure
from benchmark.reporting.tables.rows import collect

METHODS = {
    "fast": ("method", {"default": {"table1": "frameexit"}}),
    "whole": ("baseline", {"all": {"table1": "frameexit_no_exit"}, "few": {"table1": "few"}}),
}


@pytest.fixture
def bench(make_bench):
    made = make_bench(METHODS)
    made.manifest("films", ["a", "b"], ["a", "b"])
    for method, (_, variants) in METHODS.items():
        for variant in variants:
            for seed in made.config.seeds:
                values = 0.5 + np.linspace(-0.01, 0.01, 200)
                made.result(RunKey("films", method, variant, seed), 0.5, values)
    return made


def test_they_are_neither_shown_nor_sources(bench):
    config = bench.config.model_copy(update={"only_methods": "fast, whole/few"})
    statuses = {
        (method, variant): measure(config, "films", method, variant).status
        for method, (_, variants) in METHODS.items()
        for variant in variants
    }
    assert statuses == {
        ("fast", "default"): MEASURED,
        ("whole", "all"): LEFT_OUT,
        ("whole", "few"): MEASURED,
    }
    spec = load_paper().tables["table1"]
    rows = collect(config, bench.methods, spec)
    assert {r.row for r in rows if r.status == LEFT_OUT} == {"frameexit_no_exit"}
    keys = shown_keys(config, bench.methods, "table1", spec.roles)
    assert {(key.method, key.variant) for key in keys} == {("fast", "default"), ("whole", "few")}


def test_all_are_shown_where_none_is_named(bench):
    spec = load_paper().tables["table1"]
    assert len(shown_keys(bench.config, bench.methods, "table1", spec.roles)) == 9
    assert not [r for r in collect(bench.config, bench.methods, spec) if r.status == LEFT_OUT]
