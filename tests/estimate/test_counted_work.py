"""What a plan counts for a video is what training and prediction execute, to the last MAC."""

import pytest

from benchmark.backbones.features import count_macs_per_input
from benchmark.cost.counter import MacCounter
from benchmark.estimate.counting import Subject, networks_of
from benchmark.estimate.predictions import predictions
from benchmark.estimate.stages import training_stages
from benchmark.estimate.videos import video_facts
from benchmark.evaluation.predict import predict_videos
from benchmark.step_records import StepRecords
from benchmark.training.dataset import make_network
from benchmark.training.trainer import Trainer

NUM_TRAIN, NUM_VAL, EPOCHS = 20, 12, {"classifier": 2, "classifiers": 2, "gates": 1}


@pytest.fixture
def subject(small_plan):
    """Return a function that plans a method on the tiny profile."""

    def make(method, finetune):
        plan = small_plan(finetune)
        networks = networks_of(plan.config, plan.config.roles)
        facts = video_facts(plan.config, "long")
        return plan, Subject(plan, "long", method, facts, networks)

    return make


@pytest.fixture
def trainer(small_plan, tmp_path):
    """Return a function that makes a trainer with an empty folder."""

    def make(method, finetune):
        made = Trainer(small_plan(finetune), "long", method)
        made.folder = tmp_path / "runs"
        return made

    return make


@pytest.mark.parametrize(
    ("method", "finetune"), [("uniform_k", True), ("uniform_k", False), ("frameexit", False)]
)
def test_training_executes_what_was_counted(subject, trainer, monkeypatch, method, finetune):
    stages = [s for s in training_stages(*subject(method, finetune)) if "default" in s.variants]
    for stage in stages:
        assert stage.epochs == EPOCHS[stage.stage]
    expected = sum(
        NUM_TRAIN * stage.epochs * (stage.work.learned + stage.work.fixed) for stage in stages
    )
    made, executed = trainer(method, finetune), []
    loss = made.kind.loss

    def counted_loss(self, stage, videos):
        with MacCounter() as counter:
            value = loss(self, stage, videos)
        executed.append(counter.total)
        return value

    monkeypatch.setattr(made.kind, "loss", counted_loss)
    made.get("default", 0, 0)
    assert sum(executed) == expected > 0


def test_the_first_stage_of_frameexit_is_its_closed_form(subject):
    plan, planned = subject("frameexit", True)
    stages = list(training_stages(plan, planned))
    first = next(s for s in stages if s.stage == "classifiers" and "default" in s.variants)
    network = count_macs_per_input(make_network(plan.config))
    features, units, classes, steps = 32, 16, 20, 10
    forward = steps * (network + features * units + units * classes)
    assert (first.work.learned, first.work.fixed, first.work.frames) == (forward, 0, steps)
    assert first.work.macs == 3 * forward
    gates = next(s for s in stages if s.stage == "gates" and "default" in s.variants)
    # Heads and classifiers are run without gradients; each gate sees what was pooled before and
    # now, but for the first, through 16 -> 64 -> 64 units, and says one number.
    assert gates.work.fixed - gates.work.frames * network == steps * units * (features + classes)
    assert 0 < gates.work.learned < 0.5 * steps * 2 * 64 * (units + 64 + 1) * 3


def test_a_stage_is_planned_once_for_all_that_share_it(subject, trainer):
    plan, planned = subject("frameexit", False)
    stages = list(training_stages(plan, planned))
    for name in ("classifiers", "gates"):
        shared = [variant for s in stages if s.stage == name for variant in s.variants]
        assert sorted(shared) == sorted(set(planned.variants()) - {"released"})
    made = trainer("frameexit", False)
    some = ("default", "beta_1e-2", "sequential", "test_random", "t4")
    for variant in some:
        made.get(variant, 0, 0)
    files = [path.name.split("-")[0] for path in (made.folder / "checkpoints").iterdir()]
    for name in ("classifiers", "gates"):
        asked = [s for s in stages if s.stage == name and set(s.variants) & set(some)]
        assert len(asked) == files.count(name)
    assert {s.trainings for s in stages} == {2}


def test_features_that_outlive_fine_tuning_are_computed_once(subject, monkeypatch):
    plan, planned = subject("frameexit", True)
    once = {s.stage: s for s in training_stages(plan, planned) if "default" in s.variants}
    (default,) = [p for p in predictions(plan, planned) if p.variant == "default"]
    monkeypatch.setattr(planned, "kept_inputs", lambda method: None)
    every_epoch = {s.stage: s for s in training_stages(plan, planned) if "default" in s.variants}
    network = planned.networks["backbone"].macs
    assert once["classifiers"].work == every_epoch["classifiers"].work
    assert once["classifiers"].kept_macs == 10 * network
    assert once["classifiers"].kept_frames == 10
    assert once["classifiers"].kept_bytes == 10 * 32 * 4
    assert once["gates"].kept_macs == every_epoch["classifiers"].kept_macs == 0
    assert (once["gates"].work.frames, every_epoch["gates"].work.frames) == (0, 10)
    assert once["gates"].work.learned == every_epoch["gates"].work.learned
    assert every_epoch["gates"].work.fixed - once["gates"].work.fixed == 10 * network
    assert default.frames.high == 0
    assert default.macs.high < 10 * network


@pytest.mark.parametrize(("method", "variant"), [("uniform_k", "k3"), ("frameexit", "default")])
def test_prediction_executes_what_was_counted(subject, trainer, tmp_path, method, variant):
    plan, planned = subject(method, True)
    (counted,) = [p for p in predictions(plan, planned) if p.variant == variant]
    made = trainer(method, True)
    trained, ids = made.get(variant, 0, 0), made.data.fold(0)[1]
    assert len(ids) == NUM_VAL
    with MacCounter() as counter:
        steps = predict_videos(made.data, trained, ids, 0)
    assert counted.macs.low <= counter.total / NUM_VAL <= counted.macs.high
    assert (counted.macs.low == counted.macs.high) == (method == "uniform_k")
    arrays = (getattr(steps, name) for name in StepRecords.__dataclass_fields__)
    known = [a for a in arrays if getattr(a, "dtype", None) is not None and a.ndim > 1]
    positions = 0 if steps.positions is None else steps.positions.nbytes
    assert counted.row_bytes == (sum(a.nbytes for a in known) - positions) / NUM_VAL
    assert counted.num_steps == steps.num_steps
