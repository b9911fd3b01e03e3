"""Adapters of ActivityNet, Mini-Kinetics and HVU, on files of the released formats."""

import csv
import json
import re
import shutil

import numpy as np
import pytest
import yaml
from paper_datasets import (
    CATEGORIES,
    activitynet_entry,
    write_activitynet,
    write_hvu,
    write_mini_kinetics,
)

from benchmark.config.load import load_config
from benchmark.data.manifest.manifest import write_manifest
from benchmark.data.manifest.report import DESCRIPTORS, expected_of
from benchmark.data.profile_datasets import build_profile_manifest
from benchmark.errors import BenchmarkError
from benchmark.experiment.layout import Layout, annotation_files
from benchmark.files.repository import REPOSITORY
from benchmark.verification.data import DataChecks
from benchmark.verification.files import Hashes

PROFILE = REPOSITORY / "config" / "paper.yaml"
WRITERS = {
    "activitynet": write_activitynet,
    "mini_kinetics": write_mini_kinetics,
    "hvu": write_hvu,
}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Folders of the three datasets, three training and two validation videos each."""
    root = tmp_path_factory.mktemp("written")
    ids = {name: write(root / name, 3, 2) for name, write in WRITERS.items()}
    return root, ids


@pytest.fixture
def paper(written, tmp_path):
    """Return a function: (folders that may be changed, settings) of the profile `paper`."""
    root = shutil.copytree(written[0], tmp_path / "data")

    def of_profile(**sources):
        config = load_config(
            PROFILE,
            {f"{name}_root": str(root / name) for name in WRITERS}
            | {"results": str(tmp_path / "results")},
        )
        content = config.model_dump(mode="json")
        for name, changes in sources.items():
            key = {"activitynet": "activity_net", "mini_kinetics": "kinetics"}.get(name, name)
            content["datasets"][name][key] |= changes
        return type(config).model_validate(content)

    return root, of_profile


def _lines(path, change):
    path.write_text("\n".join(change(path.read_text().split("\n"))), encoding="utf-8")


def _edit_release(path, change):
    content = json.loads(path.read_text())
    change(content["database"])
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


@pytest.mark.parametrize("dataset", WRITERS)
def test_a_dataset_as_released_becomes_a_manifest(written, paper, dataset):
    root, of_profile = paper
    config, ids = of_profile(), written[1][dataset]
    manifest = build_profile_manifest(config, dataset)
    assert manifest.fold(0) == ids
    assert manifest.counts() == {
        "videos": 5,
        "ok": 5,
        "missing": 0,
        "unreadable": 0,
        "duplicate": 0,
    }
    assert all(path.is_file() for path in annotation_files(config, dataset))
    targets = manifest.targets(ids[1])
    assert (targets.ndim == 2) == (dataset != "mini_kinetics")
    # Verification builds it again where the videos may be gone, and must find the same.
    for path in (root / dataset).rglob("*.mp4"):
        path.unlink()
    assert build_profile_manifest(config, dataset, base=manifest).digest == manifest.digest
    with pytest.raises(BenchmarkError, match=r"5 of 5 videos are missing"):
        build_profile_manifest(config, dataset)


def test_activitynet_takes_the_union_of_a_videos_labels_and_finds_files_by_id(paper):
    root, of_profile = paper
    folder = root / "activitynet"
    release = folder / "activity_net.v1-3.min.json"
    train = sorted((folder / "train").glob("*.mp4"))
    first, second, third = (path.stem.removeprefix("v_") for path in train)

    def change(database):
        for node in ("Zumba für Ältere", "Archery"):
            taxonomy.append({"nodeName": node})
        database[first] = activitynet_entry(["Zumba für Ältere", "Archery", "Archery "], "train")
        database["-gone_f1les"] = activitynet_entry(["Archery"], "val")

    content = json.loads(release.read_text())
    taxonomy = content["taxonomy"]
    change(content["database"])
    release.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    # Files as different crawlers leave them, and what else lies about.
    train[0].rename(folder / f"{first}.MP4")
    (folder / "more" / "below").mkdir(parents=True)
    train[1].rename(folder / "more" / "below" / f"v_{second}.webm")
    shutil.copy(train[2], folder / "more" / f"v_{third}.mkv")
    (folder / f"v_{third}.mp4.part").write_text("half")
    (folder / f"v_{third}.json").write_text("{}")
    (folder / "more" / "loop").symlink_to(folder)
    config = of_profile()
    config = config.model_copy(
        update={
            "datasets": {
                "activitynet": config.datasets["activitynet"].model_copy(
                    update={"max_unreadable_fraction": 0.2}
                )
            }
        }
    )
    manifest = build_profile_manifest(config, "activitynet")
    rows = manifest.rows.set_index("video_id")
    assert rows["labels"][first] == "Archery|Zumba für Ältere"
    assert manifest.classes == tuple(sorted(manifest.classes))
    assert manifest.targets([first]).sum() == 2
    paths = rows["path"].to_dict()
    assert paths[first] == f"{first}.MP4"
    assert paths[second] == f"more/below/v_{second}.webm"
    assert paths[third] == f"more/v_{third}.mkv"
    assert (rows["status"]["-gone_f1les"], rows["reason"]["-gone_f1les"]) == (
        "missing",
        "no such file",
    )
    assert manifest.left_out == {
        "videos of the subset testing, which has no labels": 1,
        "further files of the same name": 1,
    }


def test_all_faults_of_an_activitynet_release_are_named_at_once(paper):
    root, of_profile = paper
    release = root / "activitynet" / "activity_net.v1-3.min.json"

    def change(database):
        first, second, *_ = database
        database[first]["subset"] = "Training"
        database[second]["annotations"] = []
        database["x"] = activitynet_entry(["red_disc+blue_disk"], "train")

    _edit_release(release, change)
    twice = json.dumps(activitynet_entry(["red_disc+blue_disc"], "val"))
    text = release.read_text().replace('"x": {', f'"x": {twice}, "x": {{')
    release.write_text(text)
    with pytest.raises(BenchmarkError) as raised:
        build_profile_manifest(of_profile(), "activitynet")
    said = str(raised.value)
    for message in (
        "4 faults in",
        "'x' stands there twice",
        "unknown subset 'Training' (did you mean 'training'?)",
        "the video has no label",
        "no activity 'red_disc+blue_disk' (did you mean 'red_disc+blue_disc'?)",
    ):
        assert message in said
    release.write_text('{"database": {"a": {"subset": 3, "annotations": [{"lable": "x"}]}}}')
    with pytest.raises(BenchmarkError) as raised:
        build_profile_manifest(of_profile(), "activitynet")
    for message in ("database.a.subset: Input should be", "database.a.annotations.0.label: Field"):
        assert message in str(raised.value)
    release.write_text("{")
    with pytest.raises(BenchmarkError, match=r"min\.json: is not JSON"):
        build_profile_manifest(of_profile(), "activitynet")
    release.unlink()
    with pytest.raises(BenchmarkError, match=r"min\.json: not readable: No such file"):
        build_profile_manifest(of_profile(), "activitynet")


def _adafuse(line):
    return line


def _adafuse_semicolons(line):
    return re.sub(r" (\d+) (\d+)$", r";\1;\2", line)


def _tabs(line):
    return re.sub(r" (\d+) (\d+)$", "\t\\1\t\\2\r", line)


def _with_suffix(line):
    return re.sub(r" (\d+) (\d+)$", r".mp4 \1 \2", line)


def _underscores(line):
    path, frames, number = line.rsplit(" ", 2)
    return f"{path.replace(' ', '_')} {frames} {number}"


def _ocsampler(line):
    return re.sub(r"^.*/(.{11})_\d{6}_\d{6}", r"\1", line)


@pytest.mark.parametrize(
    "form", [_adafuse, _adafuse_semicolons, _tabs, _with_suffix, _underscores, _ocsampler]
)
@pytest.mark.parametrize("files", ["in class folders", "flat", "without times"])
def test_each_form_of_a_mini_kinetics_list_finds_its_clips(paper, form, files):
    root, of_profile = paper
    folder = root / "mini_kinetics"
    before = build_profile_manifest(of_profile(), "mini_kinetics").rows
    for split in ("train", "val"):
        path = folder / f"mini_{split}_videofolder.txt"
        _lines(path, lambda lines: [form(line) if line else "" for line in lines])
    for path in list(folder.rglob("*.mp4")) if files != "in class folders" else []:
        name = path.name if files == "flat" else f"{path.stem[:11]}.mp4"
        path.rename(folder / name)
    rows = build_profile_manifest(of_profile(), "mini_kinetics").rows
    same = ["sha256", "labels", "split"]
    assert rows[same].sort_values("sha256").values.tolist() == (
        before[same].sort_values("sha256").values.tolist()
    )
    length = 11 if form is _ocsampler else len("12345678901_000010_000020")
    assert set(rows["video_id"].str.len()) == {length}


def _write_kinetics_csv(path, rows, header="label,youtube_id,time_start,time_end,split,is_cc"):
    with path.open("w", newline="") as file:
        file.write(header + "\n")
        writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
        writer.writerows(rows)


def test_a_kinetics_csv_is_cut_to_the_classes_that_are_named(paper):
    root, of_profile = paper
    folder = root / "mini_kinetics"
    train = sorted((folder / "train").rglob("*.mp4"))
    rows = [[p.parent.name, p.stem[:11], "10", "20", "train", "0"] for p in train]
    rows[0][0] = rows[0][0].replace(" ", "_")
    rows[1][2:4] = ["10.0", "20.00"]
    rows += [["abseiling, roped", "-gone_f1les", "7", "17", "train", "1"], rows[0]]
    _write_kinetics_csv(folder / "k400.csv", rows)
    used = {p.parent.name for split in ("train", "val") for p in (folder / split).rglob("*.mp4")}
    names = folder / "minik_classInd.txt"
    names.write_text("".join(f"{n}\n" for n in names.read_text().splitlines() if n in used))
    manifest = build_profile_manifest(
        of_profile(mini_kinetics={"train": "k400.csv"}), "mini_kinetics"
    )
    assert manifest.fold(0)[0] == sorted(path.stem for path in train)
    assert manifest.classes == tuple(names.read_text().split("\n")[:-1])
    assert manifest.left_out == {
        "clips of other classes in k400.csv": 1,
        "lines that stand there twice": 1,
    }
    names.write_text(names.read_text().rstrip() + "\nabseiling, rope\n")
    with pytest.raises(BenchmarkError, match=r"no clip has the class 'abseiling, rope' \(did you"):
        build_profile_manifest(of_profile(mini_kinetics={"train": "k400.csv"}), "mini_kinetics")
    both = {"train": "k400.csv", "val": "k400_val.csv", "classes": None}
    val = sorted((folder / "val").rglob("*.mp4"))
    _write_kinetics_csv(
        folder / "k400_val.csv",
        [[p.parent.name, p.stem[:11], "10", "20", "validate"] for p in val],
        "label,youtube_id,time_start,time_end,split",
    )
    config = of_profile(mini_kinetics=both)
    assert len(annotation_files(config, "mini_kinetics")) == 2
    with pytest.raises(BenchmarkError, match=r"missing") as raised:
        _strict(config, "mini_kinetics")
    assert "k400.csv:5: -gone_f1les_000007_000017.mp4: no such file" in str(raised.value)


def _strict(config, dataset):
    """Build a manifest of which no video may be missing."""
    settings = config.datasets[dataset].model_copy(update={"max_unreadable_fraction": 0.0})
    return build_profile_manifest(
        config.model_copy(update={"datasets": {dataset: settings}}), dataset
    )


def test_all_faults_of_kinetics_lists_are_named_at_once(paper):
    root, of_profile = paper
    folder = root / "mini_kinetics"
    train = folder / "mini_train_videofolder.txt"
    # Line 1 gets a number that no class has, 2 that of another folder's class, 4 is none at all.
    _lines(
        train,
        lambda lines: [
            lines[0].rpartition(" ")[0] + " 20",
            lines[1].rpartition(" ")[0] + " 7",
            "",
            "images/train/red disc/abcdefghijk_000010_000020",
            lines[2],
        ],
    )
    _lines(folder / "mini_val_videofolder.txt", lambda lines: [*lines, train.read_text()])
    config = of_profile(mini_kinetics={"on_duplicate": "error"})
    with pytest.raises(BenchmarkError) as raised:
        build_profile_manifest(config, "mini_kinetics")
    said = str(raised.value)
    for message in (
        "mini_train_videofolder.txt:1: no class has the number 20: there are 20, from 0",
        "mini_train_videofolder.txt:2: the class's number says 'blue square+blue triangle', its",
        "mini_train_videofolder.txt:4: is not 'PATH FRAMES CLASS'",
        "duplicated id",
        "first at",
    ):
        assert message in said
    config = of_profile(mini_kinetics={"classes": None})
    with pytest.raises(BenchmarkError, match="needs a file of their names"):
        build_profile_manifest(config, "mini_kinetics")
    _write_kinetics_csv(
        folder / "bad.csv",
        [
            ["red disc+blue disc", "abcdefghijk", "ten", "20", "train", "0"],
            ["red disc+blue disc", "", "10", "20", "test", "0"],
        ],
    )
    with pytest.raises(BenchmarkError) as raised:
        build_profile_manifest(of_profile(mini_kinetics={"val": "bad.csv"}), "mini_kinetics")
    for message in (
        "bad.csv:2: time_start is 'ten', expected seconds",
        "bad.csv:2: split is 'train' in the list of val",
        "bad.csv:3: the clip has no youtube_id",
        "bad.csv:3: split is 'test' in the list of val",
    ):
        assert message in str(raised.value)
    (folder / "bad.csv").write_text("lable,youtube_id,time_start\nx,y,1\n")
    with pytest.raises(BenchmarkError) as raised:
        build_profile_manifest(of_profile(mini_kinetics={"val": "bad.csv"}), "mini_kinetics")
    assert "no column 'label' (did you mean 'lable'?)" in str(raised.value)
    assert "no column 'time_end'" in str(raised.value)


@pytest.mark.parametrize("form", ["seconds", "downloader", "tenths", "written"])
def test_hvu_names_of_clips_and_classes(paper, form):
    root, of_profile = paper
    folder = root / "hvu"
    names = {
        "seconds": "{}_000010_000020.mp4",
        "downloader": "{}_000010_000020_.mp4",
        "tenths": "{}_000105_000205.mp4",
        "written": "{}_10.5_20.5.mp4",
    }
    for path in list(folder.rglob("*.mp4")):
        path.rename(path.with_name(names[form].format(path.stem[:11])))
    for name in ("HVU_Train_V1.0.csv", "HVU_Val_V1.0.csv"):
        text = (folder / name).read_text()
        (folder / name).write_text(text.replace("10.0,20.0", "10.50,20.5"))
    manifest = build_profile_manifest(of_profile(), "hvu")
    assert manifest.counts()["ok"] == 5
    assert manifest.rows["video_id"].str.endswith("_000010.5_000020.5").all()
    assert len(manifest.classes) == 34
    assert set(manifest.categories) == set(CATEGORIES)
    assert manifest.categories == tuple(name.split("/")[0] for name in manifest.classes)


def test_hvu_joins_lines_of_a_clip_and_names_all_faults(paper):
    root, of_profile = paper
    folder = root / "hvu"
    train = folder / "HVU_Train_V1.0.csv"
    first = train.read_text().splitlines()[1]
    clip = first.split(",", 1)[1]
    train.write_text(train.read_text() + f"checks|red_ring,{clip}\n")
    manifest = build_profile_manifest(of_profile(), "hvu")
    video = f"{clip.split(',')[0]}_000010_000020"
    of_first = manifest.targets([video])[0]
    wanted = {*first.split(",")[0].split("|"), "checks", "red_ring"}
    shown = {manifest.classes[c].split("/")[1] for c in np.flatnonzero(of_first)}
    assert shown == wanted
    assert manifest.left_out == {"lines of a clip that another line has too": 1}
    tags = folder / "HVU_Tags_Categories_V1.0.csv"
    tags.write_text(tags.read_text() + "checks,object\n,object\n")
    _lines(train, lambda lines: [*lines[:2], lines[2].replace(",", "|blue_rink,", 1), *lines[3:]])
    val = folder / "HVU_Val_V1.0.csv"
    val.write_text(val.read_text() + first + "\n")
    with pytest.raises(BenchmarkError, match=r"V1\.0\.csv:37: no Tag"):
        build_profile_manifest(of_profile(), "hvu")
    tags.write_text(tags.read_text().replace(",object\n,object\n", ",object\n"))
    with pytest.raises(BenchmarkError) as raised:
        build_profile_manifest(of_profile(hvu={"on_duplicate": "error"}), "hvu")
    for message in (
        "HVU_Train_V1.0.csv:3: no class has the label 'blue_rink'",
        f"HVU_Val_V1.0.csv:4: duplicated id '{video}', first at",
    ):
        assert message in str(raised.value)


def test_one_file_in_seconds_and_in_tenths_belongs_to_the_clip_in_seconds(paper):
    root, of_profile = paper
    folder = root / "hvu"
    val = folder / "HVU_Val_V1.0.csv"
    clip = val.read_text().splitlines()[1].split(",")
    for path in list(folder.rglob("*_000010_000020_.mp4")):
        path.rename(path.with_name(path.name.replace("_.mp4", ".mp4")))
    val.write_text(val.read_text() + f"{clip[0]},{clip[1]},1.0,2.0\n")
    rows = build_profile_manifest(of_profile(), "hvu").rows.set_index("video_id")
    assert rows["status"][f"{clip[1]}_000010_000020"] == "ok"
    assert rows["status"][f"{clip[1]}_000001_000002"] == "missing"


@pytest.mark.parametrize("dataset", WRITERS)
def test_a_damaged_file_gives_way_to_another_of_its_name(paper, dataset):
    root, of_profile = paper
    good = sorted((root / dataset).rglob("*.mp4"))[0]
    bad = good.with_name(good.stem + ".avi")
    bad.write_text("half a download")
    manifest = build_profile_manifest(of_profile(), dataset)
    path = good.relative_to(root / dataset).as_posix()
    assert manifest.counts()["ok"] == 5
    assert manifest.further_files == {path: (bad.relative_to(root / dataset).as_posix(),)}


@pytest.mark.parametrize("dataset", WRITERS)
def test_a_side_without_videos_is_an_error(paper, dataset):
    root, of_profile = paper
    config = of_profile()
    settings = config.datasets[dataset].model_copy(update={"max_unreadable_fraction": 0.5})
    config = config.model_copy(update={"datasets": {dataset: settings}})
    for path in (root / dataset / "val").rglob("*.mp4"):
        path.unlink()
    with pytest.raises(BenchmarkError, match="no usable video to test on"):
        build_profile_manifest(config, dataset)


@pytest.mark.parametrize(("rule", "kept"), [("keep_val", "val"), ("keep_train", "train")])
def test_a_clip_of_both_lists_stays_on_one_side(paper, rule, kept):
    root, of_profile = paper
    lists = {
        "hvu": ("HVU_Train_V1.0.csv", "HVU_Val_V1.0.csv"),
        "mini_kinetics": ("mini_train_videofolder.txt", "mini_val_videofolder.txt"),
    }
    for dataset, (train, val) in lists.items():
        line = (root / dataset / train).read_text().splitlines()[-1]
        with (root / dataset / val).open("a") as file:
            file.write(line + "\n")
        manifest = build_profile_manifest(of_profile(**{dataset: {"on_duplicate": rule}}), dataset)
        assert manifest.left_out == {"clips that the other side has too": 1}
        youtube_id = re.search(r"[/,]([\w-]{11})[_,]", line)[1]
        row = manifest.rows[manifest.rows["video_id"].str.startswith(youtube_id)]
        assert row["split"].tolist() == [kept]


def test_a_tag_of_two_categories_is_two_classes(paper):
    root, of_profile = paper
    tags = root / "hvu" / "HVU_Tags_Categories_V1.0.csv"
    tags.write_text(tags.read_text() + "red_disc,object\nred_disc,object\n")
    manifest = build_profile_manifest(of_profile(), "hvu")
    assert {"action/red_disc", "object/red_disc"} <= set(manifest.classes)
    assert len(manifest.classes) == 35
    for labels in manifest.rows["labels"]:
        assert ("action/red_disc" in labels) == ("object/red_disc" in labels)


def test_copies_on_both_sides_leave_the_tested_one(paper):
    root, of_profile = paper
    folder = root / "activitynet"
    (train, *_), (val, *_) = (sorted((folder / s).glob("*.mp4")) for s in ("train", "val"))
    shutil.copy(val, train)
    manifest = build_profile_manifest(of_profile(), "activitynet")
    (copy,) = manifest.duplicates
    assert (copy.kept, copy.dropped) == (val.stem[2:], (train.stem[2:],))
    with pytest.raises(BenchmarkError, match="the same video on both sides"):
        build_profile_manifest(of_profile(activitynet={"on_duplicate": "error"}), "activitynet")


@pytest.mark.parametrize("dataset", WRITERS)
def test_descriptor_and_profile_agree(dataset):
    described = yaml.safe_load((DESCRIPTORS / f"{dataset}.yaml").read_text())
    config = load_config(PROFILE, {f"{name}_root": "somewhere" for name in WRITERS})
    settings = config.datasets[dataset]
    sampling = settings.sampling.model_dump(exclude_defaults=True, exclude={"jpeg_quality"})
    assert sampling == described["sampling"]
    assert described["sampling_source"]
    assert (settings.role, settings.metric) == (described["role"], described["metric"])
    assert described["name"] == dataset
    assert "paper" in described["profiles"]
    assert described["stands_for"].startswith(settings.paper_dataset)
    assert (
        sum(described.get("categories", {"all": described["classes"]}).values())
        == (described["classes"])
    )
    assert set(expected_of(dataset, "paper")) == {"train", "val", "classes"}


EDITS = {
    "activitynet": ("activity_net.v1-3.min.json", '"training"', '"validation"'),
    "mini_kinetics": ("mini_val_videofolder.txt", r"images/val/[^/]+/(.*) \d+", r"images/val/\1 5"),
    "hvu": ("HVU_Val_V1.0.csv", r"\n[^|,]+\|", "\n"),
}


@pytest.mark.parametrize("dataset", WRITERS)
def test_verification_holds_the_manifest_against_the_lists(paper, dataset):
    root, of_profile = paper
    config = of_profile()
    path = Layout.of(config).manifest(dataset)
    write_manifest(build_profile_manifest(config, dataset), path)

    def said():
        faults = DataChecks(config, Hashes(root)).faults(dataset, ())
        return [fault for fault in faults if str(path) in fault]

    assert said() == []
    for video in (root / dataset).rglob("*.mp4"):
        video.unlink()
    assert said() == []
    name, old, new = EDITS[dataset]
    edited = root / dataset / name
    edited.write_text(re.sub(old, new, edited.read_text(), count=1))
    assert len(said()) == 1
    assert "was built from other lists than lie there now" in said()[0]
    assert str(edited) in said()[0]
    edited.unlink()
    assert said() == []
