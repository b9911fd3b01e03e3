"""The processes that train a stage together, and what makes several of them equal to one.

Lightning Fabric starts, places and synchronises them, and casts to the precision. What it leaves
open is batch norm: each process would normalise by its own part of the batch. So while several
train, the statistics of every batch norm are those of the whole batch.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from lightning_fabric.strategies.ddp import DDPStrategy
from torch import Tensor
from torch.overrides import TorchFunctionMode

from benchmark.config.learning import Compute, Precision
from benchmark.layers import sum_over_processes

__all__ = ["GlobalBatchNorm", "batch_norm_of", "device_of", "join_processes", "single_process"]


def device_of(compute: Compute) -> torch.device:
    """Return where a single process runs networks."""
    return single_process(accelerator=compute.accelerator).device


def single_process(precision: Precision = "32-true", accelerator: str = "cpu") -> Fabric:
    """Return a process that trains alone."""
    # Named, since it would otherwise look for a cluster to join.
    alone = LightningEnvironment()
    fabric = Fabric(accelerator=accelerator, devices=1, precision=precision, plugins=[alone])
    _make_repeatable(fabric.device)
    return fabric


def join_processes(compute: Compute, precision: Precision) -> Fabric:
    """Meet the other processes that a launcher has started with this one."""
    # Of a method that chooses, some parameters have no part in a batch.
    strategy = DDPStrategy(find_unused_parameters=True)
    fabric = Fabric(
        accelerator=compute.accelerator,
        devices=compute.devices,
        num_nodes=compute.num_nodes,
        strategy=strategy,
        precision=precision,
    )
    _make_repeatable(fabric.device)
    fabric.launch()
    return fabric


def _make_repeatable(device: torch.device) -> None:
    """Have CUDA compute float32 in float32, and the same bytes each time.

    TF32 keeps 10 bits of a factor: an error near the 1e-3 to which the audit holds scores, and
    large enough to decide exits, while cuDNN takes it for convolutions unless told otherwise. What
    is computed in bfloat16 is left as it is. The fastest of cuDNN's algorithms, and sums by atomic
    additions, differ from run to run, and a stage that is resumed must end in the same weights.
    An op without a repeatable form warns and runs.
    """
    if device.type != "cuda":
        return
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when CUDA starts
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def batch_norm_of(fabric: Fabric) -> AbstractContextManager[Any]:
    """Return the context in which batch norms see the whole batch."""
    return GlobalBatchNorm() if fabric.world_size > 1 else nullcontext()


class GlobalBatchNorm(TorchFunctionMode):
    """Inside, batch norm in training takes mean and variance over the batch of all processes.

    The arithmetic of `torch.nn.SyncBatchNorm`, on any device and for any module that calls
    `torch.nn.functional.batch_norm`, as timm's norms with activation do.
    """

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Replace batch norm, and leave everything else alone."""
        kwargs = dict(kwargs or {})
        if function is F.batch_norm:
            return _batch_norm(*args, **kwargs)
        return function(*args, **kwargs)


def _batch_norm(  # noqa: PLR0917  (the signature of what it stands for)
    inputs: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise `[N, C, ...]` by statistics over N and all positions, of all processes."""
    if not training:
        return F.batch_norm(inputs, running_mean, running_var, weight, bias, False, momentum, eps)
    values = inputs if inputs.dtype == torch.float64 else inputs.float()
    others = [axis for axis in range(values.ndim) if axis != 1]
    shape = [1, -1, *(1 for _ in others[1:])]
    sums = torch.cat([values.sum(others), values.new_tensor([values.numel() / values.shape[1]])])
    sums = sum_over_processes(sums)
    count = sums[-1].detach()
    mean = sums[:-1] / count
    centred = values - mean.view(shape)
    var = sum_over_processes(centred.square().sum(others)) / count
    with torch.no_grad():
        if running_mean is not None and running_var is not None:
            running_mean.lerp_(mean.to(running_mean.dtype), momentum)
            running_var.lerp_((var * count / (count - 1)).to(running_var.dtype), momentum)
    normed = centred * torch.rsqrt(var + eps).view(shape)
    if weight is not None:
        normed = normed * weight.view(shape)
    if bias is not None:
        normed = normed + bias.view(shape)
    result: Tensor = normed.to(inputs.dtype)
    return result
