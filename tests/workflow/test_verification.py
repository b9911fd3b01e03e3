"""`python -m benchmark verify` on runs as they are, and where methods have come or gone.

What it says of spoilt files stands in test_spoilt_files.py.
"""

import re
import shutil

import pytest

from benchmark.experiment.finished import finished_plan
from benchmark.files.sealed import read_sealed, write_sealed
from benchmark.verification.verify import verify

pytestmark = pytest.mark.dag


@pytest.fixture
def copied(tiny_run, tmp_path):
    """Return a copy of the finished run's folder."""
    return shutil.copytree(tiny_run.results, tmp_path / "results" / "tiny")


@pytest.fixture
def stale(copied, capsys):
    """Return a function that verifies the copy: the reasons by stale table, and all output."""

    def look():
        code = verify(finished_plan(str(copied.parent), "tiny"))
        said = capsys.readouterr().out
        found = dict(re.findall(r"^(\w+) +STALE: (.*)$", said, re.MULTILINE))
        assert code == int(bool(found))
        return found, said

    return look


def test_a_fresh_run_verifies_clean(stale):
    found, said = stale()
    assert found == {}
    assert len(re.findall(r"^\w+ +agrees$", said, re.MULTILINE)) == 13
    last = said.splitlines()[-1]
    assert last.startswith("13 of 13 tables and figures agree; derived again: ")
    for what in ("results", "numbers", "resampled numbers", "shown numbers"):
        assert int(re.search(rf"([\d,]+) {what}", last)[1].replace(",", "")) > 10


def test_what_a_removed_method_left_over_spoils_nothing(copied, stale):
    runs = copied / "runs" / "multi"
    shutil.copytree(runs / "random_k", runs / "removed")
    found, said = stale()
    assert found == {}
    assert f"ignored: {runs}/removed/default/seed0/result.json belongs to no run" in said


def test_a_table_that_still_shows_a_removed_method_is_stale(copied, stale):
    """Its line stands in the table, and its result among those that the table was made of."""
    record = copied / "tables" / "table2.sources.json"
    sources = read_sealed(record, "record", "")
    sources["results"]["runs/multi/removed/default/seed0/result.json"] = "0" * 64
    write_sealed(record, sources)
    found, _ = stale()
    assert set(found) == {"table2"}
    assert "removed/default/seed0/result.json: shown, though the plan has no" in found["table2"]
