"""The released checkpoints' layout: imported, it answers as a plain reading of the release does."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torchvision.models import resnet50

from benchmark.cli import main
from benchmark.config.load import validate
from benchmark.errors import BenchmarkError
from benchmark.evaluation.predict import audit_run, predict_videos
from benchmark.experiment.layout import RunKey
from benchmark.experiment.plan import make_plan
from benchmark.training.trainer import Trainer

T, UNITS, SIZE = 10, 4096, 64
ORDER = (5, 0, 9, 2, 7, 4, 6, 3, 8, 1)
CONFIDENCE = 0.99


def linear(name: str, inputs: int, outputs: int, scale: float = 1.0) -> dict[str, torch.Tensor]:
    weight = scale * torch.randn(outputs, inputs) / inputs**0.5
    return {f"{name}.weight": weight, f"{name}.bias": scale * torch.randn(outputs)}


def norm(name: str, units: int) -> dict[str, torch.Tensor]:
    return {
        f"{name}.weight": 1 + 0.2 * torch.randn(units),
        f"{name}.bias": 0.2 * torch.randn(units),
        f"{name}.running_mean": 0.2 * torch.randn(units),
        f"{name}.running_var": 0.5 + torch.rand(units),
        f"{name}.num_batches_tracked": torch.tensor(7),
    }


def release(num_classes: int) -> dict[str, torch.Tensor]:
    """A state dict with the release's names and shapes, and random values."""
    torch.manual_seed(3)
    state = {}
    backbone = torch.nn.Sequential(*list(resnet50(weights=None).children())[:-1])
    for name, tensor in backbone.state_dict().items():
        state[f"backbone.{name}"] = tensor
    state |= linear("mlp.layers.0", 2048, UNITS, 3) | norm("mlp.layers.1", UNITS)
    for step in range(T):
        # A wide scale: some videos are sure of the first frame.
        state |= linear(f"classifiers.{step}", UNITS, num_classes, 5)
    for gate in range(T - 1):
        name = f"exit_selector.{gate}"
        for part, (inputs, outputs) in {"conv1": (UNITS, 128), "conv2": (128, 64)}.items():
            own = linear(f"{name}.{part}", inputs, outputs, 2)
            own[f"{name}.{part}.weight"] = own[f"{name}.{part}.weight"][:, :, None, None]
            state |= own
        state |= norm(f"{name}.bn1", 128) | norm(f"{name}.bn2", 64)
        state |= linear(f"{name}.linear", 128, 1, 4)
    return {f"module.{name}": tensor for name, tensor in state.items()}


@torch.inference_mode()
def make_frames_differ(state: dict[str, torch.Tensor], frames: torch.Tensor) -> None:
    """Centre the frame head on some frames: a random ResNet says nearly the same of all."""
    backbone = plain_backbone(state)
    name = "module.mlp.layers"
    hidden = F.linear(
        backbone(frames).flatten(1), state[f"{name}.0.weight"], state[f"{name}.0.bias"]
    )
    state[f"{name}.1.running_mean"] = hidden.mean(0)
    state[f"{name}.1.running_var"] = hidden.var(0)


def plain_backbone(state: dict[str, torch.Tensor]) -> torch.nn.Module:
    backbone = torch.nn.Sequential(*list(resnet50(weights=None).children())[:-1])
    prefix = "module.backbone."
    own = {n.removeprefix(prefix): t for n, t in state.items() if n.startswith(prefix)}
    backbone.load_state_dict(own)
    return backbone.eval()


def normalised(trainer: Trainer, video: str, positions: list[int]) -> torch.Tensor:
    mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
    std = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    pixels = torch.from_numpy(trainer.data.store.frames(video, positions, SIZE))
    return (pixels.permute(0, 3, 1, 2) / 255 - mean) / std


@dataclass(frozen=True)
class Reading:
    """What the release says of one video at each of its T steps.

    Attributes:
        scores: `[T, C]`, probabilities of each classifier.
        goes_on: `[T]`, each gate's logit of going on; the first step and the last have none.
    """

    scores: torch.Tensor
    goes_on: torch.Tensor

    def exit_step(self) -> int:
        """Return the 1-based step at which it stops."""
        if self.scores[0].max() > CONFIDENCE:
            return 1
        stops = [t for t in range(1, T - 1) if self.goes_on[t].sigmoid() < 0.5]
        return min([*stops, T - 1]) + 1


