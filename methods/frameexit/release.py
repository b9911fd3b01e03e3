"""The authors' released checkpoints, in this method's names.

The two files (ActivityNet, Mini-Kinetics; github.com/Qualcomm-AI-research/FrameExit, release v1.0)
hold the state of `ConditionalFrameExitInferenceModel` (`model/adaptive_models.py`) inside
`nn.DataParallel`: torchvision's ResNet-50 without its classifier as a plain sequence, the frame
head, T classifiers, and T - 1 gates of which gate i belongs to step i + 2. The first step has no
gate, and the last one's is never asked. A gate of the release says 1 for 'go on'; here 1 means
exit, so the sign of its last layer changes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from benchmark.errors import BenchmarkError

__all__ = ["convert"]

# The places of torchvision's modules in the sequence; the others hold no tensors.
_BACKBONE = {
    "0": "conv1",
    "1": "bn1",
    "4": "layer1",
    "5": "layer2",
    "6": "layer3",
    "7": "layer4",
}
_GATE_PARTS = {"conv1": "first", "conv2": "second", "linear": "project"}


def convert(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of the variant `released`, by their names in a checkpoint of this method.

    Args:
        state: of the release, with or without 'module.' before each name.

    Raises:
        BenchmarkError: naming what is missing, or has no place.
    """
    given = {name.removeprefix("module."): tensor for name, tensor in state.items()}
    num_steps = len({name.split(".")[1] for name in given if name.startswith("classifiers.")})
    num_gates = len({name.split(".")[1] for name in given if name.startswith("exit_selector.")})
    if num_steps < 2 or num_gates != num_steps - 1:
        raise BenchmarkError(
            f"{num_steps} classifiers and {num_gates} gates, expected T and T - 1",
            where="checkpoint",
            fix="give a file of the release: activitynet_checkpoint_25gmac.pth or its like",
        )
    made = _backbone(given)
    for layer in ("0", "1"):  # linear, batch norm
        for name in [n for n in given if n.startswith(f"mlp.layers.{layer}.")]:
            made[name.replace("mlp.layers", "head")] = given.pop(name)
    for kind in ("weight", "bias"):
        each = [_take(given, f"classifiers.{step}.{kind}") for step in range(num_steps)]
        made[f"classifiers.{kind}"] = torch.stack(each)
    made |= _gates(given, num_gates)
    left = [name for name in given if not name.endswith("num_batches_tracked")]
    if left:
        raise BenchmarkError(
            f"{len(left)} tensors have no place, first '{left[0]}'",
            where="checkpoint",
            fix="give a checkpoint with a ResNet-50",
        )
    return {n: t.contiguous() for n, t in made.items() if not n.endswith("num_batches_tracked")}


def _backbone(given: dict[str, Tensor]) -> dict[str, Tensor]:
    made = {}
    for name in list(given):
        match = re.fullmatch(r"backbone\.(\d+)\.(.+)", name)
        if match and match[1] in _BACKBONE:
            made[f"backbone:body.{_BACKBONE[match[1]]}.{match[2]}"] = given.pop(name)
    return made


def _gates(given: dict[str, Tensor], num_gates: int) -> dict[str, Tensor]:
    """Stack the gates behind a first one that is never asked: zeros, and a norm that does nothing.

    Batch norms of all steps are one norm here, over the units of step 1, then of step 2, and so on.
    """
    made = {}
    for theirs, ours in _GATE_PARTS.items():
        sign = -1 if theirs == "linear" else 1
        for kind in ("weight", "bias"):
            each = [_take(given, f"exit_selector.{i}.{theirs}.{kind}") for i in range(num_gates)]
            flat = [tensor.flatten(2) if tensor.ndim == 4 else tensor for tensor in each]
            flat = [tensor[..., 0] if tensor.ndim == 3 else tensor for tensor in flat]
            made[f"gates.{ours}.{kind}"] = sign * torch.stack([torch.zeros_like(flat[0]), *flat])
    for number, norm in enumerate(("bn1", "bn2")):
        for kind in ("weight", "bias", "running_mean", "running_var"):
            each = [_take(given, f"exit_selector.{i}.{norm}.{kind}") for i in range(num_gates)]
            fill = torch.ones_like if kind == "running_var" else torch.zeros_like
            made[f"gates.norms.{number}.{kind}"] = torch.cat([fill(each[0]), *each])
    return made


def _take(given: dict[str, Tensor], name: str) -> Tensor:
    if name not in given:
        raise BenchmarkError(f"'{name}' is missing", where="checkpoint", fix="load a whole one")
    return given.pop(name)
