"""A device for machines that have none but the CPU: it computes there and refuses what a GPU would.

Its tensors wrap tensors of the CPU and are of a device of their own, PyTorch's 'lazy' type, whose
kernels nobody else loads. An op that takes tensors of both devices is an error, with the exceptions
that CUDA makes; everything else runs on what is wrapped, so that the numbers are those of the CPU.
No mode has to be active: tensors of threads and of backward passes are seen too.

What it cannot show: kernels that round otherwise, lower precision, and ops that choose another
algorithm where a tensor says that it is CUDA's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch.library import Library
from torch.utils._python_dispatch import return_and_correct_aliasing
from torch.utils._pytree import tree_leaves, tree_map

__all__ = ["other_device"]

_DEVICE = torch.device("lazy", 0)
_CPU = torch.device("cpu")
_LIBRARIES: list[Library] = []
"""Kernels last as long as what registered them."""

_Args = tuple[Any, ...]
_Kwargs = dict[str, Any]


def _aten(names: str) -> tuple[str, ...]:
    return tuple(f"aten::{name}" for name in names.split())


# Ops that make a tensor from no other. The rest of them start with `empty` inside PyTorch.
_FACTORIES = _aten(
    "empty.memory_format empty_strided arange arange.start arange.start_step eye eye.m "
    "tril_indices triu_indices"
)
_COPIES = frozenset(_aten("copy_ _to_copy"))
_INDEXING = frozenset(_aten("index index_put index_put_ _index_put_impl_ _unsafe_index"))
# Ops beside the element-wise ones that take a number of the CPU for one of their tensors.
_TAKE_NUMBERS = frozenset(_aten("fill fill_ index_fill index_fill_ masked_fill masked_fill_"))


@cache
def other_device() -> torch.device:
    """Return the device; from then on `.to(device)` and `device=` give tensors of it."""
    library: Any = Library("aten", "IMPL")  # type: ignore[no-untyped-call]
    for name in _FACTORIES:
        packet, _, overload = name.removeprefix("aten::").partition(".")
        op = getattr(getattr(torch.ops.aten, packet), overload or "default")
        library.impl(name, _factory(op), "Lazy")
    library.impl("_copy_from", _copied, "Lazy")  # by torch.tensor, behind the wrapper's back
    _LIBRARIES.append(library)
    return _DEVICE


class _OtherTensor(Tensor):
    """A tensor of the other device around one of the CPU."""

    held: Tensor

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @staticmethod
    def __new__(cls, held: Tensor) -> _OtherTensor:
        # A view of a parameter is no inference tensor, even where it is made in inference mode.
        with torch.inference_mode(held.is_inference()):
            wrapper: _OtherTensor = Tensor._make_wrapper_subclass(
                cls,
                held.shape,
                strides=held.stride(),
                storage_offset=held.storage_offset(),
                dtype=held.dtype,
                device=_DEVICE,
            )
        wrapper.held = held
        return wrapper

    # With these two, `nn.Module.to` keeps its parameters the same objects, as for a GPU.
    def __tensor_flatten__(self) -> tuple[list[str], None]:
        return ["held"], None

    @staticmethod
    def __tensor_unflatten__(
        parts: Mapping[str, Tensor], meta: None, size: Any, stride: Any
    ) -> _OtherTensor:
        return _OtherTensor(parts["held"])

    def numpy(self, *, force: bool = False) -> Any:
        """Refuse, as a tensor of a GPU does."""
        if force:
            return self.detach().cpu().numpy()
        raise TypeError(
            f"can't convert {_DEVICE} device type tensor to numpy. Use Tensor.cpu() to copy the "
            "tensor to host memory first."
        )

    def tolist(self) -> Any:
        """Copy to the CPU, as a tensor of a GPU does."""
        return self.cpu().tolist()

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls,
        func: OpOverload,
        types: Sequence[type],
        args: _Args = (),
        kwargs: _Kwargs | None = None,
    ) -> Any:
        """Run one op on what its tensors wrap."""
        kwargs = kwargs or {}
        if func._can_decompose():  # as without inference mode, where only its parts arrive
            return func.decompose(*args, **kwargs)
        _refuse_mixture(func, args, kwargs)
        wanted = kwargs.get("device")
        inside = kwargs if wanted is None else {**kwargs, "device": _CPU}
        out = func(*tree_map(_unwrapped, args), **tree_map(_unwrapped, inside))
        if wanted is not None and torch.device(wanted).type == "cpu":
            return out
        result = return_and_correct_aliasing(  # type: ignore[no-untyped-call]
            func, args, kwargs, tree_map(_wrapped, out)
        )
        for leaf in tree_leaves(result):
            if isinstance(leaf, _OtherTensor) and leaf.shape != leaf.held.shape:
                raise NotImplementedError(f"{func} resizes a tensor, which is not emulated")
        return result


def _wrapped(leaf: Any) -> Any:
    return _OtherTensor(leaf) if isinstance(leaf, Tensor) else leaf


def _unwrapped(leaf: Any) -> Any:
    return leaf.held if isinstance(leaf, _OtherTensor) else leaf


def _factory(op: OpOverload) -> Callable[..., Tensor]:
    def make(*args: Any, **kwargs: Any) -> Tensor:
        return _OtherTensor(op(*args, **{**kwargs, "device": _CPU}))

    return make


def _copied(source: Tensor, target: Tensor, non_blocking: bool = False) -> Tensor:
    _unwrapped(target).copy_(_unwrapped(source))
    return target


def _refuse_mixture(func: OpOverload, args: _Args, kwargs: _Kwargs) -> None:
    """Raise where CUDA would: numbers, and indices of a tensor of the device, may be the CPU's."""
    name = func._schema.name
    if name in _COPIES:
        return
    indexes = name in _INDEXING
    takes_numbers = indexes or name in _TAKE_NUMBERS or torch.Tag.pointwise in func.tags
    for position, argument in enumerate(func._schema.arguments):
        given = kwargs.get(argument.name, args[position] if position < len(args) else None)
        if indexes and argument.name == "indices":
            continue
        written = argument.alias_info is not None and argument.alias_info.is_write
        number_will_do = takes_numbers and not written and not (indexes and position == 0)
        for tensor in tree_leaves(given):
            of_cpu = isinstance(tensor, Tensor) and not isinstance(tensor, _OtherTensor)
            if of_cpu and not (number_will_do and tensor.ndim == 0):
                raise RuntimeError(
                    "Expected all tensors to be on the same device, but found at least two "
                    f"devices, {_DEVICE} and cpu! ('{argument.name}' of {name} is on cpu)"
                )
