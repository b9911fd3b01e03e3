"""A manifest is read once for all rows of a table, and again when it was made anew."""

import os

import pytest

from benchmark.data.manifest import of_dataset as module
from benchmark.data.manifest.of_dataset import manifest_of
from benchmark.errors import BenchmarkError


@pytest.fixture
def bench(make_bench):
    return make_bench({"one": ("method", {"default": {"table1": "frameexit"}})})


@pytest.fixture
def reads(bench, monkeypatch):
    """Return the paths that were read; one dataset has a manifest."""
    module._read.cache_clear()
    paths, read = [], module.read_manifest

    def noting(path):
        paths.append(path)
        return read(path)

    monkeypatch.setattr(module, "read_manifest", noting)
    bench.manifest("films", ["a", "b"], ["a", "b"])
    return paths


def test_it_is_read_once(bench, reads):
    first = manifest_of(bench.config, "films")
    assert manifest_of(bench.config, "films") is first
    assert reads == [bench.layout.manifest("films")]


@pytest.mark.parametrize("suffix", [".csv", ".json"])
def test_a_file_that_was_touched_is_read_again(bench, reads, suffix):
    first = manifest_of(bench.config, "films")
    os.utime(bench.layout.manifest("films").with_suffix(suffix), ns=(1, 1))
    assert manifest_of(bench.config, "films").digest == first.digest
    assert len(reads) == 2


def test_a_dataset_that_was_made_anew_is_another(bench, reads):
    manifest_of(bench.config, "films")
    bench.manifest("films", ["a", "b", "a"], ["a", "b"])
    assert len(manifest_of(bench.config, "films").rows) == 3


def test_a_fault_is_not_kept(bench, reads):
    path = bench.layout.manifest("films")
    whole = path.read_bytes()
    path.unlink()
    with pytest.raises(BenchmarkError, match="no such manifest"):
        manifest_of(bench.config, "films")
    path.write_bytes(whole)
    assert len(manifest_of(bench.config, "films").rows) == 2
