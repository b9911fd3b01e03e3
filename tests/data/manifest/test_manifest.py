import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmark.data.manifest.manifest import Manifest, read_manifest, write_manifest
from benchmark.errors import BenchmarkError, DamagedFileError
from benchmark.files.sealed import read_sealed, write_sealed


def make_manifest(root: Path, *, task="single_label", num_folds=1) -> Manifest:
    several = task == "multi_label"
    rows = pd.DataFrame(
        {
            "video_id": ["a", "b", "c", "d"],
            "path": ["a.mp4", "b.mp4", "c.mp4", "d.mp4"],
            "sha256": [letter * 64 for letter in "abca"],
            "labels": ["run", "swim|run" if several else "swim", "run", "run"],
            "split": ["train", "val", "train", "train"],
            "group": "",
            "fold": [0, 1, 0, 1] if num_folds > 1 else 0,
            "duration_s": [1.0, 2.5, 0.0, 1.0],
            "fps": [25.0, 29.97, 0.0, 25.0],
            "num_frames": [25, 75, 0, 25],
            "width": 64,
            "height": 48,
            "has_audio": [True, False, False, True],
            "stream": [0, 1, 0, 0],
            "start_s": [0.0, 1.6, 0.0, 0.0],
            "constant_rate": [True, False, True, True],
            "status": ["ok", "ok", "unreadable", "duplicate"],
            "reason": ["", "", "the file is empty", "same bytes as a"],
        }
    )
    return Manifest("toy", task, ("run", "swim"), num_folds, root, rows)


def test_a_manifest_survives_the_disk(tmp_path):
    manifest = make_manifest(tmp_path / "videos")
    write_manifest(manifest, tmp_path / "out" / "manifest.csv")
    again = read_manifest(tmp_path / "out" / "manifest.csv")
    pd.testing.assert_frame_equal(again.rows, manifest.rows, check_dtype=False)
    assert again.digest == manifest.digest
    assert (again.dataset, again.task, again.classes) == ("toy", "single_label", ("run", "swim"))
    assert again.root == tmp_path / "videos"
    assert again.counts() == {"videos": 4, "ok": 2, "missing": 0, "unreadable": 1, "duplicate": 1}


def test_writing_twice_gives_the_same_bytes(tmp_path):
    path = tmp_path / "manifest.csv"
    write_manifest(make_manifest(tmp_path), path)
    first = path.read_bytes(), path.with_suffix(".json").read_bytes()
    write_manifest(read_manifest(path), path)
    assert first == (path.read_bytes(), path.with_suffix(".json").read_bytes())


def test_a_file_is_written_in_parts_and_holds_the_same_bytes(tmp_path, monkeypatch):
    path = tmp_path / "manifest.csv"
    written = []
    for rows_at_once in (1, 3, 100):
        monkeypatch.setattr("benchmark.data.manifest.manifest._ROWS_AT_ONCE", rows_at_once)
        write_manifest(make_manifest(tmp_path), path)
        written.append((path.read_bytes(), make_manifest(tmp_path).digest))
    assert written[0] == written[1] == written[2]
    assert written[0][0].decode() == make_manifest(tmp_path).rows.to_csv(index=False)


def test_a_file_that_an_editor_saved_with_the_same_content_is_read(tmp_path):
    path = tmp_path / "manifest.csv"
    write_manifest(make_manifest(tmp_path), path)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_manifest(path).digest == make_manifest(tmp_path).digest


def test_the_digest_stands_for_the_content_and_not_for_the_folder(tmp_path):
    manifest = make_manifest(tmp_path)
    assert make_manifest(tmp_path / "elsewhere").digest == manifest.digest
    for column, value in (("labels", "swim"), ("split", "val"), ("num_frames", 26)):
        changed = make_manifest(tmp_path)
        changed.rows.loc[0, column] = value
        assert changed.digest != manifest.digest, column


@pytest.mark.parametrize(
    ("num_folds", "index", "train", "test"),
    [(1, 0, ["a"], ["b"]), (2, 0, ["b"], ["a"]), (2, 1, ["a"], ["b"])],
)
def test_a_fold_holds_usable_videos_only(tmp_path, num_folds, index, train, test):
    assert make_manifest(tmp_path, num_folds=num_folds).fold(index) == (train, test)


def test_a_fold_that_does_not_exist_is_an_error(tmp_path):
    with pytest.raises(BenchmarkError, match="no fold 2: 'toy' has 2"):
        make_manifest(tmp_path, num_folds=2).fold(2)


