"""Networks that listen: their input is the sound around a stored frame, and no frame is opened."""

import copy
import json

import numpy as np
import pytest
import torch
from listening_method import write_listening_method
from safetensors.torch import load_file

from benchmark.backbones.feature_store import Inputs, StoredFeatures, extract_features
from benchmark.backbones.features import ComputedFeatures, count_macs_per_input
from benchmark.backbones.registry import build_backbone
from benchmark.config.learning import NetworkConfig
from benchmark.config.load import validate
from benchmark.config.networks import NETWORKS
from benchmark.cost.literature.parts import listen_to_look_audio
from benchmark.cost.meter import Meter
from benchmark.data.builtin.sound import TONES_HZ
from benchmark.data.builtin.truth import load_truth
from benchmark.data.manifest.manifest import read_manifest
from benchmark.data.sound.extract import extract_sound
from benchmark.data.sound.log_mel import WINDOW_SAMPLES, log_mel
from benchmark.data.sound.store import SoundStore
from benchmark.errors import BenchmarkError
from benchmark.evaluation.evaluate import Evaluator
from benchmark.evaluation.predict import predict_all
from benchmark.experiment.layout import Layout, RunKey
from benchmark.experiment.plan import make_plan
from benchmark.experiment.stage_index import write_stage_index
from benchmark.seeds import video_keys
from benchmark.training.dataset import make_network, open_dataset, weights_digest
from benchmark.training.train_all import train_all
from benchmark.training.trainer import Trainer
from benchmark.videos import Videos

SOUND = NetworkConfig(network="tiny_audio", weights="random")


@pytest.fixture(scope="module")
def config(small_plan):
    """The small profile with a network that listens, its sound and its features."""
    config = small_plan().config.model_copy(update={"networks": {"sound": SOUND}})
    layout = Layout.of(config)
    extract_sound(read_manifest(layout.manifest("long")), layout.sound("long"), workers=1)
    network = make_network(config, "sound")
    extract_features(
        open_dataset(config, "long").store,
        network,
        weights_digest(network),
        layout.features("long", "sound"),
        sound=SoundStore.open(layout.sound("long")),
    )
    return config


@pytest.fixture
def data(config):
    return open_dataset(config, "long", ("backbone", "sound"))


def test_stored_and_computed_features_are_equal_and_cost_the_same(config, data):
    ids = data.fold(0)[1]
    network = make_network(config, "sound")
    positions = torch.tensor([[0, 15, 7], [3, 3, 2], [9, 1, 14]])
    videos, rows = torch.tensor([2, 0, 5]), torch.tensor([0, 2, 2])
    results = []
    for source in (
        data.stored(ids, _weights(config))["sound"],
        data.computed(ids, {"sound": network})["sound"],
    ):
        with torch.inference_mode(), Meter(3) as meter:
            features = source.features(videos, positions, meter, rows, "sound")
        results.append((features, meter.macs("sound").tolist()))
    torch.testing.assert_close(results[0][0], results[1][0], atol=1e-5, rtol=1e-5)
    assert features.shape == (3, 3, data.task.networks["sound"].num_features)
    assert results[0][1] == results[1][1] == [3 * data.task.networks["sound"].macs, 0, 6 * macs()]
    assert (features[0, 0] != features[0, 1]).any()


def macs():
    """Return the closed form of the small network: output values times one filter."""
    return 26 * 20 * 4 * 9 + 7 * 10 * 8 * 9 * 4 + 7 * 10 * 8 * 9 * 8


