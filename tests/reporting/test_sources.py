"""Whoever shows a table or a figure shows it as its job wrote it."""

import pytest
from write_shown import plan_of

from benchmark.errors import DamagedFileError
from benchmark.reporting.artefacts import artefact_named
from benchmark.reporting.made import Work
from benchmark.reporting.sources import shown_file, write_artefact


@pytest.fixture
def bench(make_bench):
    return make_bench({"one": ("method", {"default": {"table1": "frameexit"}})})


@pytest.mark.parametrize("changed", ["table1.csv", "table1.sources.json"])
def test_a_table_that_was_changed_is_not_shown(bench, changed):
    plan = plan_of(bench.config, bench.methods)
    write_artefact(plan, artefact_named(bench.config, "table1"), Work())
    assert shown_file(bench.config, "tables/table1.csv").read_text().startswith("table,")
    path = bench.layout.tables / changed
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedFileError, match=rf"{changed}: .*Fix: delete it and run the same"):
        shown_file(bench.config, "tables/table1.csv")
