"""Methods that average the predictions of single frames, against a plain loop."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmark.contract import Method


def _frame_scores(method: Method, classifier, frame):
    """Return the probabilities `[C]` that one frame alone gets."""
    with torch.no_grad():
        logits = classifier(method.head(frame[None]))[0]
    return logits.sigmoid() if method.task.multi_label else logits.softmax(-1)


@pytest.mark.parametrize("multi", [False, True])
@pytest.mark.parametrize("name", ["uniform_k", "random_k"])
def test_step_k_is_the_average_of_k_predictions(build, run, memory_videos, name, multi):
    videos = memory_videos(num=6, multi=multi)
    method = build(name, num_frames=5, multi=multi)
    steps = run(method, videos)
    for number in range(6):
        seen = []
        for step, position in enumerate(steps.positions[number]):
            frame = videos.features[number, position]
            seen.append(_frame_scores(method, method.classifier, frame))
            mean = torch.stack(seen).mean(0).numpy()
            np.testing.assert_allclose(steps.scores[number, step], mean, atol=1e-6)
    assert (steps.exit_step == 5).all()
    if name == "uniform_k":  # of 21 frames
        assert (steps.positions == [0, 5, 10, 15, 20]).all()


def test_random_frames_belong_to_the_video_and_the_seed(build, run, memory_videos):
    videos, method = memory_videos(num=30), build("random_k", num_frames=5)
    here = run(method, videos).positions
    assert (run(method, videos, [4, 20]).positions == here[[4, 20]]).all()
    other = run(method, type(videos)(videos.features, videos.targets, seed=12)).positions
    assert (other != here).any(axis=1).sum() > 25
    assert len({tuple(row) for row in here.tolist()}) > 25
    chosen = np.bincount(here.ravel(), minlength=21)
    assert chosen.min() >= 1  # 7.1 expected at each of 21 positions
    assert chosen.max() <= 18


def test_short_videos_give_all_their_frames_before_any_twice(build, run, memory_videos):
    lengths = [21, 4, 9, 1, 6, 2] * 5
    videos = replace(memory_videos(num=30), lengths=lengths)
    method = build("random_k", num_frames=6)
    whole = run(method, videos)
    for number, length in enumerate(lengths):
        row = whole.positions[number]
        assert row.max() < length
        assert len(set(row[:length].tolist())) == min(length, 6)
        assert (run(method, videos, [number]).positions[0] == row).all()
    assert (whole.frames_opened[:, -1] == np.minimum(lengths, 6)).all()


def test_one_frame_uniformly_is_the_middle_one(build, run, memory_videos):
    assert (run(build("uniform_k", num_frames=1), memory_videos()).positions == 10).all()


@pytest.mark.parametrize("multi", [False, True])
def test_without_pooling_each_classifier_and_gate_sees_one_frame(build, run, memory_videos, multi):
    videos = memory_videos(num=8, multi=multi)
    method = build("no_feature_pooling", multi=multi)
    steps = run(method, videos)
    for number in range(8):
        seen, stop = [], 10
        for step in range(1, 11):
            frame = videos.features[number, steps.positions[number, step - 1]]
            seen.append(_frame_scores(method, _at(method.classifiers, step), frame))
            mean = torch.stack(seen).mean(0).numpy()
            np.testing.assert_allclose(steps.scores[number, step - 1], mean, atol=1e-6)
            value = _gate(method, step, frame)
            if step < 10:
                assert steps.exit_values[number, step - 1] == pytest.approx(value, abs=1e-5)
                stop = min(stop, step) if value > 0.5 else stop
        assert steps.exit_step[number] == stop


def _at(layers, step):
    return lambda inputs: layers.at(step, inputs)


def _gate(method, step, frame):
    """Return g_t of one frame, by matrices."""
    gates = method.gates
    with torch.no_grad():
        values = method.head(frame[None])[0]
        for layer in (gates.first, gates.second):
            values = (layer.weight[step - 1] @ values + layer.bias[step - 1]).relu()
        logit = gates.project.weight[step - 1, 0] @ values + gates.project.bias[step - 1, 0]
    return float(logit.sigmoid())


@pytest.mark.parametrize("name", ["uniform_k", "random_k"])
def test_the_training_loss_is_the_mean_over_frames(build, memory_videos, name):
    videos, method = memory_videos(num=6), build(name, train_frames=4)
    batch = videos.batch()
    positions = method.positions(batch, 4)
    terms = []
    for number in range(6):
        for position in positions[number]:
            frame = videos.features[number, position]
            scores = _frame_scores(method, method.classifier, frame)
            terms.append(-float(scores[videos.targets[number]].log()))
    assert method.loss("classifier", batch).item() == pytest.approx(np.mean(terms), rel=1e-5)
