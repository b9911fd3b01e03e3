"""`python -m benchmark import`: a published checkpoint becomes one that a profile can name.

A method that knows a published layout names it under `importers` in its method.yaml, with the
module of its folder that has `convert(state) -> tensors by the method's own names`.
"""

from __future__ import annotations

import argparse
import importlib
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.errors import BenchmarkError, did_you_mean
from benchmark.experiment.plan import repository_methods
from benchmark.files.sealed import file_sha256
from benchmark.files.text import check_is_file
from benchmark.files.writing import replace_when_complete
from benchmark.methods.discovery import MethodFolder, discover

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["add_arguments", "import_checkpoint", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("layout", help="name of the published layout, such as frameexit-release")
    parser.add_argument("file", type=Path, help="the checkpoint as it was published")
    parser.add_argument("--out", type=Path, help="default: beside it, with .safetensors")
    parser.add_argument("--methods-path", default="", help="further folders of methods")


def run(args: argparse.Namespace) -> int:
    """Convert the file and say how a profile names it."""
    methods = discover(repository_methods(args.methods_path))
    out = args.out or args.file.with_suffix(".safetensors")
    method = import_checkpoint(methods, args.layout, args.file, out)
    released = [n for n, v in method.manifest.variants.items() if v.released]
    print(f"{out}: {out.stat().st_size:,} bytes, of {args.file}")
    print("Name it in a profile, with the dataset that it was trained on:")
    for variant in released:
        print(f"  checkpoints: {{DATASET/{method.name}/{variant}: {out}}}")
    return 0


def import_checkpoint(
    methods: Mapping[str, MethodFolder], layout: str, file: Path, out: Path
) -> MethodFolder:
    """Convert a published checkpoint, and return the method that it belongs to.

    Raises:
        BenchmarkError: for an unknown layout, a file that is no checkpoint or holds more than
            tensors, or one of another layout.
    """
    from safetensors.torch import save_file  # noqa: PLC0415

    owners = {name: m for m in methods.values() for name in m.manifest.importers}
    if layout not in owners:
        raise BenchmarkError(f"no layout '{layout}'{did_you_mean(layout, owners)}", where="import")
    method = owners[layout]
    check_is_file(file)
    module = importlib.import_module(
        f"methods.{method.name}.{method.manifest.importers[layout].removesuffix('.py')}"
    )
    try:
        tensors = module.convert(_read(file))
    except BenchmarkError as fault:
        raise BenchmarkError(fault.what, where=file, fix=fault.fix) from fault
    source = {"layout": layout, "source": file.name, "source_sha256": file_sha256(file)}
    with replace_when_complete(out) as partial:
        save_file(tensors, partial, metadata=source)
    return method


def _read(file: Path) -> dict[str, Tensor]:
    """Read a dictionary of tensors, running none of the code that a pickle may hold."""
    import torch  # noqa: PLC0415

    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as fault:
        reason = str(fault).splitlines()[0] if str(fault) else type(fault).__name__
        raise BenchmarkError(
            f"no checkpoint that can be read safely ({reason})", fix="download it again"
        ) from fault
    if isinstance(state, Mapping) and isinstance(state.get("state_dict"), Mapping):
        state = state["state_dict"]
    if not isinstance(state, Mapping) or not all(
        isinstance(t, torch.Tensor) for t in state.values()
    ):
        raise BenchmarkError("holds other things than tensors", fix="give the state dict alone")
    return dict(state)
