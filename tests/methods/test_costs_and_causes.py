"""What an early-exit method costs, in closed form, and what its answer may depend on."""

import pytest
import torch

from benchmark.cost.meter import Meter
from benchmark.evaluation.early_exit import run_with_exits

MACS_PER_FRAME = 1_000_003  # of the memory videos' backbone
D, U, C = 6, 7, 5  # of `build`: features, units of the head, classes

VARIANTS = [
    *(
        ("frameexit", {"pooling": pooling, "gate": gate, "test_order": order})
        for pooling in ("max", "average", "lstm", "attention")
        for gate in ("paper", "released")
        for order in ("coarse_to_fine", "random")
    ),
    ("frameexit", {"test_order": "released"}),
    ("frameexit", {"test_order": "sequential", "num_steps": 16}),
    ("frameexit", {"num_steps": 4}),
    ("no_feature_pooling", {}),
    ("no_feature_pooling", {"test_order": "random", "num_steps": 8}),
    ("uniform_k", {"num_frames": 3}),
    ("random_k", {"num_frames": 6}),
]
NAMES = ["-".join([name, *map(str, params.values())]) for name, params in VARIANTS]
variants = pytest.mark.parametrize(("name", "params"), VARIANTS, ids=NAMES)


@pytest.fixture
def made(build, name, params):
    if params.get("gate") == "released":
        params = {**params, "first_step_confidence": 0.5}
    return build(name, **params)


def _closed_form(name, params, exit_step):
    """MACs of a video that stops at `exit_step`, by component."""
    num_steps = params.get("num_steps", 10)
    macs = {
        "backbone": exit_step * MACS_PER_FRAME,
        "head": exit_step * D * U,
        "classifier": U * C,
        "pooling": 0,
        "gate": 0,
    }
    pooling = params.get("pooling", "max")
    if pooling == "lstm":
        macs["pooling"] = exit_step * 4 * U * (U + U)
    elif pooling == "attention":  # query, key, value; then agreement with, and sum of, all so far
        macs["pooling"] = sum(3 * U * U + 2 * t * U for t in range(1, exit_step + 1))
    asked = range(1, min(exit_step, num_steps - 1) + 1)
    if name in {"uniform_k", "random_k", "no_feature_pooling"}:
        macs["classifier"] = exit_step * U * C  # every frame is classified
    if name == "no_feature_pooling":
        macs["gate"] = len(asked) * (U * 64 + 64 * 64 + 64)
    elif params.get("gate") == "released":
        macs["classifier"] = U * C * (2 if exit_step > 1 else 1)  # its confidence, its answer
        macs["gate"] = sum(2 * (U * 128 + 128 * 64 + 64) for t in asked if t > 1)
    elif name == "frameexit":
        branches = [1 if t == 1 else 2 for t in asked]
        macs["gate"] = sum(branches) * (U * 64 + 64 * 64 + 64)
    return macs


@variants
def test_cost_is_the_closed_form(made, run, memory_videos, name, params):
    steps = run(made, memory_videos())
    for number, spent in enumerate(steps.macs_by_component()):
        counted = dict(zip(steps.components, spent.tolist(), strict=True))
        expected = _closed_form(name, params, int(steps.exit_step[number]))
        assert {k: v for k, v in counted.items() if v} == {k: v for k, v in expected.items() if v}
    if name in {"uniform_k", "random_k"}:
        assert (steps.exit_step == params["num_frames"]).all()
    else:
        assert len(set(steps.exit_step.tolist())) > 2


@variants
def test_frames_after_the_exit_change_nothing(made, run, memory_videos, name, params):
    videos = memory_videos()
    steps = run(made, videos)
    noisy = torch.full_like(videos.features, 1e4) * torch.randn_like(videos.features)
    for number, exit_step in enumerate(steps.exit_step):
        opened = steps.positions[number, :exit_step]
        noisy[number, opened] = videos.features[number, opened]
    again = run(made, type(videos)(noisy, videos.targets))
    assert (again.exit_step == steps.exit_step).all()
    assert (again.exit_scores() == steps.exit_scores()).all()
    assert (again.macs_by_component() == steps.macs_by_component()).all()
    opened_too = run(made, type(videos)(videos.features * 1.5, videos.targets))
    assert (opened_too.exit_scores() != steps.exit_scores()).any()


@variants
def test_only_frames_up_to_the_exit_are_opened(made, memory_videos, name, params):
    videos = memory_videos(num=9)
    batch = videos.batch(meter=(meter := Meter(9)))
    with meter, torch.inference_mode():
        prediction = run_with_exits(made, batch)
    assert (meter.macs("backbone") == prediction.exit_step.numpy() * MACS_PER_FRAME).all()
    assert (batch.opened.num_frames() == prediction.exit_step.numpy()).all()


@variants
def test_a_video_is_treated_the_same_alone_and_in_any_batch(made, run, memory_videos, name, params):
    videos = memory_videos(num=15)
    whole = run(made, videos)
    batches = [[row] for row in range(15)] + [list(range(14, -1, -1)), [3, 11], [7, 2, 9, 0, 5]]
    for rows in batches:
        some = run(made, videos, rows)
        assert (some.positions == whole.positions[rows]).all()
        assert (some.exit_step == whole.exit_step[rows]).all()
        columns = [whole.components.index(component) for component in some.components]
        assert (some.macs_by_component() == whole.macs_by_component()[rows][:, columns]).all()
        torch.testing.assert_close(
            torch.from_numpy(some.scores),
            torch.from_numpy(whole.scores[rows]),
            atol=1e-6,
            rtol=1e-5,
        )


@variants
def test_the_same_positions_are_never_opened_twice(made, run, memory_videos, name, params):
    steps = run(made, memory_videos(length=21))
    for row in steps.positions:
        assert len(set(row.tolist())) == len(row)
    short = run(made, memory_videos(length=3))
    assert (short.frames_opened[:, -1] <= 3).all()
    assert (short.positions < 3).all()
