"""Killed anywhere and started again, a run ends in the bytes of an undisturbed one."""

import json
import shutil
import subprocess
import sys
import time

import pytest
from workflow_runs import Workflow

pytestmark = pytest.mark.dag


def test_no_stage_after_the_frames_needs_a_video(tiny_run):
    """The fixture deleted all videos after the frames, and took both decoders away."""
    assert (tiny_run.results / "outcome.json").is_file()
    assert not list(tiny_run.folder.rglob("*.mp4"))
    rows = [json.loads(path.read_text()) for path in tiny_run.results.rglob("result.json")]
    skipped = {row["reason"][:28] for row in rows if row["status"] == "skipped"}
    assert skipped <= {"this profile has no network:"}
    good = [row for row in rows if row["status"] != "skipped"]
    assert {(row["status"], row["num_videos"]["evaluated"]) for row in good} == {("ok", 12)}


def test_the_decoders_were_really_gone(tiny_run, no_decoders):
    code = "import av"
    done = subprocess.run(
        [sys.executable, "-c", code], env=no_decoders, capture_output=True, text=True, check=False
    )
    assert "av was taken away" in done.stderr


def test_a_profile_that_shares_frames_makes_none_of_them_anew(tiny_run, profile_file):
    sharing = profile_file("sharing", lambda content: content.update(data_of="tiny"))
    frames = tiny_run.results / "data" / "multi" / "frames" / "index.json"
    target = str(frames.relative_to(tiny_run.folder))
    printed = Workflow(tiny_run.folder, sharing).run_well(target)
    assert "Nothing to be done" in printed


def test_a_run_that_is_killed_at_three_stages_ends_in_the_same_bytes(tiny_run, tmp_path):
    killed = Workflow(tmp_path, tiny_run.profile)
    for pattern, not_yet in (
        ("data/*/frames/index.json", "runs"),
        ("runs/*/frameexit/checkpoints/*.safetensors", "runs/multi/frameexit/predictions*"),
        ("runs/*/*/*/*/result.json", "tables/table1.csv"),
    ):
        killed.kill_when(pattern)
        assert not list(killed.results.glob(not_yet)), "it was killed too late to mean anything"
    killed.run_well()
    numbers, undisturbed = killed.numbers(), tiny_run.numbers()
    assert len([name for name in numbers if name.startswith("tables/")]) >= 6
    assert len([name for name in numbers if name.endswith(".parquet")]) > 10
    assert set(numbers) == set(undisturbed)
    assert [name for name in numbers if numbers[name] != undisturbed[name]] == []
    for path in killed.results.rglob("result.json"):
        other = tiny_run.results / path.relative_to(killed.results)
        assert _without_time(path) == _without_time(other)
    left_over = [path for path in killed.folder.rglob("*.partial") if "logs" not in path.parts]
    assert len(left_over) <= 3  # at most one a kill, under a name that nothing reads


def _without_time(path):
    content = json.loads(path.read_text())
    content.pop("seal")  # a digest of the rest, with the time
    content["provenance"].pop("finished")
    content["provenance"].pop("changed_files")
    return content


def test_a_killed_run_leaves_no_old_number(tiny_run, profile_file, tmp_path):
    """It was to make all of them anew, and was killed as a whole: nobody was left to say so."""
    shutil.copytree(tiny_run.folder, tmp_path, dirs_exist_ok=True)
    other = profile_file("tiny", lambda content: content["training"].update(learning_rate=0.004))
    killed = Workflow(tmp_path, other)
    shutil.rmtree(killed.results / "logs")
    assert list(killed.results.glob("tables/*.csv"))
    killed.kill_when("logs/train-*.log")
    for pattern in ("tables/*", "figures/*", "runs/**/result.json", "runs/**/replicates.npy"):
        assert not list(killed.results.glob(pattern))
    assert list(killed.results.glob("runs/**/predictions.parquet"))


def test_a_second_run_into_the_same_results_is_refused(tiny_run, tmp_path):
    """So is none after a kill, as the test above shows."""
    first = Workflow(tmp_path, tiny_run.profile)
    with first.start("all_frames") as process:
        while process.poll() is None and not list(first.results.glob("data/*/videos")):
            time.sleep(0.01)
        code, printed = first.run("all_frames")
        assert process.wait(timeout=300) == 0
    assert code != 0
    assert "another run is writing here. Fix: let it finish" in printed


def test_a_finished_run_has_nothing_to_do(tiny_run):
    again = Workflow(tiny_run.folder, tiny_run.profile)
    assert "Nothing to be done" in again.run_well()
