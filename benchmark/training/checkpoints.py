"""Checkpoints of training stages, found by what they depend on.

A stage's key covers the data, the parameters that the stage names, the profile's schedule, the seed
and the code. Variants that agree in all of these share the file; anything else has another name, so
a stale checkpoint is never loaded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from benchmark.contract import Method, Stage
from benchmark.errors import BenchmarkError, DamagedFileError
from benchmark.files.sealed_tensors import load_sealed_tensors, save_sealed_tensors
from benchmark.files.writing import digest_of
from benchmark.training.state import copy_of, model_parts, put_tensors

__all__ = ["StageKey", "load_released", "load_stage", "save_stage", "stage_params"]


@dataclass(frozen=True)
class StageKey:
    """Everything that a stage's weights depend on."""

    dataset: str
    method: str
    stage: str
    params: dict[str, Any]
    seed: int
    fold: int
    data_digest: str
    code_digest: str
    schedule: dict[str, Any]

    def path(self, folder: Path) -> Path:
        """Return the checkpoint's path below a method's folder."""
        name = f"{self.stage}-{digest_of(asdict(self))}-seed{self.seed}-fold{self.fold}"
        return folder / "checkpoints" / f"{name}.safetensors"


def stage_params(method: type[Method], params: Any, stages: Sequence[Stage]) -> Any:
    """Return the parameters with all that none of the stages names at its default.

    A stage is trained with these, so its weights do not depend on which variant asked first.
    """
    named = {name for stage in stages for name in stage.params}
    kept = {f.name: getattr(params, f.name) for f in fields(params) if f.name in named}
    return method.Params(**kept)


def save_stage(path: Path, tensors: Mapping[str, Tensor], log: list[dict[str, Any]]) -> None:
    """Write the tensors that a stage leaves behind, with its log."""
    save_sealed_tensors(path, copy_of(tensors), {"log": json.dumps(log)})


def load_stage(
    path: Path, method: Method, networks: Mapping[str, nn.Module]
) -> list[dict[str, Any]] | None:
    """Load what a stage trained into a method and return its log; None if there is no file.

    A file that was cut off, changed or exchanged counts as none: the stage is trained again.

    Raises:
        BenchmarkError: if a tensor of the file has no place in the method, or another shape there.
    """
    if not path.is_file():
        return None
    try:
        tensors, said = load_sealed_tensors(path, fix="")
    except DamagedFileError:
        return None
    log: list[dict[str, Any]] = json.loads(said["log"])
    put_tensors(model_parts(method, networks), tensors)
    return log


def load_released(
    path: Path, method: Method, networks: Mapping[str, nn.Module], given: Path
) -> None:
    """Load weights that were published: a tensor for each of the method's and its networks'.

    Raises:
        BenchmarkError: naming all that is missing, too much or of another shape.
    """
    own = _named(method, networks)
    wanted = {n: t for n, t in own.items() if not n.endswith("num_batches_tracked")}
    try:
        tensors = load_file(path)
    except SafetensorError as fault:
        fix = "make it with `python -m benchmark import`"
        raise BenchmarkError(f"no safetensors file ({fault})", where=given, fix=fix) from fault
    faults = [f"'{name}' is missing" for name in wanted if name not in tensors]
    faults += [f"'{name}' has no place" for name in tensors if name not in own]
    faults += [
        f"'{name}' has shape {list(tensors[name].shape)}, not {list(tensor.shape)}"
        for name, tensor in wanted.items()
        if name in tensors and tensors[name].shape != tensor.shape
    ]
    if faults:
        more = f" and {len(faults) - 5} more" if len(faults) > 5 else ""
        raise BenchmarkError(
            f"does not fit this profile's networks: {'; '.join(faults[:5])}{more}",
            where=given,
            fix="use its backbone, head_units, classes and parameters",
        )
    with torch.no_grad():
        for name, tensor in tensors.items():
            own[name].copy_(tensor)


def _named(method: Method, networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    tensors = dict(method.state_dict(keep_vars=True))
    for role, network in networks.items():
        state = network.state_dict(keep_vars=True)
        tensors |= {f"{role}:{name}": tensor for name, tensor in state.items()}
    return tensors
