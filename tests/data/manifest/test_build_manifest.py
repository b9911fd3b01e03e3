import argparse
import os
import shutil

import av
import numpy as np
import pandas as pd
import pytest
from av.stream import Disposition

from benchmark.commands.manifest import add_arguments, run
from benchmark.data.manifest.build import build_from_csv, build_from_folders, check_learnable
from benchmark.data.manifest.listing import Columns
from benchmark.data.manifest.manifest import read_manifest
from benchmark.data.manifest.report import report_text, write_report
from benchmark.errors import BenchmarkError


@pytest.fixture
def videos(tmp_path, write_video):
    """Six videos, of which f.mp4 is a copy of a.mp4."""
    for seed, name in enumerate("abcde"):
        write_video(tmp_path / f"{name}.mp4", seed=seed, num_frames=6 + seed)
    shutil.copy(tmp_path / "a.mp4", tmp_path / "f.mp4")
    return tmp_path


def build(folder, lines, **settings):
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    columns = settings.pop("columns", Columns(split="split"))
    settings = {"task": "single_label", "dataset": "toy", "root": folder} | settings
    return build_from_csv(folder / "labels.csv", columns=columns, **settings)


def test_a_label_file_becomes_a_manifest(videos):
    lines = ["path,label,split", "b.mp4,swim,val", "", "a.mp4,run,train"]
    manifest = build(videos, lines)
    assert manifest.classes == ("run", "swim")
    assert manifest.rows["video_id"].tolist() == ["a", "b"]
    assert manifest.rows["num_frames"].tolist() == [6, 7]
    assert manifest.fold(0) == (["a"], ["b"])
    assert manifest.digest == build(videos, [lines[0], lines[3], lines[1]]).digest


@pytest.mark.parametrize(
    ("lines", "settings", "messages"),
    [
        (
            ["path,lable,split", "a.mp4,run,train"],
            {"columns": Columns(split="split", group="camera")},
            [
                "labels.csv:1: no column 'label' (did you mean 'lable'?)",
                "labels.csv:1: no column 'camera'",
            ],
        ),
        (
            [
                "path,label,split",
                "a.mp4,runn,train",
                "",
                "a.mp4,run,test",
                "b.mp4,,val",
                ",run,val",
            ],
            {"classes": ["run", "swim"]},
            [
                "labels.csv:2: no class has the label 'runn' (did you mean 'run'?)",
                "labels.csv:4: duplicated id 'a', first at",
                "labels.csv:4: split is 'test'",
                "labels.csv:5: the video has no label",
                "labels.csv:6: the video has no path",
            ],
        ),
        (
            ["path,label,split", "a.mp4,runn,train"],
            {"root": "nowhere", "classes": ["run"]},
            ["nowhere: no such folder", "labels.csv:2: no class has the label 'runn'"],
        ),
        (["path,label,split", "a.mp4,run|swim,train"], {}, ["several labels: run|swim"]),
        (
            ["path,label,split", "a.mp4,run,train,more"],
            {},
            ["labels.csv:2: the row has 4 fields, the header has 3"],
        ),
        (
            ["path,label,split", "a.mp4,run,val", "a.mp4,run,val,more"],
            {},
            ["labels.csv:3: the row has 4 fields"],
        ),
        (["path,label,split"], {}, ["no videos"]),
        (["path,label", "a.mp4,run"], {"columns": Columns()}, ["split is ''"]),
    ],
    ids=["columns", "rows", "folder", "several", "fields", "more-fields", "empty", "no-split"],
)
def test_all_faults_of_a_label_file_are_named_at_once(videos, lines, settings, messages):
    with pytest.raises(BenchmarkError) as raised:
        build(videos, lines, **{k: videos / v if k == "root" else v for k, v in settings.items()})
    for message in messages:
        assert message in str(raised.value)


_BAD = ["path,label,split", "a.mp4,run,train", "empty.mp4,run,train", "text.mp4,run,val"]
_BAD += ["cut.mp4,run,val", "gone.mp4,run,val", "nowhere/b.mp4,run,val"]


@pytest.fixture
def bad_videos(videos, write_video):
    (videos / "empty.mp4").touch()
    (videos / "text.mp4").write_text("not a video")
    path = write_video(videos / "cut.mp4", num_frames=60, faststart=True)
    path.write_bytes(path.read_bytes()[:-3000])
    return videos


def test_bad_videos_are_named_with_reason_and_line(bad_videos):
    with pytest.raises(BenchmarkError) as raised:
        build(bad_videos, _BAD, max_unreadable_fraction=0.5)
    for message in (
        "labels.csv:3: empty.mp4: the file is empty",
        "labels.csv:4: text.mp4: Invalid data",
        "labels.csv:5: cut.mp4: truncated",
        "labels.csv:6: gone.mp4: no such file",
        "labels.csv:7: nowhere/b.mp4: no such folder: nowhere",
        "5 of 6 videos are missing or unreadable, the limit is 50.00%",
    ):
        assert message in str(raised.value)


