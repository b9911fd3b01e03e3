"""Every method runs on a backbone that looks at clips, and learns with the loss that it is told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmark.checks.world import CLIP_FRAMES, TinyNetwork, make_world
from benchmark.evaluation.audit import Auditor
from benchmark.evaluation.early_exit import predict_steps
from benchmark.files.repository import REPOSITORY
from benchmark.methods.discovery import discover
from benchmark.methods.loading import load_method
from benchmark.sampling import coarse_to_fine, equally_spaced

METHODS = {
    name: method
    for name, method in discover([REPOSITORY / "methods"]).items()
    if method.manifest.source is None
}


def _world(name, *, clips=False):
    manifest = METHODS[name].manifest
    asked = [v.networks or manifest.networks for v in manifest.variants.values()]
    world = make_world(tuple(dict.fromkeys(role for roles in asked for role in roles)))
    if not clips:
        return world
    networks = {**world.networks, "backbone": TinyNetwork("clip").eval()}
    infos = {role: network.info() for role, network in networks.items()}
    task = replace(world.task, num_features=infos["backbone"].num_features, networks=infos)
    return replace(world, networks=networks, task=task)


def _build(name, world):
    kind = load_method(METHODS[name])
    torch.manual_seed(2)
    return kind(world.task, kind.Params()).eval()


def _run(method, world, *, stored=True):
    ids = [world.ids[place] for place in world.test]
    sources = world.sources(stored=stored)
    return predict_steps(method, lambda m: world.videos(world.test, sources, 4, m), ids), sources


def _training_batch(world):
    sources, videos = world.sources(stored=True), world.train
    batch = world.videos(videos, sources, 4)
    batch.targets = world.targets[videos]
    return batch


@pytest.mark.parametrize("name", sorted(set(METHODS) - {"r3d18"}))
def test_a_frame_of_the_backbone_may_be_a_clip(name):
    world = _world(name, clips=True)
    method = _build(name, world)
    steps, sources = _run(method, world)
    alone = [(place, world.ids[place], int(world.lengths[place])) for place in world.test[:3]]
    replayed = Auditor(_build(name, world), world.sources(stored=False), alone, 4)
    assert replayed.faults(steps) == []
    whole = sources["backbone"].handed[world.test]
    for shown, length in zip(whole, world.lengths[world.test], strict=True):
        ends = range(0, length, CLIP_FRAMES)  # a clip is opened whole, or not at all
        assert all(len(set(shown[end : min(end + CLIP_FRAMES, length)])) == 1 for end in ends)
    loss = method.train().loss(method.stages[0].name, _training_batch(world))
    loss.backward()
    assert torch.isfinite(loss)


def test_frameexit_visits_clips_from_coarse_to_fine():
    world = _world("frameexit", clips=True)
    steps, _ = _run(_build("frameexit", world), world)
    num_clips = -(-world.lengths[world.test] // CLIP_FRAMES)
    expected = equally_spaced(num_clips, 10)[:, coarse_to_fine(10)] * CLIP_FRAMES
    assert (steps.positions == expected).all()
    assert (steps.frames_opened[:, 0] == np.minimum(CLIP_FRAMES, world.lengths[world.test])).all()


@pytest.mark.parametrize("name", sorted(METHODS))
@pytest.mark.parametrize(
    ("multi", "loss"), [(True, "cross_entropy"), (False, "binary_cross_entropy")]
)
def test_scores_and_training_follow_the_loss_that_a_profile_names(name, multi, loss):
    world = _world(name).labelled(4, multi_label=multi)
    told = replace(world, task=replace(world.task, stated_loss=loss))
    values = []
    for own in (told, world):
        method = _build(name, own)
        with torch.inference_mode():
            scores = _run(method, own)[0].scores
        sums_to_one = np.allclose(scores.sum(-1), 1, atol=1e-4)
        assert sums_to_one == (method.task.loss == "cross_entropy")
        values.append(method.loss(method.stages[0].name, _training_batch(own)).item())
    assert abs(values[0] - values[1]) > 0.1


def test_the_releases_form_answers_by_softmax_whatever_the_loss():
    world = _world("frameexit").labelled(4, multi_label=True)
    kind = load_method(METHODS["frameexit"])
    torch.manual_seed(2)
    method = kind(world.task, kind.Params(gate="released")).eval()
    assert method.task.loss == "binary_cross_entropy"
    np.testing.assert_allclose(_run(method, world)[0].scores.sum(-1), 1, atol=1e-4)
