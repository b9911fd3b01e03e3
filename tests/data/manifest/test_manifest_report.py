"""What a manifest job says of its videos, and what it leaves for the next one if it is killed."""

import json
import os
import sys
from pathlib import Path

import pandas as pd
import pytest
from paper_datasets import write_activitynet

from benchmark.config.load import load_config
from benchmark.data.manifest.manifest import Manifest, read_manifest
from benchmark.data.manifest.report import (
    DESCRIPTORS,
    absent_classes,
    expected_of,
    print_reports,
    report_text,
)
from benchmark.data.video_io.probe import probe_file
from benchmark.data.video_io.probe_cache import ProbeCache
from benchmark.errors import BenchmarkError
from benchmark.experiment.layout import Layout
from benchmark.files.writing import digest_of
from benchmark.jobs import JOBS, Job
from benchmark.progress import JobLog

PROFILE = DESCRIPTORS.parent / "config" / "paper.yaml"
WRITTEN = {"manifest.csv", "manifest.json", "manifest.facts.jsonl", "report.txt"}


@pytest.fixture
def job(tmp_path):
    """Return the manifest job of an ActivityNet of six videos, and the ids of its sides."""
    root = tmp_path / "videos"
    ids = write_activitynet(root, 4, 2)
    given = {"activitynet_root": str(root), "only": "activitynet", "results": str(tmp_path / "r")}
    config = load_config(PROFILE, given)
    return Job(config, JobLog("manifest", tmp_path / "job.log"), "activitynet"), ids


def _files(job):
    folder = job.layout.manifest("activitynet").parent
    return {path.name: path.read_text() for path in sorted(folder.iterdir())}


def test_a_whole_dataset_is_reported_beside_its_expected_numbers(job, capsys):
    job, _ = job
    JOBS["manifest"](job)
    files = _files(job)
    assert set(files) == WRITTEN
    rows = [line.split() for line in files["report.txt"].splitlines()]
    assert rows[0][1:] == [
        "expected",
        "listed",
        "found",
        "missing",
        "unreadable",
        "duplicate",
        "usable",
    ]
    assert rows[1:5] == [
        ["train", "10,024", "4", "4", "0", "0", "0", "4"],
        ["val", "4,926", "2", "2", "0", "0", "0", "2"],
        ["videos", "6", "6", "0", "0", "0", "6"],
        ["classes", "200", "4"],
    ]
    assert "the lists have 10,020 videos of train fewer than expected" in files["report.txt"]
    assert "left out: videos of the subset testing, which has no labels: 1" in files["report.txt"]
    assert files["report.txt"] in capsys.readouterr().err
    print_reports(job.config)
    assert files["report.txt"] in capsys.readouterr().out


def test_ids_of_missing_videos_are_left_even_where_too_many_are(job):
    job, (train, val) = job
    root = job.config.place("{activitynet_root}")
    (root / "train" / f"v_{train[1]}.mp4").unlink()
    (root / "train" / f"v_{train[0]}.mp4").unlink()
    (root / "val" / f"v_{val[0]}.mp4").write_bytes(b"no video")
    with pytest.raises(BenchmarkError, match=r"3 of 6 videos are missing or unreadable"):
        JOBS["manifest"](job)
    files = _files(job)
    assert files["missing.txt"] == f"{train[0]}\n{train[1]}\n"
    assert files["unreadable.txt"] == f"{val[0]}\n"
    assert "missing: the ids of all 2 are in missing.txt" in files["report.txt"]
    rows = {line.split()[0]: line.split()[3:] for line in files["report.txt"].splitlines()[1:4]}
    assert rows["train"] == ["2", "2", "0", "0", "2"]
    assert rows["val"] == ["2", "0", "1", "0", "1"]
    # Once they are there, nothing old is left.
    again = write_activitynet(root, 4, 2)
    assert again == (train, val)
    JOBS["manifest"](job)
    assert set(_files(job)) == WRITTEN


def test_a_killed_job_goes_on_where_it_was(job, monkeypatch):
    job, (train, val) = job
    root, path = job.config.place("{activitynet_root}"), job.layout.manifest("activitynet")
    read = []

    def reads(video):
        read.append(video.name)
        return probe_file(video)

    def stops_after_three(video):
        if len(read) == 3:
            raise KeyboardInterrupt
        return reads(video)

    module = sys.modules["benchmark.data.video_io.probe"]
    monkeypatch.setattr(module, "probe_file", stops_after_three)
    with pytest.raises(KeyboardInterrupt):
        JOBS["manifest"](job)
    kept = ProbeCache(path).path
    assert kept.is_file()
    # The process died while it wrote a line; meanwhile one of the files that were read changed.
    with kept.open("a") as record:
        record.write('["' + str(root))
    first = next(root.rglob(read[0]))
    os.utime(first, ns=(1, 1))
    done, num_before = set(read), len(read)
    monkeypatch.setattr(module, "probe_file", reads)
    seen = []
    monkeypatch.setattr(job.log, "progress", lambda *at: seen.append(at))
    JOBS["manifest"](job)
    everything = {f"v_{name}.mp4" for name in train + val}
    assert sorted(read[num_before:]) == sorted(everything - done | {first.name})
    assert seen == [(2, 6), (3, 6), (4, 6), (5, 6), (6, 6)]
    manifest = read_manifest(path)
    read.clear()
    JOBS["manifest"](job)
    assert read == []
    assert read_manifest(path).digest == manifest.digest


