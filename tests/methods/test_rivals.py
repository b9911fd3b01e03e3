"""The rivals: what they execute for a video; training plays the game that testing scores."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from videos_in_memory import MACS_PER_FRAME, MemoryFeatures

from benchmark.contract import NetworkInfo, Task
from benchmark.cost.meter import Meter
from benchmark.evaluation.early_exit import predict_steps
from benchmark.methods.loading import load_method
from benchmark.seeds import video_keys
from benchmark.videos import Videos

NUM, LENGTH, CLASSES, UNITS = 12, 21, 5, 16
SIZES = {"backbone": 6, "medium": 5, "small": 4, "light": 3, "light_full": 3, "clip": 7}
MACS = {"backbone": 800, "medium": 400, "small": 100, "light": 10, "light_full": 80, "clip": 900}
IDS = [f"video{number}" for number in range(NUM)]


class Clips(MemoryFeatures):
    """Features of clips of four frames."""

    def __init__(self, table):
        super().__init__(table)
        self.num_frames = 4


@pytest.fixture
def world():
    """Return a function that gives the videos as a method sees them."""
    draw = torch.Generator().manual_seed(4)
    tables = {r: torch.randn(NUM, LENGTH, size, generator=draw) for r, size in SIZES.items()}
    targets = torch.randint(CLASSES, (NUM,), generator=draw)
    sources = {role: (Clips if role == "clip" else MemoryFeatures)(t) for role, t in tables.items()}

    def make(meter=None, *, rows=None, length=LENGTH, train=False):
        rows = torch.arange(NUM) if rows is None else rows
        return Videos(
            sources,
            rows,
            video_keys(IDS)[rows.numpy()],
            np.full(len(rows), length),
            9,
            targets=targets[rows] if train else None,
            meter=meter,
        )

    return make


@pytest.fixture
def build(methods):
    """Return a function that builds a method with random weights and statistics."""

    def make(name, **params):
        kind = load_method(methods[name])
        torch.manual_seed(3)
        networks = {
            role: NetworkInfo(size, 4 if role == "clip" else 1, 8, MACS[role])
            for role, size in SIZES.items()
        }
        task = Task(tuple("abcde"), False, SIZES["backbone"], UNITS, networks)
        method = kind(task, kind.Params(**params))
        for module in method.modules():
            if isinstance(module, torch.nn.BatchNorm1d):
                module.running_mean.normal_()
                module.running_var.uniform_(0.5, 2)
        return method.eval()

    return make


def steps_of(method, world):
    return predict_steps(method, world, IDS)


def spent(steps):
    return dict(zip(steps.components, steps.macs_by_component().T, strict=True))


def always(method, action):
    """Let AR-Net's policy take one action at every frame."""
    with torch.no_grad():
        method.choose.weight.zero_()
        method.choose.bias.zero_()
        method.choose.bias[action] = 100.0
    return method


@pytest.mark.parametrize(("action", "role"), [(0, "backbone"), (1, "medium"), (2, "small")])
def test_arnet_runs_the_chosen_network_on_every_frame(build, world, action, role):
    costs = spent(steps_of(always(build("arnet"), action), world))
    assert (costs[role] == 16 * MACS_PER_FRAME).all()
    assert (costs["light"] == 16 * MACS_PER_FRAME).all()
    assert (costs["head"] == 16 * SIZES[role] * UNITS).all()
    assert {"backbone", "medium", "small"} & set(costs) == {role}


@pytest.mark.parametrize(("action", "looked"), [(4, 16), (5, 8), (6, 4)])
def test_arnet_opens_no_frame_that_it_skips(build, world, action, looked):
    steps = steps_of(always(build("arnet"), action), world)
    assert (steps.frames_at_exit() == looked).all()
    costs = spent(steps)
    assert (costs["light"] == looked * MACS_PER_FRAME).all()
    assert not {"backbone", "medium", "small"} & set(costs)
    assert np.isfinite(steps.scores).all()  # all were skipped: the policy's own prediction


def test_arnet_takes_its_own_prediction_at_no_further_cost(build, world):
    method = always(build("arnet"), 3)
    costs = spent(steps_of(method, world))
    hidden = method.policy.hidden_size
    each = 4 * hidden * (SIZES["light"] + hidden) + hidden * (7 + CLASSES)
    assert (costs["policy"] == 16 * each).all()
    assert set(costs) == {"light", "policy", "other"}


@pytest.mark.parametrize("decision", ["sampled", "argmax"])
def test_arnet_spends_what_its_actions_say(build, world, decision):
    steps = steps_of(build("arnet", decision=decision), world)
    assert len(set(steps.macs().tolist())) > 1  # its videos differ
    alone = [
        predict_steps(
            build("arnet", decision=decision),
            lambda meter, row=row: world(meter, rows=torch.tensor([row])),
            [IDS[row]],
        )
        for row in range(NUM)
    ]
    assert [int(one.macs()[0]) for one in alone] == steps.macs().tolist()
    for row, one in enumerate(alone):
        np.testing.assert_allclose(one.scores[0], steps.scores[row], atol=1e-5)


def test_arnet_is_trained_on_the_game_that_it_plays(build, world):
    method = build("arnet")
    videos = world(train=True)
    positions = method._positions(videos, 16, training=False)
    with torch.no_grad():
        logits = method._all_logits(videos, positions)
        answers, usage = method._rollout("joint", videos, positions, logits)
    taken = usage[..., :4].sum((1, 2)) > 0
    assert taken.sum() > NUM // 2
    played = torch.from_numpy(steps_of(method, world).scores[:, 0])
    torch.testing.assert_close(answers.softmax(-1)[taken], played[taken], atol=1e-5, rtol=1e-4)


