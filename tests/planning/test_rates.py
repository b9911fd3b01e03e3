"""A calibration measures once and is kept; what is assumed says so."""

import pytest
import torch

from benchmark.planning import rates as rates_module
from benchmark.planning.pictures import _write_video, measure_pictures
from benchmark.planning.ranges import Range, exactly
from benchmark.planning.rates import rates_of
from benchmark.planning.videos import Example
from benchmark.profiles import load_profile


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(rates_module, "_SECONDS", 0.02)


@pytest.fixture
def video(tmp_path):
    return _write_video(tmp_path, 160, 120)


def smoke(**settings):
    return load_profile({"profile": "smoke", **settings})


def test_a_calibration_is_kept_until_something_else_is_measured(tmp_path, video):
    kept = tmp_path / "results" / "calibration.json"
    first = rates_of(smoke(), [video], None, kept)
    content = kept.read_bytes()
    assert rates_of(smoke(), [video], None, kept) == first
    assert kept.read_bytes() == content
    assert 0 < first.forward_macs.low < first.forward_macs.high
    assert "1 of your videos" in first.pictures.origin
    other = smoke(backbone={"network": "small_cnn", "weights": "random"})
    rates_of(other, [video], None, kept)
    assert kept.read_bytes() != content
    kept.write_text("{}")  # cut off, or of another version
    assert rates_of(smoke(), [video], None, kept).forward_macs.low > 0


def test_a_speed_that_the_user_knows_is_taken(tmp_path, video):
    found = rates_of(smoke(), [video], Range(50, 70), tmp_path / "calibration.json")
    assert found.forward_macs == found.training_macs == Range(50e9, 70e9)
    assert "--gmacs-per-second" in found.device


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize(
    ("precision", "images"), [("32-true", Range(367, 938)), ("bf16-mixed", Range(1200, 2470))]
)
def test_without_a_gpu_its_speed_is_an_assumption(tmp_path, video, precision, images):
    training = {"head_units": 8, "learning_rate": 0.1, "batch_size": 4, "precision": precision}
    config = smoke(compute={"accelerator": "cuda"}, training=training)
    found = rates_of(config, [video], None, tmp_path / "calibration.json")
    assert found.training_macs == images * (3 * 4.1 * 1e9)
    assert any("ASSUMPTION" in note for note in found.notes)


def test_pictures_are_those_of_the_videos(video):
    found = measure_pictures([video], 90)
    assert 0 < found.decoded_frames[0] <= found.decoded_frames[1]
    assert min(found.jpeg_pixels, found.hashed_bytes) > 0
    assert 0.05 < found.jpeg_bytes[0] == found.jpeg_bytes[1] < 3


def test_videos_that_cannot_be_decoded_are_replaced_and_that_is_said(tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    found = measure_pictures([Example(broken, 20, 10.0)], 90)
    assert found.origin.startswith("No video of yours could be decoded")
    assert found.jpeg_bytes == (0.12, 0.5)
    assert exactly(found.decoded_frames[0]).low > 0
