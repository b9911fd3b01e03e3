"""Files of tensors that say whether they are as they were written; see `benchmark.files.sealed`.

They are safetensors files, which any other program reads too. Their metadata hold a single key,
since those of several stand in random order: a JSON record of what the tensors are, with the seal.
It covers the tensors, the rest of the record, and the file's name: the file of another seed or
network, laid in the place of this one, is found out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors import SafetensorError, safe_open

from benchmark.errors import DamagedFileError
from benchmark.files.sealed import seal_of
from benchmark.files.writing import replace_when_complete

if TYPE_CHECKING:  # whoever only asks where tensors come from starts a second earlier
    from torch import Tensor

__all__ = ["described_tensors", "load_sealed_tensors", "save_sealed_tensors"]

_RECORD, _SEAL = "record", "seal"


def save_sealed_tensors(
    path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None
) -> None:
    """Write tensors of any device, whole or not at all."""
    from safetensors.torch import save_file  # noqa: PLC0415

    said = dict(metadata or {})
    own = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()}
    with replace_when_complete(path) as partial:
        record = json.dumps({**said, _SEAL: _seal(path, own, said)})
        save_file(own, partial, metadata={_RECORD: record})


def load_sealed_tensors(path: Path, fix: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read tensors and what the metadata says of them.

    Args:
        path: of the file.
        fix: how to make it again, for messages.

    Raises:
        DamagedFileError: if the file was changed, or was written in another place.
        FileNotFoundError: if there is none.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            said = _record(file.metadata())
    except (SafetensorError, ValueError) as fault:
        what = f"no whole file of tensors ({fault})"
        raise DamagedFileError(what, where=path, fix=fix) from fault
    if said.pop(_SEAL, None) != _seal(path, tensors, said):
        what = "the tensors are not those that were written here: the file was changed or exchanged"
        raise DamagedFileError(what, where=path, fix=fix)
    return tensors, said


def described_tensors(path: Path) -> dict[str, str]:
    """Return what a file says of its tensors, without reading them; nothing of a broken file."""
    try:
        with safe_open(path, framework="np") as file:
            return _record(file.metadata())
    except (OSError, SafetensorError, ValueError):
        return {}


def _record(metadata: Mapping[str, str] | None) -> dict[str, str]:
    return dict(json.loads((metadata or {}).get(_RECORD, "{}")))


def _seal(path: Path, tensors: Mapping[str, Tensor], said: Mapping[str, str]) -> str:
    import torch  # noqa: PLC0415

    own_name = path.name.removeprefix(".").partition(".safetensors")[0]  # also while it is partial
    whole = hashlib.sha256(seal_of([own_name, said]).encode())
    for name, tensor in sorted(tensors.items()):
        whole.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        whole.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return whole.hexdigest()
