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

# Ops that make a tensor from no other. The rest of them start with `empty` inside PyTorch.
_FACTORIES = (
    "empty.memory_format empty_strided arange arange.start arange.start_step eye eye.m "
    "tril_indices triu_indices"
).split()

_COPIES = frozenset({"aten::copy_", "aten::_to_copy"})
_INDEXING = frozenset(
    f"aten::{name}"
    for name in ("index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index")
)
# Ops beside the element-wise ones that take a number of the CPU for one of their tensors.
_TAKE_NUMBERS = frozenset(
    f"aten::{name}"
    for name in ("fill", "fill_", "index_fill", "index_fill_", "masked_fill", "masked_fill_")
)


@cache
def other_device() -> torch.device:
    """Return the device; from then on `.to(device)` and `device=` give tensors of it."""
    library = Library("aten", "IMPL")
    for name in _FACTORIES:
        packet, _, overload = name.partition(".")
        op = getattr(getattr(torch.ops.aten, packet), overload or "default")
        library.impl(name, _factory(op), "Lazy")
    library.impl("_copy_from", _copied, "Lazy")  # by torch.tensor, behind the wrapper's back
    _LIBRARIES.append(library)
    return _DEVICE


class _OtherTensor(Tensor):
    """A tensor of the other device around one of the CPU."""

    inner: Tensor

    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, inner: Tensor) -> _OtherTensor:
        # A view of a parameter is no inference tensor, even where it is made in inference mode.
        with torch.inference_mode(inner.is_inference()):
            wrapper: _OtherTensor = Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
                cls,
                inner.shape,
                strides=inner.stride(),
                storage_offset=inner.storage_offset(),
                dtype=inner.dtype,
                device=_DEVICE,
            )
        wrapper.inner = inner
        return wrapper

    # With these two, `nn.Module.to` keeps its parameters the same objects, as for a GPU.
    def __tensor_flatten__(self) -> tuple[list[str], None]:
        return ["inner"], None

    @staticmethod
    def __tensor_unflatten__(
        inner: Mapping[str, Tensor], meta: None, size: Any, stride: Any
    ) -> _OtherTensor:
        return _OtherTensor(inner["inner"])

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
    def __torch_dispatch__(
        cls,
        func: OpOverload,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
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
        wrapped = tree_map(
            lambda leaf: _OtherTensor(leaf) if isinstance(leaf, Tensor) else leaf, out
        )
        result = return_and_correct_aliasing(func, args, kwargs, wrapped)
        for leaf in tree_leaves(result):
            if isinstance(leaf, _OtherTensor) and leaf.shape != leaf.inner.shape:
                raise NotImplementedError(f"{func} resizes a tensor, which is not emulated")
        return result


def _unwrapped(leaf: Any) -> Any:
    return leaf.inner if isinstance(leaf, _OtherTensor) else leaf


def _factory(op: OpOverload) -> Callable[..., Tensor]:
    def make(*args: Any, **kwargs: Any) -> Tensor:
        return _OtherTensor(op(*args, **{**kwargs, "device": _CPU}))

    return make


def _copied(source: Tensor, target: Tensor, non_blocking: bool = False) -> Tensor:
    _unwrapped(target).copy_(_unwrapped(source))
    return target


def _refuse_mixture(func: OpOverload, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Raise where CUDA would: numbers, and indices of a tensor of the device, may be the CPU's."""
    name = func._schema.name
    if name in _COPIES:
        return
    numbers = torch.Tag.pointwise in func.tags or name in _TAKE_NUMBERS or name in _INDEXING
    for position, argument in enumerate(func._schema.arguments):
        given = kwargs.get(argument.name, args[position] if position < len(args) else None)
        written = argument.alias_info is not None and argument.alias_info.is_write
        if name in _INDEXING and argument.name == "indices":
            continue
        for tensor in tree_leaves(given):
            if not isinstance(tensor, Tensor) or isinstance(tensor, _OtherTensor):
                continue
            of_device = name in _INDEXING and argument.name == "self"
            if tensor.ndim or not numbers or written or of_device:
                raise RuntimeError(
                    "Expected all tensors to be on the same device, but found at least two "
                    f"devices, {_DEVICE} and cpu! ('{argument.name}' of {name} is on cpu)"
                )