def test_its_input_is_the_sound_at_the_moment_of_the_frame(config, data):
    """The tone of a built-in glyph is heard at the positions at which the glyph is visible."""
    truths = load_truth(Layout.of(config).videos("long") / "truth.jsonl")
    heard = {"in": [], "out": []}
    for video in data.store.video_ids:
        truth = truths[video]
        if truth.sounding is None:
            continue
        frames = data.store.source_frames(video)
        spectrograms = log_mel(
            data.sound.windows(video, data.store.moments_s(video), WINDOW_SAMPLES)
        )
        frequencies = np.abs(np.array(list(TONES_HZ.values())) - _band_centres()[:, None])
        bands = frequencies.argmin(axis=0)
        own = list(TONES_HZ).index(truth.sounding.split("_")[1])
        at = spectrograms[:, 48:53].mean(axis=1)[:, bands]  # within 20 ms of the frame
        rings = (at.argmax(axis=1) == own) & (at[:, own] > 1)
        visible = np.zeros(truth.num_frames + 2, dtype=bool)
        for start, stop in truth.intervals[truth.sounding]:
            visible[start + 1 : stop + 1] = True
        around = visible[frames].astype(int) + visible[frames + 1] + visible[frames + 2]
        heard["in"] += rings[around == 3].tolist()
        heard["out"] += rings[around == 0].tolist()
    assert len(heard["in"]) > 50
    assert len(heard["out"]) > 20
    assert all(heard["in"])
    assert not any(heard["out"])


def _band_centres():
    low, high = (2595 * np.log10(1 + f / 700) for f in (125, 7500))
    return 700 * (10 ** (np.linspace(low, high, 42)[1:-1] / 2595) - 1)


def test_listening_opens_no_frame(config, data):
    ids = data.fold(0)[1]
    meter = Meter(len(ids))
    videos = Videos(
        data.stored(ids, _weights(config)),
        torch.arange(len(ids)),
        video_keys(ids),
        data.lengths(ids),
        seed=0,
        meter=meter,
    )
    videos.features(torch.tensor([[0, 3]]).expand(len(ids), 2), "sound")
    assert videos.opened.num_frames().tolist() == videos.opened.pixels.tolist() == [0] * len(ids)
    assert set(videos.opened.last_position().tolist()) == {-1}
    videos.features(torch.tensor([[5]]).expand(len(ids), 1))
    assert set(videos.opened.num_frames().tolist()) == {1}
    assert set(videos.opened.pixels.tolist()) == {data.task.networks["backbone"].size ** 2}
    assert set(meter.macs("sound").tolist()) == {2 * macs()}
    assert set(meter.macs("backbone").tolist()) == {data.task.networks["backbone"].macs}


def _weights(config):
    return {r: weights_digest(make_network(config, r)) for r in ("backbone", "sound")}


def test_a_position_before_the_video_is_refused(config, data):
    ids = data.fold(0)[1]
    source = data.computed(ids, {"sound": make_network(config, "sound")})["sound"]
    with pytest.raises(IndexError, match="has no position -1"):
        source.features(torch.tensor([0]), torch.tensor([[-1]]), None, torch.tensor([0]), "sound")


@pytest.mark.parametrize("workers", [1, 3])
def test_extraction_gives_the_same_bytes(config, data, tmp_path, workers):
    network = make_network(config, "sound")
    digest = weights_digest(network)
    extract_features(data.store, network, digest, tmp_path, sound=data.sound, workers=workers)
    for name in ("index.json", "features.npy"):
        again = (Layout.of(config).features("long", "sound") / name).read_bytes()
        assert (tmp_path / name).read_bytes() == again


def test_candidates_are_extracted_alone(config, data, tmp_path):
    """As of a network that the last stage leaves alone."""
    ids, network = data.fold(0)[1], make_network(config, "sound")
    inputs = Inputs(tuple(ids), np.tile([1, 7, 15], (len(ids), 1)))
    extract_features(data.store, network, "any", tmp_path, inputs=inputs, sound=data.sound)
    videos, starts = torch.arange(len(ids)), torch.tensor([[15, 1, 1]]).expand(len(ids), 3)
    few, all_of_them = (
        source.features(videos, starts, None, videos, "")
        for source in (
            StoredFeatures(tmp_path, ids, *data.digests, inputs=inputs),
            data.stored(ids, _weights(config))["sound"],
        )
    )
    torch.testing.assert_close(few, all_of_them, atol=1e-5, rtol=1e-5)


