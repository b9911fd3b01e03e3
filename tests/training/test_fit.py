"""The training loop: schedule, data order, what is trained and what is kept."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from benchmark.config.learning import Training
from benchmark.contract import SinglePass, Stage, Task
from benchmark.errors import BenchmarkError
from benchmark.training.batches import TrainingSet
from benchmark.training.fit import fit
from benchmark.training.resume import Interrupted

SCHEDULE = Training(head_units=8, learning_rate=0.01, batch_size=10, epochs_scale=0.1)


class Noting(SinglePass):
    """Two linear layers with batch norm and dropout; notes which batches it gets."""

    def __init__(self, loss_factor=1.0):
        super().__init__(Task(("a", "b"), False, 6, 8), None)
        torch.manual_seed(0)
        self.first = nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
        self.second = nn.Sequential(nn.Linear(4, 2), nn.BatchNorm1d(2))
        self.batches, self.loss_factor = [], loss_factor

    stages = ()

    def predict(self, videos):
        raise AssertionError("not asked")

    def trainable(self, stage):
        return self.first.parameters() if stage == "first" else self.second.parameters()

    def loss(self, stage, videos):
        self.batches.append((videos._indices.tolist(), videos.seed, self.first[2].training))
        logits = self.second(self.first(videos.features(torch.zeros(len(videos), 1).long())[:, 0]))
        return self.loss_factor * nn.functional.cross_entropy(logits, videos.targets)


@pytest.fixture
def videos(memory_videos):
    made = memory_videos(num=23, num_classes=2)
    sources = made.batch()._sources
    lengths = np.full(23, 21)
    return TrainingSet(sources, made.ids, lengths, made.targets)


def _fit(videos, stage="first", *, seed=1, method=None, epochs=35, schedule=SCHEDULE):
    method, log = method or Noting(), []
    fit(method, Stage(stage, (), epochs, (16, 30)), videos, schedule, seed, report=log.append)
    return method, log


def test_epochs_and_milestones_are_scaled(videos):
    _, log = _fit(videos, schedule=SCHEDULE.model_copy(update={"epochs_scale": 0.2}))
    rates = [epoch.learning_rate for epoch in log]
    assert rates == pytest.approx([0.01] * 3 + [0.001] * 3 + [0.0001])  # 35, 16, 30 fifths
    assert [epoch.epoch for epoch in log] == [1, 2, 3, 4, 5, 6, 7]
    assert len(_fit(videos, epochs=3)[1]) == 1  # at least one


def test_every_epoch_takes_each_video_once_in_batches_of_like_size(videos):
    method, log = _fit(videos)
    assert len(method.batches) == 3 * len(log)
    for epoch in range(len(log)):
        batches = [batch for batch, _, _ in method.batches[3 * epoch : 3 * epoch + 3]]
        assert sorted(itertools.chain(*batches)) == list(range(23))
        assert [len(batch) for batch in batches] == [8, 8, 7]
    orders = {tuple(batch) for batch, _, _ in method.batches}
    assert len(orders) == len(method.batches)
    assert len({seed for _, seed, _ in method.batches}) == len(log)  # one an epoch


def test_the_order_follows_the_seed_alone(videos):
    one = _fit(videos)[0]
    torch.manual_seed(5)
    np.random.seed(5)
    again, other = _fit(videos)[0], _fit(videos, seed=2)[0]
    assert one.batches == again.batches
    assert one.batches != other.batches
    for name, tensor in one.state_dict().items():
        assert (again.state_dict()[name] == tensor).all()


@pytest.mark.parametrize(("stage", "trained", "frozen"), [("first", 0, 1), ("second", 1, 0)])
def test_what_is_frozen_keeps_weights_and_statistics(videos, stage, trained, frozen):
    before = {name: tensor.clone() for name, tensor in Noting().state_dict().items()}
    method, _ = _fit(videos, stage)
    for name, tensor in method.state_dict().items():
        part = 0 if name.startswith("first") else 1
        changed = not torch.equal(tensor, before[name])
        assert changed == (part == trained), name
    assert [training for _, _, training in method.batches] == [True] * len(method.batches)
    assert not any(module.training for module in method.modules())
    parts = (method.first, method.second)
    assert not any(p.requires_grad for p in parts[frozen].parameters())


def test_the_loss_that_is_reported_is_the_mean_over_videos(videos):
    schedule = SCHEDULE.model_copy(update={"learning_rate": 1e-12})
    method = Noting()
    method.first[2].p = 0.0
    method.first[1].momentum = method.second[1].momentum = 0.0
    _, log = _fit(videos, "none", method=_Plain(method), epochs=10, schedule=schedule)
    features = videos.sources["backbone"].table[:, 0]
    with torch.no_grad():
        whole = nn.functional.cross_entropy(method.second(method.first(features)), videos.targets)
    assert log[0].loss == pytest.approx(float(whole), rel=1e-4)


class _Plain(SinglePass):
    """Trains a number that the loss does not depend on, around a model in evaluation mode."""

    def __init__(self, inner):
        super().__init__(inner.task, None)
        self.inner, self.spare = inner, nn.Parameter(torch.zeros(()))

    stages = ()

    def predict(self, videos):
        raise AssertionError("not asked")

    def trainable(self, stage):
        return [self.spare]

    def loss(self, stage, videos):
        return self.inner.loss(stage, videos) + 0 * self.spare


@pytest.mark.parametrize("factor", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_ends_the_training(videos, factor):
    with pytest.raises(FloatingPointError, match=r"loss of stage 'first' is .* in epoch 1"):
        _fit(videos, method=Noting(factor))


class Linear(SinglePass):
    """A linear layer with dropout, without batch norm: parts of a batch do not meet."""

    def __init__(self, dropout=0.0):
        super().__init__(Task(("a", "b"), False, 6, 8), None)
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Dropout(dropout), nn.Linear(6, 2))

    stages = ()

    def predict(self, videos):
        raise AssertionError("not asked")

    def loss(self, stage, videos):
        features = videos.features(torch.zeros(len(videos), 1).long())[:, 0]
        return nn.functional.cross_entropy(self.layers(features), videos.targets)


def test_parts_in_turn_take_the_step_of_the_whole_batch(videos):
    changes = {"precision": "64-true", "epochs_scale": 0.2}
    whole, log = _fit(videos, method=Linear(), schedule=SCHEDULE.model_copy(update=changes))
    # 23 videos in 3 batches of 8, 8 and 7: the parts are not equal.
    schedule = SCHEDULE.model_copy(update={**changes, "accumulate": 3})
    parts, log_of_parts = _fit(videos, method=Linear(), schedule=schedule)
    for name, tensor in whole.state_dict().items():
        torch.testing.assert_close(parts.state_dict()[name], tensor, atol=1e-8, rtol=0)
    losses = [[epoch.loss for epoch in one] for one in (log, log_of_parts)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-6)
    assert whole.layers[1].weight.std() > 0.05


def test_a_batch_that_has_fewer_videos_than_parts_is_refused(videos):
    schedule = SCHEDULE.model_copy(update={"accumulate": 8})
    with pytest.raises(BenchmarkError, match=r"batch of 7 videos cannot be cut into 8 parts.*Fix"):
        _fit(videos, schedule=schedule)


class KilledError(Exception):
    """Stands for a power cut."""


@pytest.mark.parametrize(("every", "dies_in", "repeated"), [(1, 4, 0), (2, 4, 1), (3, 2, 1)])
def test_a_killed_stage_goes_on_from_its_last_state_to_the_same_bits(
    videos, tmp_path, every, dies_in, repeated
):
    schedule = SCHEDULE.model_copy(update={"epochs_scale": 0.2})
    interrupted = Interrupted.beside(tmp_path / "stage.safetensors", every, print)
    stage = Stage("all", (), 35, (16, 30))
    undisturbed, expected = Linear(0.5), []
    fit(undisturbed, stage, videos, schedule, 1, report=expected.append)

    def die(epoch):
        if epoch.epoch == dies_in:
            raise KilledError

    with pytest.raises(KilledError):
        fit(Linear(0.5), stage, videos, schedule, 1, interrupted=interrupted, report=die)
    steps, log, resumed = [], [], Linear(0.5)
    fit(
        resumed,
        stage,
        videos,
        schedule,
        1,
        interrupted=interrupted,
        report=log.append,
        watch=lambda done, *_: steps.append(done),
    )
    assert log == expected
    for name, tensor in undisturbed.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], tensor), name
    # Three batches an epoch; those before the last state are not computed again.
    assert min(steps) == 3 * (dies_in - 1 - repeated) + 1
    assert interrupted.path.exists()
    interrupted.forget()
    assert list(tmp_path.iterdir()) == []


def _change_a_weight(path, other):
    """Change one bit of the weights, which leaves a file that PyTorch reads without a word."""
    content = bytearray(path.read_bytes())
    stored = torch.load(path, weights_only=True)["trainee"]["method.layers.1.weight"]
    at = content.index(stored.numpy().tobytes())
    content[at] ^= 1
    path.write_bytes(content)
    assert not torch.equal(
        torch.load(path, weights_only=True)["trainee"]["method.layers.1.weight"], stored
    )


@pytest.mark.parametrize(
    "spoil",
    [
        _change_a_weight,
        lambda path, other: path.write_bytes(path.read_bytes()[:-100]),
        lambda path, other: path.write_bytes(other.read_bytes()),
        lambda path, other: path.write_bytes(b""),
    ],
    ids=["a changed bit", "cut off", "that of another seed", "empty"],
)
def test_a_damaged_state_is_named_and_the_stage_begins_again(videos, tmp_path, spoil):
    said, stage, expected = [], Stage("all", (), 20, (16,)), []
    mine, other = (
        Interrupted.beside(tmp_path / f"stage-seed{seed}.safetensors", 1, said.append)
        for seed in (1, 2)
    )
    first = Linear()
    fit(first, stage, videos, SCHEDULE, 1, interrupted=mine, report=expected.append)
    fit(Linear(), stage, videos, SCHEDULE, 2, interrupted=other)
    spoil(mine.path, other.path)
    again, log, steps = Linear(), [], []
    fit(
        again,
        stage,
        videos,
        SCHEDULE,
        1,
        interrupted=mine,
        report=log.append,
        watch=lambda done, *_: steps.append(done),
    )
    assert log == expected
    assert min(steps) == 1
    assert torch.equal(again.layers[1].weight, first.layers[1].weight)
    (message,) = said
    assert message.startswith(f"{mine.path}: the state of an interrupted training was changed")
    assert message.endswith("the stage is trained from its first epoch again")


def test_mixed_precision_computes_in_bfloat16_and_keeps_float32(videos):
    schedule = SCHEDULE.model_copy(update={"precision": "bf16-mixed", "epochs_scale": 0.5})
    whole, log = _fit(
        videos, method=Linear(), schedule=schedule.model_copy(update={"precision": "32-true"})
    )
    mixed, mixed_log = _fit(videos, method=Linear(), schedule=schedule)
    weight = mixed.layers[1].weight
    assert weight.dtype == torch.float32
    assert not torch.equal(weight, whole.layers[1].weight)
    torch.testing.assert_close(weight, whole.layers[1].weight, atol=0.02, rtol=0)
    assert mixed_log[-1].loss < mixed_log[0].loss
    assert mixed_log[-1].loss == pytest.approx(log[-1].loss, rel=0.02)