def test_facts_that_other_code_has_read_are_not_taken(job, tmp_path):
    job, _ = job
    videos = sorted(job.config.place("{activitynet_root}").rglob("*.mp4"))
    kept = ProbeCache(tmp_path / "manifest.csv")
    facts = kept.probe_files(videos, workers=1, progress=None)
    lines = kept.path.read_text().splitlines()
    changed = [json.loads(line) for line in lines[1:]]
    for line in changed:
        line[3]["num_frames"] = 7
    kept.path.write_text("\n".join([lines[0], *map(json.dumps, changed)]) + "\n")
    # What is not as it was written is read again, and the record is mended.
    assert len(ProbeCache(tmp_path / "manifest.csv").damaged_lines()) == len(changed)
    mended = ProbeCache(tmp_path / "manifest.csv").probe_files(videos, workers=1, progress=None)
    assert mended == facts
    assert sorted(kept.path.read_text().splitlines()) == sorted(lines)
    changed = [[*line[:-1], digest_of(line[:-1])] for line in changed]
    text = "\n".join(json.dumps(line) for line in changed) + "\n"
    kept.path.write_text(f"{lines[0]}\n{text}")
    again = ProbeCache(tmp_path / "manifest.csv").probe_files(videos, workers=1, progress=None)
    assert {one.num_frames for one in again} == {7}
    kept.path.write_text(f"{lines[0][::-1]}\n{text}")
    again = ProbeCache(tmp_path / "manifest.csv").probe_files(videos, workers=2, progress=None)
    assert again == facts


def test_a_dataset_without_a_descriptor_expects_nothing(tmp_path):
    assert expected_of("toy", "smoke") == {}
    assert expected_of("tank_wagon", "clips") == {"videos": 496}
    assert expected_of("builtin_long", "smoke") == {"train": 20, "val": 24, "classes": 20}


def test_reports_that_are_not_there_are_said(job, capsys):
    job, _ = job
    with pytest.raises(BenchmarkError, match=r"data: no videos have been listed yet. Fix: run"):
        print_reports(job.config)
    datasets = dict.fromkeys(("activitynet", "other"), job.config.datasets["activitynet"])
    config = job.config.model_copy(update={"datasets": datasets})
    listed, absent = (Layout.of(config).manifest(n).with_name("report.txt") for n in datasets)
    listed.parent.mkdir(parents=True)
    listed.write_text("two videos")
    print_reports(config)
    said = capsys.readouterr().out
    assert said == f"two videos\nother: no manifest yet, so no {absent}\n\n"


@pytest.mark.parametrize(
    ("num_folds", "lines"),
    [
        (
            1,
            [
                "no usable video to train on: 2 of 3 classes: jump, swim",
                "no usable video to test on: 1 of 3 classes: jump",
            ],
        ),
        (
            2,
            [
                "no usable video to train on of fold 0: 2 of 3 classes: jump, swim",
                "no usable video to test on of fold 0: 1 of 3 classes: jump",
                "no usable video to train on of fold 1: 1 of 3 classes: jump",
                "no usable video to test on of fold 1: 2 of 3 classes: jump, swim",
            ],
        ),
    ],
)
def test_classes_that_one_side_lacks_are_named(num_folds, lines, monkeypatch):
    rows = pd.DataFrame(
        {
            "video_id": list("abcde"),
            "labels": ["run", "swim|run", "swim", "jump", "run"],
            "split": ["train", "val", "train", "train", "val"],
            "fold": [1, 0, 1, 1, 0],
            "status": ["ok", "ok", "missing", "duplicate", "ok"],
        }
    )
    classes = ("jump", "run", "swim")
    manifest = Manifest("toy", "multi_label", classes, num_folds, Path("videos"), rows)
    assert absent_classes(manifest) == lines
    text = report_text(manifest, {}, absent_classes(manifest))
    assert all(f"\n  {line}\n" in text for line in lines)
    monkeypatch.setattr("benchmark.data.manifest.report._SHOWN_CLASSES", 1)
    assert absent_classes(manifest)[0].endswith("classes: jump and 1 more")


def test_a_dataset_with_all_classes_on_both_sides_is_not_remarked_on():
    rows = pd.DataFrame({"video_id": ["a", "b"], "labels": "run", "split": ["train", "val"]})
    rows = rows.assign(status="ok", fold=0)
    assert absent_classes(Manifest("toy", "single_label", ("run",), 1, Path("v"), rows)) == []