def test_targets_follow_the_order_of_ids_and_classes(tmp_path):
    single = make_manifest(tmp_path).targets(["b", "a", "b"])
    assert (single.dtype, single.tolist()) == (np.int64, [1, 0, 1])
    several = make_manifest(tmp_path, task="multi_label").targets(["b", "a", "b"])
    assert (several.dtype, several.tolist()) == (np.float32, [[1, 1], [1, 0], [1, 1]])
    with pytest.raises(BenchmarkError, match="no video 'x'"):
        make_manifest(tmp_path).targets(["a", "x"])


@pytest.mark.parametrize(
    ("change", "messages"),
    [
        (lambda rows: rows.drop(columns=["fps", "split"]), ["'fps' is missing", "'split' is miss"]),
        (
            lambda rows: rows.assign(labels=["run", "swimm", "run", "run"]),
            ["manifest.csv:3: no class has the label 'swimm' (did you mean 'swim'?)"],
        ),
        (
            lambda rows: rows.assign(
                video_id=["a", "b", "c", "b"],
                split=["train", "test", "train", "train"],
                num_frames=["25", "many", "0", "25"],
                has_audio=["True", "False", "perhaps", "True"],
                labels=["run", "swim", "", "run|swim"],
            ),
            [
                "manifest.csv:5: duplicated id 'b', first at",
                "manifest.csv:3: split is 'test', expected one of train, val",
                "manifest.csv:3: 'num_frames' is 'many', expected int64",
                "manifest.csv:4: 'has_audio' is 'perhaps', expected bool",
                "manifest.csv:4: the video has no label",
                "manifest.csv:5: several labels: run|swim",
            ],
        ),
        (
            lambda rows: rows.assign(
                status=["fine", "ok", "unreadable", "duplicate"],
                sha256=["a", "b", "", ""],
                reason=["", "", "", "copy"],
                num_frames=[25, 0, 0, 25],
            ),
            [
                "manifest.csv:2: unknown status 'fine'",
                "manifest.csv:3: no sha256",
                "manifest.csv:3: no frames",
                "manifest.csv:4: no reason",
            ],
        ),
        (lambda rows: rows.assign(width=65), ["one of the two files was changed"]),
    ],
)
def test_all_faults_of_a_manifest_are_named_at_once_with_their_line(tmp_path, change, messages):
    path = tmp_path / "manifest.csv"
    manifest = make_manifest(tmp_path)
    write_manifest(manifest, path)
    change(manifest.rows).to_csv(path, index=False)
    with pytest.raises(BenchmarkError) as raised:
        read_manifest(path)
    for message in messages:
        assert message in str(raised.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda header: header | {"schema_version": 9}, "schema_version"),
        (lambda header: header | {"num_fold": 3}, "num_fold"),
        (lambda header: header | {"task": "singel"}, "task"),
        (lambda header: {k: v for k, v in header.items() if k != "root"}, "root"),
    ],
)
def test_a_header_of_another_schema_is_an_error(tmp_path, change, message):
    path = tmp_path / "manifest.csv"
    write_manifest(make_manifest(tmp_path), path)
    beside = path.with_suffix(".json")
    write_sealed(beside, change(read_sealed(beside, "manifest", "")))
    with pytest.raises(BenchmarkError, match=message):
        read_manifest(path)


@pytest.mark.parametrize(
    "changed",
    [
        {"max_unreadable_fraction": 0.9},
        {"num_folds": 2},
        {"root": "elsewhere"},
        {"classes": ["swim", "run"]},
    ],
)
def test_a_changed_header_is_an_error(tmp_path, changed):
    path = tmp_path / "manifest.csv"
    write_manifest(make_manifest(tmp_path), path)
    beside = path.with_suffix(".json")
    beside.write_text(json.dumps(json.loads(beside.read_text()) | changed))
    with pytest.raises(DamagedFileError, match=r"manifest\.json: the record .* was changed"):
        read_manifest(path)


@pytest.mark.parametrize("name", ["manifest.csv", "manifest.json"])
def test_a_missing_half_is_an_error(tmp_path, name):
    write_manifest(make_manifest(tmp_path), tmp_path / "manifest.csv")
    (tmp_path / name).unlink()
    with pytest.raises(BenchmarkError, match=rf"{name}: no (such )?manifest"):
        read_manifest(tmp_path / "manifest.csv")


def test_a_file_with_thousands_of_faults_is_still_readable(tmp_path):
    path = tmp_path / "manifest.csv"
    manifest = make_manifest(tmp_path)
    write_manifest(manifest, path)
    rows = pd.concat([manifest.rows.iloc[:1]] * 3000, ignore_index=True)
    rows["video_id"] = [f"v{number}" for number in range(3000)]
    rows["labels"] = [f"label{number}" for number in range(3000)]
    rows.to_csv(path, index=False)
    with pytest.raises(BenchmarkError, match=r"and 2,950 more of the same kind"):
        read_manifest(path)
