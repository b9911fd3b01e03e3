"""Which tensors a training stage stores.

Beside the parameters that it trains, a stage changes buffers: the statistics of norms, the vectors
of spectral norms, averaged copies, code books. Other tensors are never trained but differ from seed
to seed, such as a random projection. One rule covers all of them:

    A stage stores the tensors that it trains or changes, and every other tensor in which another
    instance of the method differs, unless that tensor belongs to later stages alone.

The other instance is built from another seed and has the weights of the earlier stages, so what it
has in common with the trained model need not be stored. A tensor belongs to the stages that train
it or, if none does, to those that train parameters of the closest module around it; one that stands
in the method itself belongs to all stages.

Before the file counts, the other instance is filled from it and must answer as the trained model
does; see `benchmark.training.same_answers`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from benchmark.files.writing import replace_when_complete
from benchmark.training.checkpoints import load_stage, save_stage
from benchmark.training.same_answers import Model, check_same_answers
from benchmark.training.state import copy_of, differing, put_tensors, tensors_of
from benchmark.videos import Videos

__all__ = ["StageState"]


class StageState:
    """What one stage changes in a model.

    It is made before the stage is trained, and asked to store the checkpoint afterwards.

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
        kept, later = self._divided(now, tensors_of(fresh.parts(self._finetuned)))
        with replace_when_complete(path) as partial:
            save_stage(partial, {name: now[name] for name in kept}, log)
            put_tensors(fresh.parts(self._finetuned), {name: now[name] for name in later})
            load_stage(partial, fresh.method, fresh.networks)
            check_same_answers(self._stage, self._model, fresh, self._finetuned, videos)

    def _divided(
        self, now: Mapping[str, Tensor], fresh: Mapping[str, Tensor]
    ) -> tuple[set[str], set[str]]:
        """Return the names of the tensors that this stage stores, and of those of later stages."""
        method = self._model.method
        names = {id(tensor): name for name, tensor in now.items()}
        trained = {
            stage.name: {names[id(p)] for p in method.trainable(stage.name) if id(p) in names}
            for stage in method.stages
        }
        order = list(trained)
        following = set(order[order.index(self._stage) + 1 :])
        later = {
            name
            for name, _ in (*method.named_parameters(), *method.named_buffers())
            if _owners(name, trained) <= following
        }
        own = trained[self._stage] | {
            f"{role}:{name}"
            for role, network in self._finetuned.items()
            for name, _ in network.named_parameters()
        }
        kept = own | differing(self._before, now) | (differing(now, fresh) - later)
        return kept & now.keys(), (later - kept) & now.keys()


def _owners(name: str, trained: Mapping[str, set[str]]) -> set[str]:
    """Return the stages that a tensor of the method belongs to.

    Args:
        name: of the tensor.
        trained: the names of the tensors that each stage trains.
    """
    stages = {stage for stage, names in trained.items() if name in names}
    module = name.rpartition(".")[0]
    while module and not stages:
        inside = f"{module}."
        stages = {s for s, names in trained.items() if any(n.startswith(inside) for n in names)}
        module = module.rpartition(".")[0]
    return stages or set(trained)
