"""What is known of videos: from the manifest, from a descriptor, from the profile."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from benchmark.config.load import load_profile
from benchmark.errors import BenchmarkError
from benchmark.estimate import videos
from benchmark.estimate.ranges import Range, exactly
from benchmark.estimate.videos import video_facts


@pytest.fixture
def facts(tmp_path):
    """Return a function that asks what a profile knows of a dataset without any manifest."""

    def ask(profile, dataset, **settings):
        given = {"profile": profile, "results": str(tmp_path), **settings}
        return video_facts(load_profile(given, folders_named=False), dataset)

    return ask


@pytest.fixture
def describe(tmp_path, monkeypatch):
    """Return a function that writes the descriptor of HVU."""
    monkeypatch.setattr(videos, "_DESCRIPTORS", tmp_path)

    def write(**content):
        given = {
            "expected": {"train": "476k", "val": 31171},
            "classes": 3142,
            "task": "multi_label",
            "video": {"seconds": "about 8.5"},
        }
        (tmp_path / "hvu.yaml").write_text(yaml.safe_dump(given | content))

    return write


def test_a_manifest_knows_its_videos_exactly(small_plan):
    known = video_facts(small_plan().config, "long")
    assert known.origin.startswith("the manifest ")
    assert (known.num_train, known.num_val) == (exactly(20), exactly(12))
    assert (known.num_classes, known.multi_label, known.num_folds) == (20, False, 1)
    assert (known.seconds, known.source_frames) == (exactly(10), exactly(60))
    assert (known.positions, known.pixels) == (exactly(16), exactly(64 * 64))
    sizes = [file.stat().st_size for file in known.examples[0].path.parents[1].rglob("*.mp4")]
    assert len(sizes) == 32
    assert known.file_bytes == exactly(np.mean(sizes))
    assert len(known.examples) == 8
    assert all(one.path.is_file() and one.num_frames == 60 for one in known.examples)
    assert known.uncertain == ()


def test_a_built_in_set_is_known_before_it_is_generated(facts):
    known = facts("smoke", "long")
    assert (known.num_train, known.num_val) == (exactly(20), exactly(24))
    assert (known.source_frames, known.positions) == (exactly(96), exactly(16))
    assert known.examples == ()


def test_a_descriptor_gives_counts_folds_and_lengths(facts):
    known = facts("clips", "tank_wagon")
    assert known.origin == "data_manifests/tank_wagon.yaml, expected counts"
    assert known.num_folds == 5
    assert known.num_val.high == 491
    assert known.num_train.high == pytest.approx(491 * 4 / 5)
    assert known.num_videos == known.num_val
    assert (known.num_classes, known.seconds) == (4, exactly(10))
    assert known.source_frames == exactly(250)
    assert facts("clips", "tank_wagon_tags").num_classes == 6


def test_a_descriptor_of_the_paper_says_what_may_be_missing(facts, describe):
    describe()
    known = facts("paper", "hvu", only="hvu")
    assert known.num_train == Range(0.75 * 476_000, 476_000)
    assert known.num_val == Range(0.75 * 31_171, 31_171)
    assert (known.num_classes, known.multi_label) == (3142, True)
    assert known.positions == exactly(8.5 * 5)
    assert known.pixels.low == pytest.approx(256 * 256 * 4 / 3)
    assert "up to 25% of the videos may be gone" in known.uncertain[0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"expected": {}}, "expected counts of train and val are missing"),
        ({"expected": {"train": "many", "val": 2}}, "expected.train is 'many', expected a number"),
        ({"video": {}}, "video.seconds is 'None', expected a number"),
        ({"classes": None}, "classes is 'None', expected a number"),
    ],
)
def test_a_descriptor_that_says_too_little_is_an_error(facts, describe, content, message):
    describe(**content)
    with pytest.raises(BenchmarkError, match=r"hvu\.yaml: " + message):
        facts("paper", "hvu", only="hvu")


def test_a_dataset_of_which_nothing_is_known_is_an_error(facts, tmp_path, monkeypatch):
    monkeypatch.setattr(videos, "_DESCRIPTORS", tmp_path)
    with pytest.raises(BenchmarkError, match="neither a manifest nor a descriptor") as raised:
        facts("paper", "hvu", only="hvu")
    assert str(Path(tmp_path, "hvu.yaml")) in str(raised.value)
