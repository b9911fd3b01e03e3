"""A check that a method runs where the harness puts it, without a GPU at hand."""

from __future__ import annotations

import copy
import traceback
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from benchmark.checks.other_device import other_device
from benchmark.checks.prediction import row_differences
from benchmark.checks.subject import SEED, Subject, scrambled
from benchmark.checks.world import World
from benchmark.contract import Method
from benchmark.errors import explained

__all__ = ["same_on_other_device"]

_BATCH = 5
_TOLERANCE = 1e-5


def same_on_other_device(subject: Subject) -> list[str]:
    """A method runs on a GPU: nothing that it makes stays behind on the CPU.

    Each variant trains and predicts on an emulated device, which refuses what mixes it with the
    CPU. Losses, gradients and rows are those of the CPU up to rounding.
    """
    subject.leave_if_control("and runs no network")
    faults, here = [], subject.world.own_networks()
    away = here.moved_to(other_device())
    for name, method in subject.ready():
        moved = copy.deepcopy(method).to(other_device())
        try:
            found = [
                *_row_faults(subject, (method, here), (moved, away)),
                *_loss_faults((method, here), (moved, away)),
            ]
        except Exception as fault:
            found = [_where(fault, subject.own_folders)]
        faults += [f"variant '{name}': on another device {what}" for what in found]
    return faults


def _row_faults(
    subject: Subject, first: tuple[Method, World], second: tuple[Method, World]
) -> Iterator[str]:
    expected, found = (
        subject.rows(method, world.test[:_BATCH], stored=False, world=world)
        for method, world in (first, second)
    )
    yield from row_differences(expected, found, first[0])


def _loss_faults(first: tuple[Method, World], second: tuple[Method, World]) -> Iterator[str]:
    for stage in first[0].stages:
        expected, found = (_gradients(*one, stage.name) for one in (first, second))
        for name, tensor in expected.items():
            if not torch.allclose(found[name], tensor, _TOLERANCE, _TOLERANCE, equal_nan=True):
                yield f"stage '{stage.name}' has another {name}"
                break


def _gradients(method: Method, world: World, stage: str) -> dict[str, Tensor]:
    """Return a stage's loss on a batch and the gradients of all parameters, on the CPU."""
    modules = {"": method.train(), **{f"{role}:": net for role, net in world.networks.items()}}
    for module in modules.values():
        module.zero_grad()
    videos = world.videos(world.train[:_BATCH], world.sources(stored=False), SEED, labelled=True)
    with scrambled(SEED):  # dropout
        loss = method.loss(stage, videos)
    loss.backward()  # type: ignore[no-untyped-call]
    return {"loss": loss.detach().cpu()} | {
        f"gradient of {role}{name}": parameter.grad.cpu()
        for role, module in modules.items()
        for name, parameter in module.named_parameters()
        if parameter.grad is not None
    }


def _where(fault: Exception, folders: list[Path]) -> str:
    """Say at which line of the method's code an exception was raised."""
    frames = traceback.extract_tb(fault.__traceback__)
    code = {folder.resolve() for folder in folders}
    own = [frame for frame in frames if Path(frame.filename).resolve().parent in code]
    line = f"`{own[-1].line}` in line {own[-1].lineno} of {own[-1].filename} raises " if own else ""
    return f"{line}{explained(fault)}"
