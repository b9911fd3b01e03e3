"""A checkpoint holds all that a stage changes, and what it cannot hold ends the run."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from written_methods import METHOD, changed, write_method

from benchmark.errors import BenchmarkError
from benchmark.evaluation.predict import predict_videos
from benchmark.methods.discovery import discover
from benchmark.training.train_all import train_all
from benchmark.training.trainer import Trainer

CODE = (
    f"import copy\n{METHOD}"
    + """
class Method(Method):
    def __init__(self, task, params):
        super().__init__(task, params)
        features, classes = task.num_features, task.num_classes
        self.gate = nn.Linear(features, 1)
        BUILD

    @property
    def stages(self):
        return [
            Stage("answers", (), 80, (), finetunes=("backbone",)),
            Stage("gates", (), 20, ()),
        ]

    def trainable(self, stage):
        return self.gate.parameters() if stage == "gates" else self.answering()

    def answering(self):
        return TRAINED

    def loss(self, stage, videos):
        features = videos.features(self.visit(videos))
        if stage == "gates":
            return self.gate(features).square().mean()
        LEARN
        logits = self.logits(features.flatten(0, 1)).unflatten(0, features.shape[:2])
        return classification_loss(logits, videos.targets, self.task.loss).mean()

    def logits(self, features):
        APPLY

    def classify(self, step, state, videos):
        return probabilities(self.logits(state), self.task.loss)
