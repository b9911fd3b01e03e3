"""The proof that a stage's file holds all that the stage has left behind.

What no parameter or buffer holds, a plain attribute for instance, cannot be stored. So another
instance is filled from the file, and both must have the same tensors and give the same answers on a
few videos.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.contract import EarlyExit, Method, SinglePass
from benchmark.errors import BenchmarkError, explained
from benchmark.methods.blame import is_of_method
from benchmark.training.state import differing, model_parts, tensors_of
from benchmark.videos import Videos

__all__ = ["Model", "check_same_answers"]

_TOLERANCE = 1e-5  # of probabilities: a GPU may add the same numbers in another order
_NAMES_SHOWN = 8


@dataclass(frozen=True)
class Model:
    """A method with the networks that its features come from, by role; none where these are fixed.

    Attributes:
        method: it.
        networks: all of its networks that any stage fine-tunes.
    """

    method: Method
    networks: Mapping[str, Any]

    def parts(self, finetuned: Mapping[str, object]) -> dict[str, nn.Module]:
        """Return the modules that a stage may change: the method, and what it fine-tunes."""
        roles = [role for role in self.networks if role in finetuned]
        return model_parts(self.method, {role: self.networks[role] for role in roles})


def check_same_answers(
    stage: str,
    trained: Model,
    filled: Model,
    finetuned: Mapping[str, nn.Module],
    videos: Callable[[Model], Videos],
) -> None:
    """Compare a trained model with one that was filled from the file of its stage.

    Args:
        stage: its name, for the message.
        trained: the model that was trained. Weights that were trained in double precision are
            rounded to the single ones that are used, since those answer.
        filled: the other one.
        finetuned: the networks that the stage trains, by role.
        videos: returns the videos on which the two are compared, as the model sees them.

    Raises:
        BenchmarkError: naming the stage and what differs.
    """
    ours, theirs = (tensors_of(model.parts(finetuned)) for model in (trained, filled))
    different = sorted(differing(ours, theirs))
    for name in ours.keys() & theirs.keys():
        ours[name].data = ours[name].data.to(theirs[name].dtype)
    try:
        expected = _answers(trained, videos)
    except Exception as fault:  # the prediction of the run will end in it, and say so
        if not is_of_method(fault, ()):
            raise
        expected = None
    problem = _disagreement(filled, videos, expected) if expected is not None else ""
    if not problem and not different:
        return
    said = [f"tensor '{name}'" for name in different] + [
        f"attribute '{name}', which is neither a parameter nor a buffer"
        for name in _plain_attributes_that_differ(trained.method, filled.method)
    ]
    more = f" and {len(said) - _NAMES_SHOWN} more" if len(said) > _NAMES_SHOWN else ""
    raise BenchmarkError(
        f"after stage '{stage}', the method that is read from its checkpoint is not the one that "
        f"was trained: {problem or 'its state differs'}; what differs: "
        f"{', '.join(said[:_NAMES_SHOWN]) or 'nothing that can be seen from outside'}{more}",
        where=f"method '{_name(trained.method)}'",
        fix="keep everything that training changes or chance decides in parameters or "
        "buffers (self.register_buffer), since only these are stored",
    )


def _name(method: Method) -> str:
    """Return a method's name: that of the folder which its class comes from."""
    return type(method).__module__.removesuffix(".method").removeprefix("methods.")


@torch.inference_mode()
def _answers(model: Model, videos: Callable[[Model], Videos]) -> Tensor:
    """Return all that a method says of some videos, at every step if it looks step by step."""
    method, view = model.method.eval(), videos(model)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        if isinstance(method, SinglePass):
            return method.predict(view).scores.float().cpu()
        assert isinstance(method, EarlyExit), "loading refuses other classes"
        order, state, said = method.visit(view).cpu(), None, []
        for step in range(1, method.num_steps + 1):
            features = view.features(order[:, step - 1 : step])[:, 0]
            state = method.step(step, features, state, view)
            value = method.exit_value(step, state, view) if step < method.num_steps else None
            said += [] if value is None else [value[:, None]]
            said.append(method.classify(step, state, view))
        return torch.cat([one.float().cpu() for one in said], dim=1)


def _disagreement(fresh: Model, videos: Callable[[Model], Videos], expected: Tensor) -> str:
    """Return in what the answers of a model are not the expected ones; nothing if they are."""
    try:
        found = _answers(fresh, videos)
    except Exception as fault:
        if not is_of_method(fault, ()):
            raise
        return f"it fails ({explained(fault)})"
    if found.shape != expected.shape:
        return f"it gives {list(found.shape)} numbers and not {list(expected.shape)}"
    if torch.allclose(found, expected, rtol=0, atol=_TOLERANCE, equal_nan=True):
        return ""
    return f"its scores differ by up to {float((found - expected).abs().nan_to_num().max()):.2g}"


def _plain_attributes_that_differ(one: nn.Module, other: nn.Module) -> list[str]:
    """Return the names of attributes that are no parameters or buffers and have other values."""
    found = [_plain_attributes(module) for module in (one, other)]
    names = found[0].keys() | found[1].keys()
    return sorted(name for name in names if found[0].get(name) != found[1].get(name))


def _plain_attributes(whole: nn.Module) -> dict[str, bytes]:
    """Return the pickled attributes of a module and those inside, without what PyTorch keeps."""
    usual, pickled = vars(nn.Module()).keys(), {}
    for path, module in whole.named_modules():
        for name, value in vars(module).items():
            if name in usual:
                continue
            try:
                pickled[f"{path}.{name}".lstrip(".")] = pickle.dumps(value)
            except Exception:  # a function or an open file: it holds nothing that is trained
                continue
    return pickled
