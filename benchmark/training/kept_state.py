"""Which state a training stage leaves behind, and the proof that its file holds all of it.

Beside the parameters that it trains, a stage changes buffers: statistics of norms, vectors of
spectral norms, averaged copies, code books. All of them are stored. What no buffer holds, a plain
attribute for instance, cannot be stored; so before a file counts, another instance is filled from
it, and both must give the same answers on a few videos.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.blame import is_of_method
from benchmark.contract import EarlyExit, Method
from benchmark.errors import BenchmarkError, explained
from benchmark.files import replace_when_complete
from benchmark.training.checkpoints import load_stage, save_stage
from benchmark.training.state import copy_of, differing, model_parts, put_tensors, tensors_of
from benchmark.videos import Videos

__all__ = ["Model", "StageState"]

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


class StageState:
    """What one stage changes in a model.

    It is made before the stage is trained, and asked to store afterwards.

    Args:
        stage: its name.
        model: with the weights of the earlier stages.
        finetuned: the networks that the stage trains, by role.
    """

    def __init__(self, stage: str, model: Model, finetuned: Mapping[str, nn.Module]) -> None:
        self._stage, self._model, self._finetuned = stage, model, finetuned
        self._before = copy_of(tensors_of(model.parts(finetuned)))

    def store(
        self,
        path: Path,
        log: list[dict[str, Any]],
        fresh: Model,
        videos: Callable[[Model], Videos],
    ) -> None:
        """Write the stage's checkpoint, if another instance answers the same with it.

        Args:
            path: of the checkpoint.
            log: a line an epoch.
            fresh: another instance, built from another seed, with the weights of the earlier
                stages. It ends as a copy of the trained one.
            videos: returns the videos on which the two are compared, as the model sees them.

        Raises:
            BenchmarkError: naming the stage and what differs; there is no checkpoint then.
        """
        now = tensors_of(self._model.parts(self._finetuned))
        chance = differing(self._before, tensors_of(fresh.parts(self._finetuned)))
        kept, later = self._divided(now, chance)
        with replace_when_complete(path) as partial:
            save_stage(partial, {name: now[name] for name in kept}, log)
            put_tensors(fresh.parts(self._finetuned), {name: now[name] for name in later})
            load_stage(partial, fresh.method, fresh.networks)
            self._compare(fresh, videos)

    def _divided(self, now: Mapping[str, Tensor], chance: set[str]) -> tuple[set[str], set[str]]:
        """Return which tensors are stored with this stage, and which only a later one stores.

        Stored are those that the stage trains or has changed. Of those that no stage trains, the
        ones that differ from seed to seed belong to the stages which train the module around them.
        """
        method = self._model.method
        names = {id(tensor): name for name, tensor in now.items()}
        trained = {
            stage.name: {names[id(p)] for p in method.trainable(stage.name) if id(p) in names}
            for stage in method.stages
        }
        networks = tensors_of({f"{role}:": net for role, net in self._finetuned.items()})
        own = trained[self._stage] | {
            name for name, tensor in networks.items() if isinstance(tensor, nn.Parameter)
        }
        constant = chance - set().union(*trained.values())
        homes = {name: _home(name, trained) for name in constant}
        kept = own | differing(self._before, now)
        kept |= {name for name, stages in homes.items() if self._stage in stages}
        order = [stage.name for stage in method.stages]
        following = order[order.index(self._stage) + 1 :]
        later = set().union(*(trained[stage] for stage in following))
        later |= {name for name, stages in homes.items() if stages & set(following)}
        return kept & now.keys(), (later - kept) & now.keys()

    def _compare(self, fresh: Model, videos: Callable[[Model], Videos]) -> None:
        """Raise an error if a model that was filled from the file is not the trained one."""
        tensors = [tensors_of(model.parts(self._finetuned)) for model in (self._model, fresh)]
        different = sorted(differing(*tensors))
        # Weights that were trained in double precision answer as the single ones that are used.
        for name in tensors[0].keys() & tensors[1].keys():
            tensors[0][name].data = tensors[0][name].data.to(tensors[1][name].dtype)
        try:
            expected = _answers(self._model, videos)
        except Exception as fault:  # the prediction of the run will end in it, and say so
            if not is_of_method(fault, ()):
                raise
            expected = None
        problem = _disagreement(fresh, videos, expected) if expected is not None else ""
        if not problem and not different:
            return
        plain = _plain_attributes_that_differ(self._model.method, fresh.method)
        said = [f"tensor '{name}'" for name in different] + [
            f"attribute '{name}', which is neither a parameter nor a buffer" for name in plain
        ]
        more = f" and {len(said) - _NAMES_SHOWN} more" if len(said) > _NAMES_SHOWN else ""
        raise BenchmarkError(
            f"after stage '{self._stage}', the method that is read from its checkpoint is not the "
            f"one that was trained: {problem or 'its state differs'}; what differs: "
            f"{', '.join(said[:_NAMES_SHOWN]) or 'nothing that can be seen from outside'}{more}",
            where=f"method '{_name(self._model.method)}'",
            fix="keep everything that training changes or chance decides in parameters or "
            "buffers (self.register_buffer), since only these are stored",
        )


def _name(method: Method) -> str:
    """Return a method's name: that of the folder which its class comes from."""
    return type(method).__module__.removesuffix(".method").removeprefix("methods.")


def _home(name: str, trained: Mapping[str, set[str]]) -> set[str]:
    """Return the stages that train parameters of the closest module around a tensor."""
    while name:
        name = name.rpartition(".")[0]
        inside = f"{name}." if name else ""
        stages = {s for s, names in trained.items() if any(n.startswith(inside) for n in names)}
        if stages:
            return stages
    return set()


@torch.inference_mode()
def _answers(model: Model, videos: Callable[[Model], Videos]) -> Tensor:
    """Return all that a method says of some videos, at every step if it looks step by step."""
    method, view = model.method.eval(), videos(model)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        if not isinstance(method, EarlyExit):
            return method.predict(view).scores.float().cpu()
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
