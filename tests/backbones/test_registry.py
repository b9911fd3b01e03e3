"""Backbones by name, with weights from where the profile says."""

import pytest
import torch
from safetensors.torch import save_file

from benchmark.backbones.registry import NETWORKS, Backbone, build_backbone, network_of
from benchmark.config import BackboneConfig
from benchmark.errors import BenchmarkError


def _config(**settings):
    return BackboneConfig(**{"network": "tiny_cnn", "weights": "random", **settings})


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_maps_frames_to_features(name):
    network = network_of(_config(network=name))
    backbone = build_backbone(_config(network=name), None, 0)
    clip = () if network.num_frames == 1 else (network.num_frames,)
    frames = torch.randint(256, (2, *clip, network.size, network.size, 3), dtype=torch.uint8)
    with torch.inference_mode():
        features = backbone(frames)
    assert features.shape == (2, network.num_features)
    assert features.dtype == torch.float32
    assert not backbone.training
    assert (features[0] != features[1]).any()


def test_inputs_are_scaled_by_mean_and_deviation():
    backbone = Backbone(network_of(_config(network="tf_efficientnet_lite0")))
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


@pytest.mark.parametrize("how", ["file", "pretrained"])
def test_weights_are_read_from_a_file(tmp_path, how):
    given = build_backbone(_config(), None, 5).body.state_dict()
    path = tmp_path / "weights.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in given.items()}, path)
    config = _config(weights=how, file=str(path) if how == "file" else None)
    read = build_backbone(config, path if how == "pretrained" else None, 6).body.state_dict()
    assert all((read[name] == tensor).all() for name, tensor in given.items())


def test_faults_are_explained(tmp_path):
    with pytest.raises(BenchmarkError, match=r"unknown network 'tiny_cn' \(did you mean 'tiny_cnn"):
        build_backbone(_config(network="tiny_cn"), None, 0)
    with pytest.raises(BenchmarkError, match=r"nowhere: no such weights"):
        build_backbone(_config(weights="file", file="nowhere"), None, 0)
    with pytest.raises(BenchmarkError, match="no package carries weights of 'tiny_cnn'"):
        build_backbone(_config(weights="package"), None, 0)
    path = tmp_path / "other.safetensors"
    wider = build_backbone(_config(network="small_cnn"), None, 0).body.state_dict()
    save_file({name: tensor.contiguous() for name, tensor in wider.items()}, path)
    with pytest.raises(BenchmarkError, match=r"other.safetensors: 20 of 24 tensors are missing or"):
        build_backbone(_config(weights="file", file=str(path)), None, 0)
    path.write_bytes(b"no tensors")
    with pytest.raises(BenchmarkError, match=r"other.safetensors: no safetensors file"):
        build_backbone(_config(weights="file", file=str(path)), None, 0)


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
