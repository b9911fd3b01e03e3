"""Whoever shows a table or a figure shows it as its job wrote it."""

import pytest

from benchmark.errors import DamagedFileError
from benchmark.reporting.sources import shown_file, write_sources


@pytest.fixture
def bench(make_bench):
    return make_bench({"one": ("method", {"default": {"table1": "frameexit"}})})


@pytest.mark.parametrize("changed", ["table1.csv", "table1.sources.json"])
def test_a_table_that_was_changed_is_not_shown(bench, changed):
    folder = bench.layout.tables
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "table1.csv").write_text("row,map\nframeexit,12.3\n")
    write_sources(bench.config, folder, "table1", [])
    assert shown_file(folder, "table1", "csv").read_text().endswith("12.3\n")
    content = bytearray((folder / changed).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / changed).write_bytes(content)
    with pytest.raises(DamagedFileError, match=rf"{changed}: .*Fix: delete it and run the same"):
        shown_file(folder, "table1", "csv")
