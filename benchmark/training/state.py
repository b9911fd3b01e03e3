"""The state of a model: every parameter and every buffer, by name.

`Module.state_dict` leaves out buffers that are not persistent. Training may change those too, and a
model that is read from a file must answer as the one that was trained, so they belong to the state.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from benchmark.errors import BenchmarkError

__all__ = ["copy_of", "differing", "model_parts", "put_tensors", "tensors_of"]

Parts = Mapping[str, nn.Module]
"""The modules of a model, by what the names of their tensors begin with."""


def model_parts(method: nn.Module, networks: Mapping[str, nn.Module]) -> dict[str, nn.Module]:
    """Return a method and networks as the parts of one model; a network's prefix is its role."""
    return {"": method, **{f"{role}:": network for role, network in networks.items()}}


def tensors_of(parts: Parts) -> dict[str, Tensor]:
    """Return all parameters and buffers; a tensor that has several names stands under its first."""
    return {
        f"{prefix}{name}": tensor
        for prefix, module in parts.items()
        for name, tensor in (*module.named_parameters(), *module.named_buffers())
    }


def copy_of(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return copies on the CPU that share no memory with each other."""
    return {
        name: torch.empty_like(tensor, device="cpu", memory_format=torch.contiguous_format).copy_(
            tensor.detach()
        )
        for name, tensor in tensors.items()
    }


def differing(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> set[str]:
    """Return the names of tensors that are not equal to the last bit, or only in one of the two.

    Weights that were trained in double precision are compared as the single ones that are used.
    """
    common = one.keys() & other.keys()
    return (one.keys() ^ other.keys()) | {n for n in common if not _equal(one[n], other[n])}


def put_tensors(parts: Parts, tensors: Mapping[str, Tensor]) -> None:
    """Copy tensors into a model.

    A buffer that the model does not have yet, or that is still None, is added to the module that
    its name says.

    Raises:
        BenchmarkError: naming every tensor whose shape differs or whose module does not exist.
    """
    own, faults = tensors_of(parts), []
    for name, tensor in tensors.items():
        if name in own and own[name].shape == tensor.shape:
            with torch.no_grad():
                own[name].copy_(tensor)
        elif name in own:
            shapes = f"{list(tensor.shape)}, and here {list(own[name].shape)}"
            faults.append(f"'{name}' was trained with the shape {shapes}")
        elif not _add_buffer(parts, name, tensor):
            faults.append(f"'{name}' has no place here")
    if faults:
        raise BenchmarkError(
            "; ".join(faults),
            where="the weights of a stage",
            fix="let Stage.params name every parameter on which shapes depend, and give buffers "
            "their final shape in __init__",
        )


def _add_buffer(parts: Parts, name: str, tensor: Tensor) -> bool:
    """Add a buffer to the module that its name says; return whether there is such a module."""
    prefix = next((p for p in parts if p and name.startswith(p)), "")
    path, _, leaf = name.removeprefix(prefix).rpartition(".")
    whole = parts[prefix]
    try:
        module = whole.get_submodule(path)
    except AttributeError:
        return False
    device = next((t.device for t in tensors_of({"": whole}).values()), tensor.device)
    if leaf not in module._buffers and hasattr(module, leaf):
        return False
    module.register_buffer(leaf, tensor.clone().to(device))
    return True


def _equal(one: Tensor, other: Tensor) -> bool:
    """Say whether two tensors have the same shape and, in the narrower type, the same bits."""
    if one.shape != other.shape or one.is_floating_point() != other.is_floating_point():
        return False
    narrow = min(one.dtype, other.dtype, key=lambda dtype: dtype.itemsize)
    both = [t.detach().cpu().to(narrow).contiguous().view(-1) for t in (one, other)]
    return torch.equal(both[0].view(torch.uint8), both[1].view(torch.uint8))