"""
)
ANSWERING = '[p for n, p in self.named_parameters() if not n.startswith(("gate", "teacher"))]'
# What __init__ makes, what the loss does beside, how logits are made, and what must be stored.
KEPT = {
    "norm_without_scale": (
        "self.norm = nn.BatchNorm1d(features, affine=False)",
        "pass",
        "return self.layer(self.norm(features))",
        {"norm.running_mean", "norm.running_var"},
    ),
    "norm_in_a_head": (
        "self.head = nn.Sequential(nn.Linear(features, features), "
        "nn.BatchNorm1d(features, affine=False))",
        "pass",
        "return self.layer(self.head(features))",
        {"head.1.running_mean", "head.1.running_var"},
    ),
    "instance_norm": (
        "self.norm = nn.InstanceNorm1d(4, track_running_stats=True)",
        "pass",
        "return self.layer(self.norm(features.unflatten(1, (4, -1))).flatten(1))",
        {"norm.running_mean", "norm.running_var"},
    ),
    "spectral_norm": (
        "self.first = nn.utils.parametrizations.spectral_norm(nn.Linear(features, features))",
        "pass",
        "return self.layer(self.first(features))",
        {"first.parametrizations.weight.0._u", "first.parametrizations.weight.0._v"},
    ),
    "averaged_teacher": (
        "self.first = nn.Linear(features, features); self.teacher = copy.deepcopy(self.first)",
        "self.teacher.weight.data.lerp_(self.first.weight.data, 0.5)",
        "return self.layer((self.first if self.training else self.teacher)(features))",
        {"teacher.weight", "teacher.bias"},
    ),
    "code_book": (
        "self.register_buffer('book', torch.randn(8, features), persistent=False)",
        "near = torch.cdist(features.detach(), self.book).argmin(-1).unique(); "
        "self.book[near] = self.book[near].lerp(features.detach().mean((0, 1)), 0.3)",
        "return self.layer(features - self.book[torch.cdist(features, self.book).argmin(-1)])",
        {"book"},
    ),
    "bank_that_begins_empty": (
        "self.register_buffer('bank', None)",
        "self.bank = features.detach().mean((0, 1))",
        "return self.layer(features if self.bank is None else features - self.bank)",
        {"bank"},
    ),
    "projection_by_chance": (
        "self.register_buffer('projection', torch.randn(features, features))",
        "pass",
        "return self.layer(features @ self.projection)",
        {"projection"},
    ),
}
LOST = {
    "moving_mean": (
        "self.mean = torch.zeros(features)",
        "self.mean = self.mean.lerp(features.detach().mean((0, 1)), 0.3)",
        "return self.layer(features - self.mean)",
        "mean",
    ),
    "made_in_the_loss": (
        "pass",
        "self.mean = features.detach().mean((0, 1))",
        "return self.layer(features - self.mean)",
        "mean",
    ),
    "plain_projection": (
        "self.projection = torch.randn(features, features)",
        "pass",
        "return self.layer(features @ self.projection)",
        "projection",
    ),
    "list_of_layers": (
        "self.heads = [nn.Linear(features, features)]",
        "pass",
        "return self.layer(self.heads[0](features))",
        "heads",
    ),
}


@pytest.fixture
def trainer(small_plan, tmp_path):
    """Return a function that writes a method and returns its trainer, with an empty folder."""

    def make(name, parts, finetune=False, trained=ANSWERING):
        given = zip(("BUILD", "LEARN", "APPLY", "TRAINED"), (*parts, trained), strict=True)
        root = tmp_path / "mine"
        write_method(root, name, changed(CODE, dict(given)))
        plan = small_plan(finetune, own_methods=root)
        assert name in discover([root])
        made = Trainer(plan, "long", name)
        made.folder = tmp_path / "runs"
        return made

    return make


@pytest.mark.parametrize("name", KEPT)
@pytest.mark.parametrize("finetune", [False, True], ids=["frozen", "fine-tuned"])
def test_what_a_stage_changes_beside_its_parameters_is_stored_with_it(trainer, name, finetune):
    *parts, expected = KEPT[name]
    made = trainer(name, parts, finetune)
    one, two = made.get("default", 0, 0), made.get("default", 0, 0)
    first, second = (load_file(path) for path in one.checkpoints)
    assert expected <= first.keys()
    assert not any(key.startswith("gate") for key in first)
    assert all(key.startswith("gate") for key in second)  # what is frozen stays as it was
    state = {**dict(one.method.named_buffers()), **dict(one.method.named_parameters())}
    assert all(torch.equal(state[key], first[key]) for key in expected)
    rows = [predict_videos(made.data, trained, made.data.fold(0)[1], 0) for trained in (one, two)]
    assert (rows[0].scores == rows[1].scores).all()


@pytest.mark.parametrize("name", LOST)
def test_state_that_no_buffer_holds_ends_the_run_with_its_name(trainer, name):
    *parts, attribute = LOST[name]
    made = trainer(f"lost_{name}", parts)
    with pytest.raises(BenchmarkError) as fault:
        made.get("default", 0, 0)
    said = str(fault.value)
    assert said.startswith(f"method 'lost_{name}': after stage 'answers', the method that is read")
    assert f"attribute '{attribute}', which is neither a parameter nor a buffer" in said
    assert "Fix: keep everything" in said
    assert list((made.folder / "checkpoints").iterdir()) == []
    entries = train_all(made, [0])
    assert entries[0]["failed"].startswith(f"training: method 'lost_{name}'")


def test_what_chance_decides_in_a_module_of_a_later_stage_is_stored_with_that_stage(trainer):
    build = "nn.utils.parametrizations.spectral_norm(self.gate)"
    made = trainer("later", (build, "pass", "return self.layer(features)"))
    stored = [load_file(path).keys() for path in made.get("default", 0, 0).checkpoints]
    assert stored[0] == {"layer.weight", "layer.bias"}
    assert "gate.parametrizations.weight.0._v" in stored[1]


def test_what_chance_decides_is_stored_where_a_stage_trains_nothing_but_a_network(trainer):
    build = "self.register_buffer('projection', torch.randn(features, classes))"
    apply = "return features @ self.projection"
    made = trainer("network_alone", (build, "pass", apply), finetune=True, trained="iter(())")
    first, second = (load_file(path) for path in made.get("default", 0, 0).checkpoints)
    untrained = {"projection", "layer.weight", "layer.bias"}
    assert {name for name in first if ":" not in name} == untrained
    assert all(name.startswith("gate") for name in second)


def test_a_constant_that_follows_from_parameters_is_not_stored(trainer):
    build = "self.register_buffer('scale', torch.tensor(2.0))"
    made = trainer("constant", (build, "pass", "return self.layer(features * self.scale)"))
    stored = [load_file(path).keys() for path in made.get("default", 0, 0).checkpoints]
    assert stored == [{"layer.weight", "layer.bias"}, {"gate.weight", "gate.bias"}]


def test_a_buffer_that_grows_is_named_with_both_shapes(trainer):
    build = "self.register_buffer('bank', torch.zeros(0, features))"
    learn = "self.bank = torch.cat([self.bank, features.detach()[:, 0]])"
    made = trainer("grows", (build, learn, "return self.layer(features)"))
    with pytest.raises(BenchmarkError, match=r"'bank' was trained with the shape .* Fix: .*shape"):
        made.get("default", 0, 0)


@pytest.mark.parametrize("name", ["norm_without_scale", "code_book", "bank_that_begins_empty"])
def test_a_stage_that_was_killed_goes_on_with_its_buffers(trainer, monkeypatch, name, tmp_path):
    made = trainer(f"killed_{name}", KEPT[name][:3])
    compute = made.plan.config.compute.model_copy(update={"checkpoint_epochs": 1})
    config = made.plan.config.model_copy(update={"compute": compute})
    monkeypatch.setattr(made, "plan", replace(made.plan, config=config))
    made.get("default", 0, 0)
    whole = {path.name: path.read_bytes() for path in (made.folder / "checkpoints").iterdir()}
    made.folder = tmp_path / "killed"
    write, lines = made.log.write, []

    def die(line):
        lines.append(line)
        if len(lines) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(made.log, "write", die)
    with pytest.raises(KeyboardInterrupt):
        made.get("default", 0, 0)
    assert [path.suffix for path in (made.folder / "checkpoints").iterdir()] == [".pt"]
    monkeypatch.setattr(made.log, "write", write)
    made.get("default", 0, 0)
    ended = {path.name: path.read_bytes() for path in (made.folder / "checkpoints").iterdir()}
    assert ended == whole