def test_arnet_pays_for_expensive_actions_and_for_one_sided_ones(build, world):
    losses = []
    for action in (0, 2):
        method = always(build("arnet", accuracy_weight=0.0, balance_weight=0.0), action)
        losses.append(method.loss("joint", world(train=True)).item())
    assert losses[0] == pytest.approx(4.09)
    assert losses[1] == pytest.approx(4.09 * MACS["small"] / MACS["backbone"], rel=1e-5)
    one_sided = always(build("arnet", accuracy_weight=0.0), 6).loss("joint", world(train=True))
    assert one_sided.item() == pytest.approx(3 * ((6 / 7) ** 2 + 6 / 49) ** 0.5, rel=1e-4)


@pytest.mark.parametrize("num_frames", [3, 10])
@pytest.mark.parametrize("sampler", ["light", "light_full"])
def test_scsampler_classifies_the_frames_that_the_light_network_prefers(
    build, world, num_frames, sampler
):
    method = build("scsampler", num_frames=num_frames, sampler=sampler)
    steps = steps_of(method, world)
    costs = spent(steps)
    assert (costs[sampler] == 16 * MACS_PER_FRAME).all()
    assert (costs["backbone"] == num_frames * MACS_PER_FRAME).all()
    assert (steps.frames_at_exit() == 16).all()
    videos = world()
    candidates = method._candidates(videos)
    with torch.no_grad():
        confidence = method._light(videos, candidates).amax(-1)
        for row in range(NUM):
            best = confidence[row].argsort(descending=True)[:num_frames]
            own = world(rows=torch.tensor([row]))
            expected = method._heavy(own, candidates[row][best][None]).mean(1).softmax(-1)
            np.testing.assert_allclose(steps.scores[row, 0], expected[0], atol=1e-5)


def gated(method, logit):
    with torch.no_grad():
        method.gate.weight.zero_()
        method.gate.bias.copy_(torch.tensor([0.0, logit]))
    return method


def test_liteeval_runs_the_heavy_network_where_the_gate_asks_for_it(build, world):
    none = spent(steps_of(gated(build("liteeval"), 1.0), world))
    assert "backbone" not in none
    every = spent(steps_of(gated(build("liteeval"), -1.0), world))
    assert (every["backbone"] == 10 * MACS_PER_FRAME).all()
    assert (none["light"] == 10 * MACS_PER_FRAME).all()
    some = steps_of(build("liteeval"), world)
    assert len(set(some.macs().tolist())) > 1


def test_liteeval_is_trained_on_the_game_that_it_plays(build, world, monkeypatch):
    method = build("liteeval", skip_ratio=0.0)
    monkeypatch.setitem(
        type(method).loss.__globals__,
        "gumbel_noise",
        lambda uniform: torch.zeros(uniform.shape, dtype=torch.float32),
    )
    videos = world(train=True)
    steps = steps_of(method, world)
    heavy = spent(steps)["backbone"] / MACS_PER_FRAME
    scores = torch.from_numpy(steps.scores[:, 0])
    accuracy = -scores[torch.arange(NUM), videos.targets].log().mean()
    skipped = torch.from_numpy(1 - heavy / 10)
    with torch.no_grad():
        loss = method.loss("all", videos)
    assert loss.item() == pytest.approx((accuracy + 2 * skipped.square().mean()).item(), rel=1e-4)


@pytest.mark.parametrize(("num_clips", "starts"), [(1, [8]), (3, [0, 12, 20])])
def test_r3d18_sees_consecutive_frames(build, world, num_clips, starts):
    steps = steps_of(build("r3d18", num_clips=num_clips), world)
    assert (spent(steps)["clip"] == num_clips * MACS_PER_FRAME).all()
    opened = {min(start + i, LENGTH - 1) for start in starts for i in range(4)}
    assert (steps.frames_at_exit() == len(opened)).all()
    assert (steps.last_opened[:, 0] == max(opened)).all()
    assert (steps.pixels_fed[:, 0] == num_clips * 4 * 64).all()


def test_random_drop_meets_the_budget_and_looks_at_nothing(methods, world, build):
    kind = load_method(methods["random_drop"])
    frameexit = load_method(methods["frameexit"])
    torch.manual_seed(1)
    task = Task(tuple("abcde"), False, SIZES["backbone"], UNITS)
    params = frameexit.Params(train_order="random", test_order="random")
    source = steps_of(frameexit(task, params).eval(), world)
    control = kind(kind.Params())
    control.budget_steps = 4.25
    exits = control.exit_steps(source, None, np.zeros(NUM), 5)
    assert exits.mean() == 4.25
    assert set(exits.tolist()) == {4, 5}
    assert (control.exit_steps(source, None, np.ones(NUM), 5) == exits).all()
    assert (control.exit_steps(source, None, np.zeros(NUM), 6) != exits).any()
    fixed = kind(kind.Params(num_frames=3)).exit_steps(source, None, np.zeros(NUM), 5)
    assert (fixed == 3).all()
    assert spent(source.exiting_at(fixed, uncharged=control.uncharged))["gate"].sum() == 0


def test_charges_add_up_to_what_was_executed(build, world):
    with Meter(NUM) as meter, torch.inference_mode():
        build("arnet").predict(world(meter))
    assert meter.total().sum() == sum(meter.macs(name).sum() for name in meter.components)
