"""The feature store is an optimisation only: predictions and costs equal the pixel path's."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmark.backbones.feature_store import StoredFeatures, extract_features
from benchmark.backbones.features import ComputedFeatures, count_macs_per_input
from benchmark.cost.meter import Meter
from benchmark.data.frames.resize import centre_crop, resize_short_side
from benchmark.errors import BenchmarkError, DamagedFileError
from benchmark.evaluation.predict import predict_videos
from benchmark.experiment.layout import Layout
from benchmark.training.dataset import make_network, open_dataset, weights_digest
from benchmark.training.trainer import Trainer


@pytest.mark.parametrize(
    ("method", "variant"),
    [
        ("frameexit", "default"),
        ("frameexit", "random"),
        ("no_feature_pooling", "default"),
        ("random_k", "default"),
    ],
)
def test_stored_features_and_pixels_give_the_same_run(small_plan, tmp_path, method, variant):
    trainer = Trainer(small_plan(), "long", method)
    trainer.folder = tmp_path
    trained = trainer.get(variant, 0, 0)
    if hasattr(trained.method, "gates"):  # so that some stop early, and some do not
        trained.method.exit_threshold = _typical_value(trainer, trained)
    train, test = trainer.data.fold(0)
    stored = predict_videos(trainer.data, trained, train + test, 0)
    networks = {"backbone": make_network(small_plan().config)}
    pixels = replace(trained, sources=lambda ids: trainer.data.computed(ids, networks))
    computed = predict_videos(trainer.data, pixels, train + test, 0, batch=9)
    assert (computed.exit_step == stored.exit_step).all()
    assert (computed.positions == stored.positions).all()
    np.testing.assert_allclose(computed.scores, stored.scores, atol=1e-5)
    spent = dict(zip(stored.components, stored.macs_by_component().T, strict=True))
    for name, macs in zip(computed.components, computed.macs_by_component().T, strict=True):
        assert (macs == spent[name]).all(), name
    if method != "random_k":
        assert len(set(stored.exit_step.tolist())) > 1


def _typical_value(trainer, trained):
    """Return a threshold in the widest gap between the gates' middle values."""
    steps = predict_videos(trainer.data, trained, trainer.data.fold(0)[1], 0)
    values = np.sort(steps.exit_values[:, :-1].max(axis=1))[3:-3]
    at = np.diff(values).argmax()
    return float(values[at : at + 2].mean())


def test_a_batch_may_mix_frames_that_fit_with_frames_that_were_resized(small_plan):
    backbone = make_network(small_plan().config)
    size = backbone.network.size
    drawn = np.random.default_rng(0).integers(0, 256, (2, 3 * size // 2, 2 * size, 3), np.uint8)
    resized = torch.from_numpy(centre_crop(resize_short_side(drawn, size), size))
    as_stored = torch.from_numpy(np.ascontiguousarray(centre_crop(drawn, size)))
    assert (resized.dtype, as_stored.dtype) == (torch.float32, torch.uint8)
    assert (resized != resized.round()).any()
    with torch.inference_mode():
        together = backbone(torch.cat([as_stored, resized]))
        alone = torch.cat([backbone(as_stored), backbone(resized)])
        rounded = backbone(resized.round().to(torch.uint8))
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)
    assert (together[2:] - rounded).abs().max() > 1e-4


def test_both_sources_charge_each_frame_to_its_video(small_plan):
    config = small_plan().config
    data, backbone = open_dataset(config, "long"), make_network(config)
    ids = data.fold(0)[1]
    positions = torch.tensor([[0, 5, 5], [15, 2, 0], [1, 1, 1]])
    videos, rows = torch.tensor([2, 0, 5]), torch.tensor([0, 2, 2])
    results = []
    for source in (
        StoredFeatures(data.features_folders["backbone"], ids, data.store.digest),
        ComputedFeatures(backbone, data.store, ids),
    ):
        with torch.inference_mode(), Meter(3) as meter:
            features = source.features(videos, positions, meter, rows, "backbone")
        assert features.shape == (3, 3, data.task.num_features)
        results.append((features, meter.macs("backbone")))
    torch.testing.assert_close(results[0][0], results[1][0], atol=1e-5, rtol=1e-5)
    one = 3 * count_macs_per_input(backbone)
    assert results[0][1].tolist() == results[1][1].tolist() == [one, 0, 2 * one]


def test_a_frames_cost_is_the_networks_closed_form(small_plan):
    layers = [(3, 4, 32), (4, 8, 16), (8, 16, 16), (16, 32, 8)]  # in, out, side of the output
    expected = sum(9 * a * b * side * side for a, b, side in layers)
    assert count_macs_per_input(make_network(small_plan().config)) == expected


def test_a_store_of_other_frames_is_refused(small_plan):
    data = open_dataset(small_plan().config, "long")
    with pytest.raises(BenchmarkError, match=r"other frames than are.*--forcerun features"):
        StoredFeatures(data.features_folders["backbone"], data.fold(0)[1], "another digest")


def test_a_store_that_is_damaged_is_explained(small_plan, tmp_path):
    data = open_dataset(small_plan().config, "long")
    ids = data.fold(0)[1]
    with pytest.raises(BenchmarkError, match="no feature store, or an unfinished one"):
        StoredFeatures(tmp_path, ids, data.store.digest)
    for name in ("index.json", "features.npy"):
        folder = shutil.copytree(data.features_folders["backbone"], tmp_path / name)
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])
        with pytest.raises(BenchmarkError, match="no readable feature store"):
            StoredFeatures(folder, ids, data.store.digest)


