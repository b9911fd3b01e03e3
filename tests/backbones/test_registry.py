"""Backbones by name, with weights from where the profile says."""

import pytest
import torch
from pytorchvideo.models.x3d import create_x3d

from benchmark.backbones.build import input_shape
from benchmark.backbones.registry import Backbone, build_backbone
from benchmark.config.learning import BackboneConfig
from benchmark.config.networks import NETWORKS
from benchmark.cost.counter import MacCounter
from benchmark.errors import BenchmarkError, DamagedFileError
from benchmark.files.sealed_tensors import save_sealed_tensors


def _config(**settings):
    return BackboneConfig(**{"network": "tiny_cnn", "weights": "random", **settings})


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_maps_its_input_to_features(name):
    network = _config(network=name).entry
    backbone = build_backbone(_config(network=name), None, 0)
    inputs = torch.randint(256, (2, *input_shape(network)), dtype=torch.uint8)
    with torch.inference_mode():
        features = backbone(inputs)
    assert features.shape == (2, network.num_features)
    assert features.dtype == torch.float32
    assert not backbone.training
    assert (features[0] != features[1]).any()


def test_inputs_are_scaled_by_mean_and_deviation():
    backbone = Backbone(_config(network="tf_efficientnet_lite0").entry)
    backbone.body = torch.nn.Identity()
    frame = torch.arange(256, dtype=torch.uint8).view(1, 16, 16, 1).expand(1, 16, 16, 3)
    expected = (torch.arange(256.0) - 127) / 128  # as the converted weights expect
    torch.testing.assert_close(backbone(frame)[0, 1].flatten(), expected, atol=1e-5, rtol=0)


def test_random_weights_follow_the_seed():
    one, two, other = (build_backbone(_config(), None, seed) for seed in (1, 1, 2))
    for name, tensor in one.body.state_dict().items():
        assert (two.body.state_dict()[name] == tensor).all()
    weight = "body.0.weight"
    assert (other.body.state_dict()[weight] != one.body.state_dict()[weight]).any()


@pytest.mark.parametrize("how", ["file", "hub", "pretrained"])
def test_weights_are_read_from_what_their_job_wrote(tmp_path, how):
    given = build_backbone(_config(), None, 5).body.state_dict()
    path = tmp_path / "weights.safetensors"
    save_sealed_tensors(path, given)
    read = build_backbone(_config(weights=how), path, 6).body.state_dict()
    assert all((read[name] == tensor).all() for name, tensor in given.items())


def test_weights_that_were_changed_after_their_job_are_refused(tmp_path):
    path = tmp_path / "weights.safetensors"
    save_sealed_tensors(path, build_backbone(_config(), None, 5).body.state_dict())
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedFileError, match=r"weights\.safetensors: the tensors are not those"):
        build_backbone(_config(weights="pretrained"), path, 6)


def test_faults_are_explained(tmp_path):
    with pytest.raises(BenchmarkError, match=r"unknown network 'tiny_cn' \(did you mean 'tiny_cnn"):
        build_backbone(_config(network="tiny_cn"), None, 0)
    with pytest.raises(BenchmarkError, match=r"no such weights\. Fix: run the workflow"):
        build_backbone(_config(weights="hub"), tmp_path / "none.safetensors", 0)


def test_the_packages_imagenet_weights_fit():
    config = _config(network="tf_efficientnet_lite0", weights="package")
    packaged, random = (
        build_backbone(config, None, 0),
        build_backbone(_config(network="tf_efficientnet_lite0"), None, 0),
    )
    changed = [
        name
        for name, tensor in packaged.body.state_dict().items()
        if not torch.equal(tensor, random.body.state_dict()[name])
    ]
    assert len(changed) == 245  # all of its 247 tensors but the classifier's two


def test_x3d_s_is_pytorchvideos_without_its_classifier_at_the_papers_cost():
    backbone = build_backbone(_config(network="x3d_s"), None, 0)
    whole = create_x3d(input_clip_length=13, input_crop_size=160).eval()
    assert whole.load_state_dict(backbone.body.state_dict(), strict=False).missing_keys == [
        "blocks.5.proj.weight",
        "blocks.5.proj.bias",
    ]
    seen = []
    whole.blocks[5].proj.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    clip = torch.randint(256, (1, 13, 160, 160, 3), dtype=torch.uint8)
    scaled = (clip.float() / 255 - 0.45) / 0.225
    with torch.inference_mode(), MacCounter() as counter:
        whole(scaled.movedim(-1, 1))
        torch.testing.assert_close(backbone(clip), seen[0].flatten(1), atol=1e-4, rtol=1e-4)
    classifier = 2048 * 400
    assert counter.total == 2 * 1_962_892_112 - classifier
    assert round(1_962_892_112 / 1e9, 2) == 1.96  # the paper's, with the classifier of Kinetics