def test_up_to_the_limit_bad_videos_stay_in_the_manifest_with_their_reason(bad_videos):
    manifest = build(bad_videos, _BAD, max_unreadable_fraction=0.9)
    assert manifest.counts() == {
        "videos": 6,
        "ok": 1,
        "missing": 2,
        "unreadable": 3,
        "duplicate": 0,
    }
    assert manifest.usable()["video_id"].tolist() == ["a"]
    assert (manifest.rows["reason"] != "").sum() == 5


@pytest.mark.parametrize(
    ("sides", "on_duplicate", "kept"),
    [
        (("train", "train"), "error", "a"),
        (("train", "val"), "keep_train", "a"),
        (("train", "val"), "keep_val", "f"),
        (("val", "train"), "keep_train", "f"),
        (("val", "train"), "keep_first", "a"),
    ],
)
def test_one_of_two_equal_videos_is_kept(videos, sides, on_duplicate, kept):
    lines = ["path,label,split", f"a.mp4,run,{sides[0]}", "b.mp4,run,val", f"f.mp4,swim,{sides[1]}"]
    manifest = build(videos, lines, on_duplicate=on_duplicate)
    (copy,) = manifest.duplicates
    assert manifest.usable()["video_id"].tolist() == sorted([kept, "b"])
    assert (copy.kept, copy.dropped) == (kept, ("f" if kept == "a" else "a",))
    assert (copy.both_sides, copy.labels_differ) == (sides[0] != sides[1], True)


def test_a_video_on_both_sides_is_an_error_unless_told_otherwise(videos):
    lines = ["path,label,split", "a.mp4,run,train", "b.mp4,run,val", "f.mp4,run,val"]
    with pytest.raises(BenchmarkError, match=r"a \(split train\), f \(split val\)"):
        build(videos, lines)
    lines = ["path,label,camera", "a.mp4,run,x", "b.mp4,run,x", "f.mp4,run,y"]
    folds = {"columns": Columns(group="camera"), "num_folds": 2}
    with pytest.raises(BenchmarkError, match=r"a \(fold 0\), f \(fold 1\)"):
        build(videos, lines, **folds)
    with pytest.raises(BenchmarkError, match="use keep_first"):
        build(videos, lines, **folds, on_duplicate="keep_val")
    kept = build(videos, lines, **folds, on_duplicate="keep_first")
    assert kept.usable()["video_id"].tolist() == ["a", "b"]


def test_of_two_files_of_a_name_the_one_that_opens_is_taken(videos):
    for name, files in (("train/run", ("a", "b")), ("val/swim", ("c", "d"))):
        (videos / "set" / name).mkdir(parents=True)
        for file in files:
            shutil.move(videos / f"{file}.mp4", videos / "set" / name / f"{file}.mkv")
    (videos / "set/train/run/a.avi").write_text("not a video")
    shutil.copy(videos / "set/val/swim/c.mkv", videos / "set/val/swim/c.webm")
    manifest = build_from_folders(videos / "set", dataset="toy")
    assert manifest.counts()["ok"] == 4
    assert manifest.rows["path"].tolist() == [
        "train/run/a.mkv",
        "train/run/b.mkv",
        "val/swim/c.mkv",
        "val/swim/d.mkv",
    ]
    assert manifest.further_files == {
        "train/run/a.mkv": ("train/run/a.avi",),
        "val/swim/c.mkv": ("val/swim/c.webm",),
    }
    assert manifest.left_out == {"further files of the same name": 2}
    report = report_text(manifest, {}, ())
    assert "train/run/a.avi is not used, train/run/a.mkv is\n" in report
    assert "val/swim/c.webm is not used, val/swim/c.mkv is\n" in report
    write_report(manifest, report, videos / "out" / "manifest.csv")
    assert (videos / "out" / "further_files.txt").read_text() == (
        "train/run/a.avi\ttrain/run/a.mkv\nval/swim/c.webm\tval/swim/c.mkv\n"
    )


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["a.mp4,run,train", "b.mp4,run,val"], "'run' is the only class"),
        (["a.mp4,run,train", "b.mp4,swim,train"], "no usable video to test on"),
        (["a.mp4,run,val", "b.mp4,swim,val"], "no usable video to train on"),
        (["a.mp4,run,train", "gone.mp4,swim,val"], "no usable video to test on"),
    ],
)
def test_one_class_or_an_empty_side_is_no_benchmark(videos, lines, message):
    manifest = build(videos, ["path,label,split", *lines], max_unreadable_fraction=0.5)
    with pytest.raises(BenchmarkError, match=f"videos of 'toy': {message}"):
        check_learnable(manifest)
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    out = videos / "out" / "manifest.csv"
    line = [str(videos / "labels.csv"), "--out", str(out), "--dataset", "toy"]
    line += ["--split-column", "split", "--max-unreadable-fraction", "0.5"]
    with pytest.raises(BenchmarkError, match=message):
        run(parser.parse_args(line))
    assert not out.exists()


