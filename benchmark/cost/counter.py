"""Counts the multiply-accumulates of the ops that are executed, and nothing else.

Tracing loses what only steers control flow, and module hooks miss functional calls. Here PyTorch
itself hands over every op that it runs, on whichever path the data takes. The price of an op is
about two microseconds, the price of a failed count is nothing: the only state is in the counter.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from types import FrameType, TracebackType
from typing import Any, Self

import torch
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode

from benchmark.cost.ops import FREE, find_rule, short_name
from benchmark.cost.rule import Rule
from benchmark.errors import BenchmarkError

__all__ = ["ExecutedOps", "MacCounter"]

_RULES: dict[OpOverload, Rule | None] = {}


class ExecutedOps(TorchDispatchMode):
    """Reports the MACs of each counted op executed inside `with`.

    A backward pass and what is recomputed for it are not reported: the unit is the forward pass.

    Args:
        record: called with (op name, MACs) after each counted op.

    Raises:
        BenchmarkError: on an op that is neither counted nor declared free; it names the op and
            the path of the module that runs it.
    """

    def __init__(self, record: Callable[[str, int], None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._record = record

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # Saves the two seconds of importing the compiler, which stays away from any active mode.
        return False

    def __torch_dispatch__(
        self,
        func: OpOverload,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Execute one op and report it."""
        try:
            rule = _RULES[func]
        except KeyError:
            rule = _RULES[func] = find_rule(func)
        if rule is FREE:
            return func(*args, **kwargs) if kwargs else func(*args)
        if _in_backward():
            return func(*args, **(kwargs or {}))
        if rule is None:
            return self._open(func, args, kwargs or {})
        out = func(*args, **(kwargs or {}))
        self._record(short_name(func), rule.macs(*rule.sizes(args, out)))
        return out

    def _open(self, func: OpOverload, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Execute the parts of an op that is only a composition of others, or refuse it."""
        with self:
            out = func.decompose(*args, **kwargs)
        if out is NotImplemented:
            raise BenchmarkError(
                f"op {func} is neither counted nor declared free",
                where=_running_module(),
                fix="compute the same with ops of docs/cost.md, or add its closed form, "
                "or its name if it multiplies nothing, to benchmark/cost/ops_*.py",
            )
        return out


class MacCounter:
    """Counts all MACs executed inside `with`; each `with` starts at zero.

    Attributes:
        by_op: MACs of each counted op, by name.
    """

    def __init__(self) -> None:
        self.by_op: dict[str, int] = {}
        self._ops = ExecutedOps(self._add)

    @property
    def total(self) -> int:
        """All MACs, as one integer."""
        return sum(self.by_op.values())

    def _add(self, op: str, macs: int) -> None:
        self.by_op[op] = self.by_op.get(op, 0) + macs

    def __enter__(self) -> Self:
        self.by_op.clear()
        self._ops.__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ops.__exit__(kind, error, trace)  # type: ignore[no-untyped-call]


def _in_backward() -> bool:
    return torch._C._current_graph_task_id() != -1


def _running_module() -> str:
    """Return the path of the module that runs now, e.g. 'Net.gate.0 (Gate)', from the call stack.

    Read on errors only, so that knowing the module costs nothing while counting.
    """
    modules: list[torch.nn.Module] = []
    for frame in _stack(sys._getframe()):
        module = frame.f_locals.get("self")
        if isinstance(module, torch.nn.Module) and module not in modules[:1]:
            modules.insert(0, module)
    if not modules:
        return "outside any module"
    path = [type(modules[0]).__name__]
    for parent, child in pairwise(modules):
        names = [name for name, module in parent.named_modules() if module is child]
        path.append(names[0] if names else f"<{type(child).__name__}>")
    return f"{'.'.join(path)} ({type(modules[-1]).__name__})"


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back
