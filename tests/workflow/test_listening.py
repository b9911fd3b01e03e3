"""A user's method that listens, from its folder to its rows: the harness is not touched."""

import json
import shutil
import subprocess
import sys

import av
import pytest
from listening_method import write_listening_method
from workflow_runs import Workflow

from benchmark.data.builtin.generate import generate
from benchmark.experiment.finished import finished_plan
from benchmark.files.sealed import read_sealed, write_sealed
from benchmark.methods.check_names import CHECK_NAMES
from benchmark.verification.data import DataChecks
from benchmark.verification.files import Hashes

pytestmark = pytest.mark.dag


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Write the method's folder and return the folder of methods."""
    folder = tmp_path_factory.mktemp("own")
    write_listening_method(folder)
    return folder


def test_it_passes_the_checks(own):
    command = [sys.executable, "-m", "benchmark", "check", "listens", "--methods-path", str(own)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith(f"{len(CHECK_NAMES)} passed\n")


def _silent_copies(folder):
    """Write a dataset of built-in videos without their sound."""
    generate("short", folder, num_train=8, num_val=6, seed=0)
    for path in folder.rglob("*.mp4"):
        mute = path.with_suffix(".mute.mp4")
        with av.open(str(path)) as heard, av.open(str(mute), "w") as container:
            stream = container.add_stream_from_template(heard.streams.video[0])
            for packet in heard.demux(heard.streams.video[0]):
                if packet.dts is not None:
                    packet.stream = stream
                    container.mux(packet)
        shutil.move(mute, path)


def _profile(videos):
    def change(content):
        content["backbone"] = {"network": "tiny_cnn", "weights": "random"}
        content["networks"] = {"sound": {"network": "tiny_audio", "weights": "random"}}
        content["datasets"]["multi"]["builtin"] |= {"num_train": 10, "num_val": 8}
        content["datasets"]["short"] = {
            "role": "short",
            "csv": {
                "csv": "labels.csv",
                "root": str(videos),
                "labels": ["labels"],
                "split": "split",
            },
            "sampling": {"positions": 16},
            "metric": "top1",
        }

    return change


@pytest.fixture(scope="module")
def listened(own, tmp_path_factory, profile_file):
    """Run the method on built-in videos and on videos without sound."""
    folder = tmp_path_factory.mktemp("listened")
    _silent_copies(folder / "videos")
    profile = profile_file("listening", _profile(folder / "videos"))
    run = Workflow(folder, profile, {"methods_path": str(own)})
    runs = "results/listening/runs"
    run.run_well(f"{runs}/multi/listens/results.json", f"{runs}/short/listens/results.json")
    return run


def _result(run, dataset):
    path = run.results / "runs" / dataset / "listens" / "default" / "seed0" / "result.json"
    return json.loads(path.read_text())


def test_its_row_is_good_and_audited(listened):
    result = _result(listened, "multi")
    assert (result["status"], result["reason"]) == ("ok", "")
    assert not [label for label in result["labels"] if "AUDIT" in label or "no sound" in label]
    assert "random weights" in result["labels"]
    assert result["frames_per_video"] == 2
    assert result["pixels_per_video"] == 2 * 64 * 64
    spent = result["macs_by_component"]
    assert set(spent) == {"sound", "skimmer", "backbone", "classifier", "other"}
    assert spent["other"] == 0
    assert spent["sound"] == 8 * 79_200  # three convolutions at eight moments
    audits = json.loads(
        next((listened.results / "runs/multi/listens").glob("pred*.json")).read_text()
    )["entries"]
    assert [entry["audit"] for entry in audits] == [[]]
    assert set(audits[0]["weights"]) == {"backbone", "sound"}


def test_a_dataset_without_sound_is_a_row_that_says_so(listened):
    result = _result(listened, "short")
    assert result["status"] == "skipped"
    assert result["reason"] == "no video of 'short' has sound"


def test_verification_covers_the_sound(listened, tmp_path):
    copied = shutil.copytree(listened.results, tmp_path / "results" / "listening")
    config = finished_plan(str(copied.parent), "listening").config

    def faults():
        return DataChecks(config, Hashes(copied)).faults("multi", ("backbone", "sound"))

    assert faults() == []
    index = copied / "features" / "multi" / "sound" / "index.json"
    written, said = index.read_bytes(), read_sealed(index, "index", "")
    write_sealed(index, {**said, "sound_digest": "another"})
    (fault,) = faults()
    assert "index.json: features were computed from other sound than is stored now" in fault
    index.write_bytes(written)
    shard = next((copied / "data" / "multi" / "sound").glob("*.bin"))
    content = bytearray(shard.read_bytes())
    content[1000] ^= 1
    shard.write_bytes(content)
    (fault,) = faults()
    assert "sound-00000.bin" in fault
    shard.unlink()
    assert "the shard is missing" in " ".join(faults())