def test_features_of_other_sound_are_refused(config, data):
    folder, ids = Layout.of(config).features("long", "sound"), data.fold(0)[1]
    with pytest.raises(
        BenchmarkError, match=r"other sound than is stored now.*--forcerun features"
    ):
        StoredFeatures(folder, ids, data.store.digest, "another digest")
    assert json.loads((folder / "index.json").read_text())["sound_digest"] == data.sound.digest
    assert open_dataset(config, "long").digest != data.digest


def test_a_listening_network_is_trained_like_any_other(config, data):
    network = make_network(config, "sound").train()
    source = ComputedFeatures(network, data.store, data.fold(0)[0], sound=data.sound)
    before = copy.deepcopy(network.state_dict())
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
    features = source.features(
        torch.arange(4), torch.tensor([[0, 5]] * 4), None, torch.arange(4), ""
    )
    features.square().mean().backward()
    optimiser.step()
    assert (network.state_dict()["body.0.weight"] != before["body.0.weight"]).any()


def test_the_paper_sized_network_costs_what_the_literature_part_says():
    network = build_backbone(NetworkConfig(network="audio_resnet18", weights="random"), None, 0)
    over_frequency = 3 * 7 * 512  # a 1 x 1 convolution of three frequencies, at seven times
    counted = count_macs_per_input(network)
    assert counted == listen_to_look_audio() + over_frequency
    assert round(counted / 1e9, 2) == 0.61


def test_the_settings_know_which_networks_listen():
    for name, network in NETWORKS.items():
        assert NetworkConfig(network=name, weights="random").is_audio == network.is_audio, name
    assert NETWORKS["tiny_audio"].is_audio


@pytest.mark.parametrize(
    ("role", "settings", "said"),
    [
        ("backbone", {}, "backbone: 'tiny_audio' listens, and the backbone sees"),
        ("sound", {"size": 24}, "networks.sound: .* has no side.*drop networks.sound.size"),
        ("sound", {"weights": "pretrained"}, "networks.sound: .*pretraining here is on pictures"),
    ],
)
def test_settings_that_make_no_sense_are_explained(small_plan, role, settings, said):
    content = small_plan().config.model_dump(mode="json")
    network = {"network": "tiny_audio", "weights": "random", **settings}
    content |= {"backbone": network} if role == "backbone" else {"networks": {role: network}}
    with pytest.raises(BenchmarkError, match=said):
        validate(content, "test")


def test_only_who_asks_for_sound_opens_it(config, data):
    assert open_dataset(config, "long").sound is None
    assert data.sound is not None


def test_a_fine_tuned_run_is_audited_too(config, small_plan, tmp_path):
    """The networks are trained with the method, and replayed on sound and frames alone."""
    write_listening_method(tmp_path)
    content = config.model_dump(mode="json") | {"methods_path": str(tmp_path)}
    content["backbone"]["finetune"] = True
    plan = make_plan(validate(content, "small"))
    trainer = Trainer(plan, "long", "listens")
    index = Layout.of(plan.config).stage_index("long", "listens", "training", (0,))
    entries = train_all(trainer, (0,))
    write_stage_index(index, "train", "long", "listens", entries)
    (entry,) = predict_all(trainer, (0,))
    assert (entry["audit"], entry["num_silent"]) == ([], 0)
    folder = index.parent
    (trained,) = (load_file(folder / name) for name in entries[0]["checkpoints"])
    fresh = make_network(plan.config, "sound").state_dict()
    assert (trained["sound:body.0.weight"] != fresh["body.0.weight"]).any()
    # Where some videos are silent, the row says so.
    evaluator = Evaluator(plan, "long")
    key = RunKey("long", "listens", "default", 0)
    assert not [x for x in evaluator.result(key, entry)[0].labels if "no sound" in x]
    assert "no sound in 2 videos" in evaluator.result(key, {**entry, "num_silent": 2})[0].labels
