"""Training gives the same weights whoever asks, in whatever order, however often it is stopped."""

import os
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from benchmark.evaluation.predict import predict_videos
from benchmark.training.train_all import train_all
from benchmark.training.trainer import Trainer


@pytest.fixture
def trainer(small_plan, tmp_path):
    """Return a function that makes a trainer with an empty folder of its own."""

    def make(method="frameexit", name="runs", finetune=False):
        made = Trainer(small_plan(finetune), "long", method)
        made.folder = tmp_path / name
        return made

    return make


def _files(folder):
    return {path.name: path.read_bytes() for path in (folder / "checkpoints").iterdir()}


@pytest.mark.parametrize("finetune", [False, True], ids=["frozen", "fine-tuned"])
@pytest.mark.parametrize(
    ("method", "variant"),
    [("frameexit", "released_gate"), ("frameexit", "random"), ("random_k", "default")],
)
def test_the_same_seed_gives_the_same_bits(trainer, method, variant, finetune):
    first = trainer(method, "first", finetune)
    first.get(variant, 0, 0)
    torch.manual_seed(99)
    np.random.seed(99)
    second = trainer(method, "second", finetune)
    second.get(variant, 1, 0)
    second.get(variant, 0, 0)
    one, two = _files(first.folder), _files(second.folder)
    assert {name: two[name] for name in one} == one
    assert len(two) == 2 * len(one)
    for name, content in one.items():  # and another seed gives others
        assert content not in [two[other] for other in two if other != name]


def test_variants_share_a_stage_whoever_asks_first(trainer):
    variants = ("default", "beta_1e-2", "beta_1e-6")
    here, there = trainer(name="here"), trainer(name="there")
    for variant in variants:
        here.get(variant, 0, 0)
    for variant in reversed(variants):
        there.get(variant, 0, 0)
    files = _files(here.folder)
    assert files == _files(there.folder)
    stages = [name.split("-")[0] for name in files]
    assert (stages.count("classifiers"), stages.count("gates")) == (1, 3)


def test_what_changes_a_stage_is_trained_apart(trainer):
    made = trainer()
    for variant in ("default", "sequential", "t4", "pooling_average", "released_gate"):
        made.get(variant, 0, 0)
    stages = [name.split("-")[0] for name in _files(made.folder)]
    assert (stages.count("classifiers"), stages.count("gates")) == (4, 5)


@pytest.mark.parametrize("lost", ["gates", "classifiers", "cut off", "changed"])
def test_what_is_lost_is_trained_again_to_the_same_bits(trainer, lost):
    made = trainer(finetune=True)
    made.get("default", 0, 0)
    whole = _files(made.folder)
    for path in (made.folder / "checkpoints").iterdir():
        if lost == "cut off":
            path.write_bytes(path.read_bytes()[:1000])
        elif lost == "changed":
            content = path.read_bytes()
            path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        elif path.name.startswith(lost):
            path.unlink()
        else:
            os.utime(path, (1, 1))
    trained = made.get("default", 0, 0)
    assert _files(made.folder) == whole
    kept = [p for p in (made.folder / "checkpoints").iterdir() if p.stat().st_mtime == 1]
    assert len(kept) == (0 if lost in {"cut off", "changed"} else 1)
    assert [line["stage"] for line in trained.log] == ["classifiers"] * 2 + ["gates"]


@pytest.mark.parametrize("finetune", [False, True], ids=["frozen", "fine-tuned"])
def test_the_second_stage_touches_the_gates_alone(trainer, finetune):
    made = trainer(finetune=finetune)
    trained = made.get("released_gate", 0, 0)
    first, second = (load_file(path) for path in trained.checkpoints)
    assert all(name.startswith("gates.") for name in second)
    assert not any(name.startswith("gates.") for name in first)
    assert any(name.startswith("backbone:body.") for name in first) == finetune
    state = trained.method.state_dict()
    for name, tensor in first.items():
        if name.startswith("backbone:"):
            assert (
                trained.networks["backbone"].state_dict()[name.removeprefix("backbone:")] == tensor
            ).all()
        else:
            assert (state[name] == tensor).all()
    # Statistics: those of the frozen head are the first stage's, those of the gates have moved.
    assert first["head.1.num_batches_tracked"] == 6
    assert (first["head.1.running_mean"] != 0).any()
    assert (second["gates.norms.0.running_mean"] != 0).any()


@pytest.mark.parametrize("finetune", [False, True], ids=["frozen", "fine-tuned"])
def test_a_checkpoint_gives_back_the_model_that_was_trained(trainer, finetune):
    made = trainer(finetune=finetune)
    ids = made.data.fold(0)[1]
    one, two = (
        predict_videos(made.data, made.get("released_gate", 0, 0), ids, 0) for _ in range(2)
    )
    assert (one.scores == two.scores).all()
    other = predict_videos(made.data, made.get("released_gate", 1, 0), ids, 0)
    assert (other.scores != one.scores).any()


def test_a_failed_run_is_recorded_and_the_others_go_on(small_plan, tmp_path, monkeypatch):
    plan = small_plan()
    wrong = plan.methods["uniform_k"].manifest.variants["k3"].params
    monkeypatch.setitem(wrong, "train_frames", -1)
    entries = train_all(Trainer(plan, "long", "uniform_k"), [0, 1])
    failed = {entry["variant"] for entry in entries if "failed" in entry}
    assert failed == {"k3"}
    assert all(entry["failed"].startswith("training: ") for entry in entries if "failed" in entry)
    assert len(entries) == 8
    assert all(entry["checkpoints"] for entry in entries if "failed" not in entry)


def test_gates_of_a_fine_tuned_backbone_read_its_features_from_a_store(trainer, monkeypatch):
    made = trainer(finetune=True)
    made.forget_features([0])  # those of earlier tests
    frames = []
    forward = type(made.frozen_networks["backbone"]).forward

    def counting(self, inputs):
        frames.append(len(inputs))
        return forward(self, inputs)

    monkeypatch.setattr(type(made.frozen_networks["backbone"]), "forward", counting)
    trained = made.get("default", 0, 0)
    ids = made.data.fold(0)[1]
    first = predict_videos(made.data, trained, ids, 0)
    frames.clear()
    others = [made.get(variant, 0, 0) for variant in ("beta_1e-2", "beta_1e-6")]
    for other in others:
        predict_videos(made.data, other, ids, 0)
    assert sum(frames) <= 4  # counting what one input costs, no frame of a video
    pixels = replace(trained, sources=lambda ids: made.data.computed(ids, trained.networks))
    again = predict_videos(made.data, pixels, ids, 0, batch=5)
    assert (again.exit_step == first.exit_step).all()
    np.testing.assert_allclose(again.scores, first.scores, atol=1e-5)
    assert (again.macs() == first.macs()).all()
    kept = set(made.finetuned_features.iterdir())
    made.forget_features([0])
    assert len(kept - set(made.finetuned_features.iterdir())) == 2  # to train on, to test on


@pytest.mark.parametrize("finetune", [False, True], ids=["frozen", "fine-tuned"])
def test_a_method_that_trains_nothing_is_ready_at_once(trainer, monkeypatch, finetune):
    made = trainer("uniform_k", finetune=finetune)
    monkeypatch.setattr(made.kind, "stages", ())
    trained = made.get("k3", 0, 0)
    assert (trained.checkpoints, trained.log) == ([], [])
    ids = made.data.fold(0)[1]
    assert predict_videos(made.data, trained, ids, 0).num_videos == len(ids)
