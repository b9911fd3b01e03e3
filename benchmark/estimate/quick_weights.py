"""Random weights in no time: nothing depends on which numbers they are where work is counted.

Drawing the 150 million weights of FrameExit's classifiers for HVU's tags takes seconds each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode

__all__ = ["QUICK_WEIGHTS"]

_LARGE = 100_000
_DRAWS = {torch.ops.aten.uniform_.default, torch.ops.aten.normal_.default}


class _QuickWeights(TorchDispatchMode):
    """Inside `with`, large tensors that are drawn share the numbers of the largest so far.

    Networks that were built so can run, and cannot be trained.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._numbers = torch.zeros(0)

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # spares the import of the compiler, as in `benchmark.cost.counter`

    def __torch_dispatch__(
        self,
        func: OpOverload,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Execute one op; lay a large draw over numbers that were drawn before."""
        if func not in _DRAWS or args[0].numel() < _LARGE or not args[0].is_contiguous():
            return func(*args, **(kwargs or {}))
        tensor: Tensor = args[0]
        if len(self._numbers) < tensor.numel():
            draw = torch.Generator().manual_seed(0)
            some = torch.empty(_LARGE).uniform_(-0.02, 0.02, generator=draw)
            self._numbers = some.repeat(-(-tensor.numel() // _LARGE))
        return tensor.set_(self._numbers.untyped_storage(), 0, tensor.shape, tensor.stride())


QUICK_WEIGHTS = _QuickWeights()
