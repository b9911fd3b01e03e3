"""Bad inputs: one message with file, cause and fix, the last thing printed, before any training."""

import csv
import shutil
from pathlib import Path

import pytest
from workflow_runs import Workflow, last_error

from benchmark.data.builtin.generate import generate

pytestmark = pytest.mark.dag


@pytest.fixture(scope="module")
def good_videos(tmp_path_factory):
    """Return a folder of readable videos with labels."""
    folder = tmp_path_factory.mktemp("good")
    generate("short", folder, num_train=6, num_val=4, seed=0)
    return folder


def _truncate(folder):
    victim = sorted(folder.rglob("*.mp4"))[3]
    victim.write_bytes(victim.read_bytes()[: victim.stat().st_size // 2])


def _empty(folder):
    sorted(folder.rglob("*.mp4"))[3].write_bytes(b"")


def _write_text(folder):
    sorted(folder.rglob("*.mp4"))[3].write_text("This is no video.\n" * 100)


def _delete(folder):
    sorted(folder.rglob("*.mp4"))[3].unlink()


def _change_rows(change):
    def apply(folder):
        path = folder / "labels.csv"
        with path.open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        change(rows)
        with path.open("w", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)

    return apply


def _duplicate(rows):
    rows.append({**rows[2], "split": "val"})


def _odd_split(rows):
    rows[2]["split"] = "valid"


# What is done to the folder, and what the message holds: place, cause, fix.
FAULTS = {
    "truncated mp4": (_truncate, ("labels.csv:5", "00003.mp4", "mend or remove them")),
    "empty file": (_empty, ("labels.csv:5", "the file is empty", "mend or remove them")),
    "text named mp4": (_write_text, ("labels.csv:5", "Invalid data", "mend or remove them")),
    "missing file": (_delete, ("labels.csv:5", "no such file", "mend or remove them")),
    "duplicated id": (
        _change_rows(_duplicate),
        ("labels.csv:12", "duplicated id", "labels.csv:4. Fix: "),
    ),
    "unknown split": (_change_rows(_odd_split), ("labels.csv:4", "'valid'", "Fix: ")),
    "missing folder": (shutil.rmtree, ("no such folder of videos", "datasets.long: root")),
}


def _listed(root, role):
    return {
        "role": role,
        "csv": {
            "csv": "labels.csv",
            "root": str(root),
            "labels": ["labels"],
            "split": "split",
        },
        "sampling": {"positions": 8},
    }


def _assert_one_message(code, printed, parts):
    said = last_error(printed)
    assert code != 0
    for part in parts:
        assert part in said
    assert said.count("error: ") == 1
    assert "Traceback" not in said


@pytest.mark.parametrize(("spoil", "parts"), FAULTS.values(), ids=FAULTS)
def test_a_fault_of_the_videos_is_said_before_any_training(
    good_videos, profile_file, tmp_path, *, spoil, parts
):
    bad = shutil.copytree(good_videos, tmp_path / "bad")
    spoil(bad)

    def change(content):
        content["datasets"] = {"long": _listed(bad, "long")}
        if spoil is _truncate:  # beside a good set, whose training would not have to wait
            content["datasets"]["short"] = _listed(good_videos, "short")
        content["backbone"] = {"network": "tiny_cnn", "weights": "random", "finetune": True}

    run = Workflow(tmp_path, profile_file("bad", change))
    code, printed = run.run("all_results")
    _assert_one_message(code, printed, [str(bad), *parts])
    assert not list(run.results.rglob("runs/*"))


def test_an_edited_label_of_a_generated_video_ends_the_run(profile_file, tmp_path):
    run = Workflow(tmp_path, profile_file("labels"))
    run.run_well("results/labels/data/multi/videos/labels.csv")
    path = run.results / "data" / "multi" / "videos" / "labels.csv"
    _change_rows(lambda rows: rows[4].update(labels="red_disk"))(path.parent)
    code, printed = run.run("all_results")
    _assert_one_message(
        code, printed, ["labels.csv: ", "changed", "Fix: ", "--forcerun", "videos/labels.csv"]
    )
    assert not list(run.results.rglob("runs/*"))


@pytest.mark.parametrize(
    ("change", "settings", "parts"),
    [
        (
            lambda content: content["training"].update(learning_rat=1),
            {},
            ("bad.yaml:", "'training.learning_rat'", "did you mean 'learning_rate'?"),
        ),
        (lambda content: None, {"sedes": "1"}, ("'sedes'", "did you mean 'seeds'?")),
        (
            lambda content: None,
            {"methods_path": "/no/such/folder"},
            ("/no/such/folder", "no such folder of methods"),
        ),
    ],
    ids=["key of the file", "key on the command line", "folder of methods"],
)
def test_a_misspelt_setting(profile_file, tmp_path, *, change, settings, parts):
    run = Workflow(tmp_path, profile_file("bad", change), settings)
    code, printed = run.run("all_results")
    _assert_one_message(code, printed, parts)
    assert not run.results.exists()


def test_an_unknown_profile(tmp_path):
    code, printed = Workflow(tmp_path, "smok").run()
    _assert_one_message(code, printed, [str(Path("config") / "smok.yaml"), "mean 'smoke'?"])