@torch.inference_mode()
def plain_reading(state, backbone, frames: torch.Tensor) -> Reading:
    """Section 1.4 step by step for one video.

    Args:
        state: of the release.
        backbone: with its weights.
        frames: `[T, 3, H, W]`, normalised, in temporal order.
    """
    state = {name.removeprefix("module."): tensor for name, tensor in state.items()}

    def apply(name, x):
        weight = state[f"{name}.weight"]
        return F.linear(x, weight.reshape(weight.shape[:2]), state[f"{name}.bias"])

    def normed(name, x):
        mean, var, weight, bias = (
            state[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / torch.sqrt(var + 1e-5) * weight + bias

    def branch(gate, z):
        for part, its_norm in (("conv1", "bn1"), ("conv2", "bn2")):
            z = normed(f"{gate}.{its_norm}", apply(f"{gate}.{part}", z)).relu()
        return z

    pooled, scores, goes_on = None, [], []
    for t, position in enumerate(ORDER):
        features = backbone(frames[position : position + 1]).flatten(1)
        frame = normed("mlp.layers.1", apply("mlp.layers.0", features)).relu()
        before, pooled = pooled, frame if pooled is None else torch.maximum(pooled, frame)
        scores.append(apply(f"classifiers.{t}", pooled).softmax(-1)[0])
        if 0 < t < T - 1:
            gate = f"exit_selector.{t - 1}"
            both = torch.cat([branch(gate, pooled), branch(gate, before)], dim=1)
            goes_on.append(apply(f"{gate}.linear", both)[0, 0])
        else:
            goes_on.append(torch.tensor(float("nan")))
    return Reading(torch.stack(scores), torch.stack(goes_on))


def frames_of(trainer: Trainer, video: str) -> torch.Tensor:
    """The T frames that the release samples, in temporal order."""
    length = trainer.data.store.num_positions(video)
    points = np.clip(np.linspace(0, length, T), 0, length - 1).astype(int)
    return normalised(trainer, video, points.tolist())


def make_gates_differ(state, backbone, videos: list[torch.Tensor]) -> None:
    """Shift each gate so that it lets about a third of some videos stop."""
    goes_on = torch.stack([plain_reading(state, backbone, frames).goes_on for frames in videos])
    for gate in range(T - 2):
        state[f"module.exit_selector.{gate}.linear.bias"] -= goes_on[:, gate + 1].quantile(0.35)


@pytest.fixture(scope="module")
def released(small_plan, tmp_path_factory):
    """Return a trainer of a profile that names an imported checkpoint, and its state dict."""
    folder = tmp_path_factory.mktemp("release")
    content = small_plan(True).config.model_dump(mode="json", exclude_none=True)
    content["backbone"] |= {"network": "resnet50", "size": SIZE}
    content["training"] |= {"head_units": UNITS}
    trainer = Trainer(make_plan(validate(content, "small")), "long", "frameexit")
    state = release(trainer.data.task.num_classes)
    some = [normalised(trainer, video, [0, 7, 15]) for video in trainer.data.fold(0)[0]]
    make_frames_differ(state, torch.cat(some))
    backbone = plain_backbone(state)
    make_gates_differ(state, backbone, [frames_of(trainer, v) for v in trainer.data.fold(0)[0][:8]])
    torch.save(state, folder / "activitynet.pth")
    out = folder / "activitynet.safetensors"
    assert main(["import", "frameexit-release", str(folder / "activitynet.pth")]) == 0
    content["checkpoints"] = {"long/frameexit/released": str(out)}
    return Trainer(make_plan(validate(content, "small")), "long", "frameexit"), state


def test_exits_and_predictions_are_those_of_a_plain_reading(released):
    trainer, state = released
    trained = trainer.get("released", 0, 0)
    ids = trainer.data.fold(0)[1]
    steps = predict_videos(trainer.data, trained, ids, seed=0)
    backbone, exits = plain_backbone(state), []
    for row, video in enumerate(ids):
        reading = plain_reading(state, backbone, frames_of(trainer, video))
        exits.append(reading.exit_step())
        assert steps.exit_step[row] == exits[-1]
        scores = reading.scores[exits[-1] - 1]
        np.testing.assert_allclose(steps.exit_scores()[row], scores, rtol=1e-3, atol=1e-4)
    assert min(exits) == 1  # the confidence of the first step
    assert len(set(exits)) >= 4  # gates that differ by video


def test_its_cost_is_counted_and_audited(released):
    trainer, _ = released
    trained = trainer.get("released", 0, 0)
    ids = trainer.data.fold(0)[1]
    steps = predict_videos(trainer.data, trained, ids, seed=0)
    key = RunKey("long", "frameexit", "released", 0)
    assert audit_run(trainer, key, steps) == []
    parts = dict(zip(steps.components, steps.macs_by_component().T, strict=True))
    assert (parts["head"] == steps.exit_step * 2048 * UNITS).all()
    # Two branches of 128 and 64 units and the projection; none at the first step and the last.
    one_gate = 2 * (UNITS * 128 + 128 * 64) + 128
    assert (parts["gate"] == (steps.exit_step.clip(1, T - 1) - 1) * one_gate).all()


def test_it_is_a_run_of_the_plan_only_where_a_checkpoint_is_named(released, small_plan):
    trainer, _ = released
    assert "released" in trainer.plan.variants["long", "frameexit"]
    assert "released" not in small_plan(True).variants["long", "frameexit"]
    assert trainer.get("released", 0, 0).checkpoints[0].is_file()


def test_what_does_not_fit_is_said_before_anything_runs(released, small_plan, tmp_path):
    content = small_plan(True).config.model_dump(mode="json", exclude_none=True)
    content["checkpoints"] = {
        "long/frameexit/relased": "x.safetensors",
        "long/frameexit/released": str(tmp_path / "nowhere.safetensors"),
    }
    with pytest.raises(BenchmarkError) as fault:
        make_plan(validate(content, "small"))
    assert "did you mean 'long/frameexit/released'" in str(fault.value)
    assert "nowhere.safetensors" in str(fault.value)
    trainer, _ = released
    content["checkpoints"] = {"long/frameexit/released": str(_path(trainer))}
    narrow = Trainer(make_plan(validate(content, "small")), "long", "frameexit")
    with pytest.raises(BenchmarkError, match="does not fit this profile's networks"):
        narrow.get("released", 0, 0)


def _path(trainer: Trainer) -> Path:
    path = trainer.plan.checkpoint("long", "frameexit", "released")
    assert path is not None
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("module.classifiers.3.bias"), "'classifiers.3.bias' is missing"),
        (lambda s: s.pop("module.exit_selector.2.bn1.running_var"), "bn1.running_var' is missing"),
        (lambda s: s.update({"module.fc.weight": torch.zeros(2)}), "no place, first 'fc.weight'"),
        (lambda s: s.clear(), "0 classifiers and 0 gates"),
        (lambda s: s.update(epoch=3), "holds other things than tensors"),
    ],
)
def test_another_layout_is_refused(tmp_path, capsys, change, message):
    state = {
        name: tensor[:1].clone() if tensor.ndim else tensor for name, tensor in release(5).items()
    }
    change(state)
    file = tmp_path / "wrong.pth"
    torch.save(state, file)
    assert main(["import", "frameexit-release", str(file)]) == 1
    said = capsys.readouterr().err
    assert message in said
    assert str(file) in said
    assert not file.with_suffix(".safetensors").exists()


def test_a_pickle_that_runs_code_is_refused(tmp_path, capsys):
    file, trap = tmp_path / "evil.pth", tmp_path / "trap"

    class Evil:
        def __reduce__(self):
            return (Path.touch, (trap,))

    torch.save({"module.x": Evil()}, file)
    assert main(["import", "frameexit-release", str(file)]) == 1
    assert "read safely" in capsys.readouterr().err
    assert not trap.exists()
    file.write_bytes(io.BytesIO(b"no checkpoint").getvalue())
    assert main(["import", "frameexit-release", str(file)]) == 1
    assert main(["import", "frameexit-relase", str(file)]) == 1
    assert "did you mean 'frameexit-release'" in capsys.readouterr().err