def _edited(folder, change):
    """Change what an index says, as one would who knows nothing of its seal."""
    index = json.loads((folder / "index.json").read_text())
    change(index)
    (folder / "index.json").write_text(json.dumps(index))


def _shift(index):
    index["first_row"] = [row + 1 for row in index["first_row"][:-1]] + index["first_row"][-1:]


def _exchange_videos(index):
    index["videos"][:2] = reversed(index["videos"][:2])


@pytest.mark.parametrize(
    "change", [_shift, _exchange_videos, lambda index: index.update(macs_per_input=1)]
)
def test_a_changed_number_in_the_index_is_an_error(small_plan, tmp_path, change):
    data = open_dataset(small_plan().config, "long")
    folder = shutil.copytree(data.features_folders["backbone"], tmp_path / "features")
    _edited(folder, change)
    with pytest.raises(DamagedFileError, match=r"index\.json: the record .* was changed"):
        StoredFeatures(folder, data.fold(0)[1], data.store.digest)


def test_changed_rows_are_an_error_when_their_video_is_first_read(small_plan, tmp_path):
    plan = small_plan()
    data, network = open_dataset(plan.config, "long"), make_network(plan.config)
    folder = shutil.copytree(data.features_folders["backbone"], tmp_path / "features")
    content = (folder / "features.npy").read_bytes()
    rows = np.lib.format.open_memmap(folder / "features.npy", mode="r+")
    rows[[0, 16]] = rows[[16, 0]]  # of the first two videos
    rows.flush()
    source = StoredFeatures(folder, data.store.video_ids, data.store.digest)

    def read(video):
        places = torch.tensor([video])
        return source.features(places, torch.tensor([[5]]), None, places, "backbone")

    assert read(2).shape == (1, 1, rows.shape[1])
    for video in (0, 1):
        with pytest.raises(DamagedFileError, match=rf"npy: rows {16 * video} to .* were changed"):
            read(video)
    extract_features(data.store, network, weights_digest(network), folder)
    assert (folder / "features.npy").read_bytes() == content


def test_features_of_other_weights_are_refused(small_plan):
    data = open_dataset(small_plan().config, "long")
    with pytest.raises(DamagedFileError, match=r"computed from other weights than are stored now"):
        data.stored(data.fold(0)[1], {"backbone": "another digest"})


@pytest.mark.parametrize("workers", [1, 3])
def test_extraction_gives_the_same_bytes_and_reports(small_plan, tmp_path, workers):
    config = small_plan().config
    data, backbone, seen = open_dataset(config, "long"), make_network(config), []
    extract_features(
        data.store,
        backbone,
        weights_digest(backbone),
        tmp_path,
        workers=workers,
        progress=lambda *now: seen.append(now),
    )
    for name in ("index.json", "features.npy"):
        again = (Layout.of(config).features("long") / name).read_bytes()
        assert (tmp_path / name).read_bytes() == again
    assert seen[-1] == (32, 32)
    index = json.loads((tmp_path / "index.json").read_text())
    assert index["first_row"] == list(range(0, 33 * 16, 16))