def test_a_second_labelling_reads_no_video(videos):
    lines = ["path,label,place,camera", "a.mp4,run,in,x", "b.mp4,swim,out,y", "f.mp4,run,in,x"]
    settings = {"num_folds": 2, "columns": Columns(group="camera")}
    first = build(videos, lines, **settings)
    for name in "abf":
        os.remove(videos / f"{name}.mp4")
    settings["columns"] = Columns(labels=("label", "place"), group="camera")
    second = build(videos, lines, **settings, task="multi_label", base=first)
    assert second.classes == ("in", "out", "run", "swim")
    assert second.targets(["a", "b"]).tolist() == [[1, 0, 1, 0], [0, 1, 0, 1]]
    same = [name for name in first.rows.columns if name != "labels"]
    pd.testing.assert_frame_equal(second.rows[same], first.rows[same])


def test_folders_name_classes_and_what_is_no_video_is_left_out_by_name(videos):
    for path, name in (("train/run", "a"), ("train/swim", "b"), ("val/run", "c")):
        (videos / "set" / path).mkdir(parents=True)
        shutil.move(videos / f"{name}.mp4", videos / "set" / path)
    manifest = build_from_folders(videos / "set", dataset="toy")
    assert manifest.classes == ("run", "swim")
    assert manifest.fold(0) == (["train/run/a", "train/swim/b"], ["val/run/c"])
    (videos / "set/val/run/notes.txt").write_text("not a video")
    assert build_from_folders(videos / "set", dataset="toy").left_out == {
        "neither the name nor the content of a video (val/run/notes.txt)": 1
    }
    (videos / "set/val/run/broken.mp4").write_text("not a video")
    with pytest.raises(BenchmarkError, match=r"broken\.mp4: Invalid data"):
        build_from_folders(videos / "set", dataset="toy")
    with pytest.raises(BenchmarkError, match="no such folder"):
        build_from_folders(videos / "nowhere", dataset="toy")


def test_a_folder_from_the_web_leaves_out_what_is_no_video_by_name(tmp_path, write_video):
    folder = tmp_path / "set" / "run"
    write_video(folder / "a.mp4")
    write_video(folder / "without_suffix.mp4", seed=1).rename(folder / "without_suffix")
    frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
    frame.save(str(folder / "a.jpg"))  # the thumbnail of a.mp4, which has the same name
    (folder / "a.en.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:01.000\nhello\n")
    (folder / "a.info.json").write_text("{}")
    _write_song_with_cover(folder / "song.mp4")
    manifest = build_from_folders(tmp_path / "set", dataset="toy", num_folds=2)
    assert manifest.usable()["video_id"].tolist() == ["run/a", "run/without_suffix"]
    assert manifest.left_out == {
        "a still picture, not a video (run/a.jpg)": 1,
        "a text, not a video (run/a.en.vtt)": 1,
        "neither the name nor the content of a video (run/a.info.json)": 1,
        "sound with a cover picture, not a video (run/song.mp4)": 1,
    }
    assert "left out: a still picture, not a video (run/a.jpg): 1" in report_text(manifest, {}, [])


def test_a_list_that_names_what_is_no_video_is_told_so(tmp_path, write_video):
    write_video(tmp_path / "a.mp4")
    _write_song_with_cover(tmp_path / "song.mp4")
    (tmp_path / "labels.csv").write_text("path,label,split\na.mp4,run,val\nsong.mp4,run,train\n")
    with pytest.raises(BenchmarkError, match=r"song\.mp4: sound with a cover picture, not a video"):
        build_from_csv(
            tmp_path / "labels.csv",
            root=tmp_path,
            columns=Columns(split="split"),
            dataset="toy",
            task="single_label",
        )


def _write_song_with_cover(path):
    with av.open(str(path), "w") as container:
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 64, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        voice = container.add_stream("aac", rate=16000, layout="mono")
        picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        container.mux(cover.encode(picture))
        container.mux(cover.encode(None))
        silence = np.zeros((1, 4096), np.float32)
        sound = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
        sound.sample_rate = 16000
        container.mux(voice.encode(sound))
        container.mux(voice.encode(None))


def test_the_command_writes_a_manifest_and_names_duplicates(videos, capsys):
    (videos / "labels.csv").write_text(
        "path,label,camera\na.mp4,run,x\nb.mp4,swim,y\nf.mp4,swim,x\n"
    )
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    out = videos / "out" / "manifest.csv"
    line = [str(videos / "labels.csv"), "--out", str(out), "--dataset", "toy"]
    line += ["--group-column", "camera", "--folds", "2"]
    assert run(parser.parse_args(line)) == 0
    printed = capsys.readouterr().out
    assert "duplicate with DIFFERENT LABELS: kept a, not f" in printed
    assert read_manifest(out).fold(0) == (["b"], ["a"])


@pytest.mark.clips
def test_real_clips_are_whole_and_their_copies_are_found(clips_root):
    folder = clips_root / "tank_wagon"
    manifest = build_from_csv(
        folder / "labels.csv",
        root=folder,
        columns=Columns(group="camera"),
        dataset="tank_wagon",
        task="single_label",
        num_folds=5,
    )
    assert manifest.counts() == {
        "videos": 496,
        "ok": 491,
        "missing": 0,
        "unreadable": 0,
        "duplicate": 5,
    }
    assert len(manifest.duplicates) == 5
    assert manifest.rows.groupby("group")["fold"].nunique().max() == 1
