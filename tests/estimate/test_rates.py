"""A calibration measures once and is kept; what is assumed says so."""

import pytest
import torch

from benchmark.config.load import load_profile
from benchmark.data.frames.jpeg import SEEN_BYTES_A_PIXEL
from benchmark.data.frames.recipe import SamplingRecipe
from benchmark.estimate import rates as rates_module
from benchmark.estimate.pictures import _write_video, measure_pictures
from benchmark.estimate.ranges import Range
from benchmark.estimate.rates import rates_of
from benchmark.estimate.videos import Example


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(rates_module, "_SECONDS", 0.02)


@pytest.fixture
def video(tmp_path):
    return _write_video(tmp_path, 160, 120)


def smoke(**settings):
    return load_profile({"profile": "smoke", **settings})


def of_all(videos):
    return dict.fromkeys(smoke().datasets, tuple(videos))


def test_a_calibration_is_kept_until_something_else_is_measured(tmp_path, video):
    kept = tmp_path / "results" / "calibration.json"
    first = rates_of(smoke(), of_all([video]), None, kept)
    content = kept.read_bytes()
    assert rates_of(smoke(), of_all([video]), None, kept) == first
    assert kept.read_bytes() == content
    assert 0 < first.forward_macs.low < first.forward_macs.high
    assert {rates.origin for rates in first.pictures.values()} == {
        "decoding and storing were measured on 1 of your videos."
    }
    owners = smoke().frame_owners
    assert list(first.pictures) == owners
    assert len([note for note in first.notes if note.startswith(f"{', '.join(owners)}: ")]) == 1
    other = smoke(backbone={"network": "small_cnn", "weights": "random"})
    rates_of(other, of_all([video]), None, kept)
    assert kept.read_bytes() != content
    kept.write_text("{}")  # cut off, or of another version
    assert rates_of(smoke(), of_all([video]), None, kept).forward_macs.low > 0


def test_a_speed_that_the_user_knows_is_taken(tmp_path, video):
    found = rates_of(smoke(), of_all([video]), Range(50, 70), tmp_path / "calibration.json")
    assert found.forward_macs == found.training_macs == Range(50e9, 70e9)
    assert "--gmacs-per-second" in found.device


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize(
    ("precision", "images"), [("32-true", Range(367, 938)), ("bf16-mixed", Range(1200, 2470))]
)
def test_without_a_gpu_its_speed_is_an_assumption(tmp_path, video, precision, images):
    training = {"head_units": 8, "learning_rate": 0.1, "batch_size": 4, "precision": precision}
    config = smoke(compute={"accelerator": "cuda"}, training=training)
    found = rates_of(config, of_all([video]), None, tmp_path / "calibration.json")
    assert found.training_macs == images * (3 * 4.1 * 1e9)
    assert any("ASSUMPTION" in note for note in found.notes)


@pytest.mark.parametrize("quality", [None, 90])
def test_pictures_are_those_of_the_videos(video, quality):
    recipe = SamplingRecipe(None, 5.0, short_side=60, jpeg_quality=quality)
    found = measure_pictures({"films": [video, video]}, {"films": recipe})["films"]
    assert 0 < found.decoded_frames[0] <= found.decoded_frames[1]
    assert found.stored_bytes[0] == found.stored_bytes[1]
    if quality is None:
        assert (found.jpeg_pixels, found.stored_bytes[0]) == (None, 3)
    else:
        assert found.jpeg_pixels > 0
        assert 0.05 < found.stored_bytes[0] < 3


def test_each_dataset_is_measured_by_its_own_recipe(video, tmp_path):
    videos = {
        "whole": [video],
        "halved": [video],
        "absent": [Example(tmp_path / "no", 9, 9.0, 48, 48)],
    }
    recipes = {
        "whole": SamplingRecipe(60, None, jpeg_quality=90),
        "halved": SamplingRecipe(2, None, short_side=60, jpeg_quality=90),
        "absent": SamplingRecipe(2, None),
    }
    found = measure_pictures(videos, recipes)
    # A smooth picture holds more in each pixel once it is smaller.
    assert found["halved"].stored_bytes[0] > found["whole"].stored_bytes[0]
    assert found["absent"].origin.startswith("no video of yours could be decoded")
    assert found["absent"].stored_bytes == (3, 3)


def test_videos_that_cannot_be_decoded_are_replaced_and_that_is_said(tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    recipes = {"films": SamplingRecipe(4, None, jpeg_quality=90)}
    found = measure_pictures({"films": [Example(broken, 20, 10.0, 48, 48)]}, recipes)["films"]
    assert found.origin.startswith("no video of yours could be decoded")
    assert found.stored_bytes == SEEN_BYTES_A_PIXEL
    assert found.decoded_frames[0] > 0
