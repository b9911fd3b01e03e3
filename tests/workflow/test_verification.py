"""`python -m benchmark verify`: whatever is edited, the tables that it spoils are named.

Each fault is made in a copy of a finished run.
"""

import csv
import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from benchmark.data.manifest import read_manifest, write_manifest
from benchmark.jobs import finished_plan
from benchmark.sealed import file_sha256, read_sealed, write_sealed
from benchmark.stage_index import read_stage_index, write_stage_index
from benchmark.verification.verify import verify

pytestmark = pytest.mark.dag

# The tables of the tiny profile, which has one dataset, that show any run at all.
OF_RUNS = {"table2", "known_answers", "claims"}
# Of the claims, one is about this dataset, at other values of beta than FrameExit's default.
OF_DEFAULT = {"table2", "known_answers"}
OF_OTHERS = {"table2", "claims"}


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


def _replace(path, old, new):
    text = path.read_text()
    changed = re.sub(old, new, text, count=1)
    assert changed != text
    path.write_text(changed)


def _change_bytes(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _run(root, name="frameexit/default"):
    return root / "runs" / "multi" / name / "seed0"


def _edit_result(root):
    _replace(_run(root) / "result.json", r'"map": 0\.\d', '"map": 0.9')


def _edit_result_and_its_record(root):
    """As one who knows of the digests would."""
    _edit_result(root)
    record = root / "runs" / "multi" / "frameexit" / "results.json"
    path = _run(root) / "result.json"
    write_sealed(path, {k: v for k, v in json.loads(path.read_text()).items() if k != "seal"})
    entries = read_stage_index(record, "evaluate", "multi", "frameexit")
    for entry in entries:
        entry["sha256"] = file_sha256(root / "runs" / entry["result"])
    write_stage_index(record, "evaluate", "multi", "frameexit", entries)


def _alter_rows(root):
    path = _run(root, "random_k/default") / "predictions.parquet"
    table = pq.read_table(path)
    place = table.column_names.index("exit_step")
    ones = np.ones(table.num_rows, dtype=np.int64)
    pq.write_table(table.set_column(place, "exit_step", [ones]), path)


def _swap_rows(root):
    one, other = (_run(root, f"frameexit/beta_1e-{n}") / "predictions.parquet" for n in (2, 3))
    one.rename(one.with_suffix(".other"))
    other.rename(one)
    one.with_suffix(".other").rename(other)


def _alter_resamples(root):
    path = _run(root, "uniform_k/default") / "replicates.npy"
    np.save(path, np.load(path) + 1e-9)


def _edit_manifest(root):
    _replace(root / "data" / "multi" / "manifest.csv", ",train,", ",val,")


def _write_other_manifest(root):
    path = root / "data" / "multi" / "manifest.csv"
    manifest = read_manifest(path)
    rows = manifest.rows.assign(labels=manifest.rows["labels"].iloc[::-1].to_numpy())
    write_manifest(replace(manifest, rows=rows), path)


def _edit_labels(root):
    """Exchange the labels of the first two videos."""
    path = root / "data" / "multi" / "videos" / "labels.csv"
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["labels"] != rows[1]["labels"]
    rows[0]["labels"], rows[1]["labels"] = rows[1]["labels"], rows[0]["labels"]
    with path.open("w", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def _replace_checkpoint(root):
    one, other = sorted((root / "runs" / "multi" / "frameexit" / "checkpoints").glob("gates-*"))[:2]
    shutil.copy(one, other)


def _edit_settings(root):
    _replace(root / "config.json", r'"learning_rate": 0.003', '"learning_rate": 0.004')


def _lose_results(root):
    (root / "runs" / "multi" / "random_k" / "results.json").unlink()


# What is done to the copy, the tables that it makes stale, and the file that the reason names.
FAULTS = {
    "a number in a table": (
        lambda root: _replace(root / "tables" / "table2.csv", r"measured,1,\d\d", "measured,1,77"),
        {"table2"},
        r"tables/table2\.csv:\d+: not what the results give",
    ),
    "a number for readers": (
        lambda root: _replace(root / "tables" / "table2.md", r"\| \d\d\.\d", "| 77.7"),
        {"table2"},
        r"tables/table2\.md:\d+: not what the results give",
    ),
    "a number in LaTeX": (
        lambda root: _replace(root / "tables" / "table2.tex", r"& \d\d\.\d", "& 77.7"),
        {"table2"},
        r"tables/table2\.tex:\d+: not what the results give",
    ),
    "a number of a figure": (
        lambda root: _replace(root / "figures" / "figure6.csv", r"\d\d\.\d", "77.7"),
        {"figure6"},
        r"figures/figure6\.csv:\d+: not what the results give",
    ),
    "a picture": (
        lambda root: _change_bytes(root / "figures" / "figure3.png"),
        {"figure3"},
        r"figures/figure3\.png is not the file that",
    ),
    "no sources": (
        lambda root: (root / "tables" / "table3.sources.json").unlink(),
        {"table3"},
        r"tables/table3\.sources\.json: no record of table3",
    ),
    "a result": (_edit_result, OF_DEFAULT, r"frameexit/default/seed0/result\.json"),
    "a result and its record": (
        _edit_result_and_its_record,
        OF_DEFAULT,
        r"frameexit/default/seed0/result\.json: metrics not as the rows give",
    ),
    "resamples": (
        _alter_resamples,
        OF_OTHERS,
        r"uniform_k/default/seed0/replicates\.npy: the file is not the one",
    ),
    "rows": (_alter_rows, OF_OTHERS, r"random_k/default/seed0/predictions\.parquet is not"),
    "rows of two runs": (
        _swap_rows,
        OF_OTHERS,
        r"frameexit/beta_1e-[23]/seed0/predictions\.parquet is not",
    ),
    "a manifest": (_edit_manifest, OF_RUNS, r"data/multi/manifest\.csv: the rows have digest"),
    "a manifest and its header": (
        _write_other_manifest,
        OF_RUNS,
        r"data/multi/manifest\.csv does not follow from .*/labels\.csv",
    ),
    "labels": (_edit_labels, OF_RUNS, r"manifest\.csv does not follow from .*/labels\.csv"),
    "frames": (
        lambda root: _change_bytes(root / "data" / "multi" / "frames" / "shard-00000.bin"),
        OF_RUNS,
        r"frames/shard-00000\.bin is not the file that",
    ),
    "weights": (
        lambda root: _change_bytes(root / "networks" / "backbone.safetensors"),
        OF_RUNS,
        r"features/multi/backbone/index\.json: computed with other weights",
    ),
    "features": (
        lambda root: _change_bytes(root / "features" / "multi" / "backbone" / "features.npy"),
        OF_RUNS,
        r"features/multi/backbone/features\.npy is not the file that",
    ),
    "a checkpoint": (
        _replace_checkpoint,
        None,
        r"frameexit/checkpoints/gates-.*\.safetensors is not the file that",
    ),
    "settings": (_edit_settings, OF_RUNS, r"made with other settings than the profile has now"),
    "no results": (
        _lose_results,
        OF_OTHERS,
        r"random_k/results\.json: no list of files",
    ),
}


@pytest.mark.parametrize(("spoil", "tables", "reason"), FAULTS.values(), ids=FAULTS)
def test_what_was_changed_is_named_with_the_tables_that_it_spoils(
    copied, stale, spoil, tables, reason
):
    spoil(copied)
    found, _ = stale()
    assert set(found) == tables if tables else "table2" in found
    for said in found.values():
        assert re.search(reason, said), said


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
