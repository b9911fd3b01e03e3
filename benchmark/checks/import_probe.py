"""Imports methods in a process of its own and says what each import changed.

Called by the check 'import' as `python -m benchmark.checks.import_probe ROOTS NAME …`; prints a
line of JSON for each name.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import random
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmark.errors import BenchmarkError
from benchmark.files.repository import REPOSITORY

__all__ = ["import_faults"]

_MARK = "import probe: "


def import_faults(roots: Sequence[Path], names: Sequence[str]) -> dict[str, list[str]]:
    """Import methods, all in one fresh interpreter, and return what each import changed.

    Args:
        roots: folders of methods.
        names: of the methods to import.

    Returns:
        sentences by name; a method whose import does not end, or ends Python, is among them.

    Raises:
        BenchmarkError: if the interpreter ends before all are imported.
    """
    package = str(REPOSITORY)
    path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH", "")]))
    ended = subprocess.run(
        [sys.executable, "-B", "-m", __name__, os.pathsep.join(map(str, roots)), *names],
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in ended.stdout.splitlines() if line.startswith(_MARK)]
    found: dict[str, list[str]] = dict(json.loads(line[len(_MARK) :]) for line in lines)
    if len(found) < len(names):
        words = ended.stderr.strip().splitlines()[-1:] or ["no word"]
        what = f"the import of methods ended with exit code {ended.returncode}: {words[0]}"
        raise BenchmarkError(what)
    return found


def _main(roots: str, names: Sequence[str]) -> None:
    import torch  # noqa: PLC0415  (imported by none but the probe itself)

    import benchmark.evaluation.early_exit  # noqa: PLC0415
    from benchmark.checks.watch import watched  # noqa: PLC0415
    from benchmark.errors import explained  # noqa: PLC0415
    from benchmark.methods.discovery import discover  # noqa: PLC0415
    from benchmark.methods.loading import check_import, import_method  # noqa: PLC0415

    del benchmark.evaluation.early_exit, torch
    methods = discover([Path(root) for root in roots.split(os.pathsep)])
    for name in names:
        before = _global_state()
        try:
            check_import(methods[name])
        except BenchmarkError as fault:
            print(f"{_MARK}{json.dumps([name, [explained(fault)]])}", flush=True)
            continue
        with watched() as faults:
            try:
                import_method(methods[name])
            except Exception as fault:
                faults.append(explained(fault))
        after = _global_state()
        faults += [f"changes {what}" for what in before if before[what] != after[what]]
        print(f"{_MARK}{json.dumps([name, faults])}", flush=True)


def _global_state() -> Mapping[str, object]:
    import numpy as np  # noqa: PLC0415
    import torch  # noqa: PLC0415

    numbers = np.random.get_state(legacy=False)
    return {
        "torch's random generator": _digest(torch.get_rng_state().numpy().tobytes()),
        "numpy's random generator": _digest(pickle.dumps(numbers)),
        "Python's random generator": _digest(repr(random.getstate()).encode()),
        "the default dtype": str(torch.get_default_dtype()),
        "the default device": str(torch.get_default_device()),
        "the number of threads": (torch.get_num_threads(), torch.get_num_interop_threads()),
        "whether gradients are computed": torch.is_grad_enabled(),
        "which algorithms are allowed": torch.are_deterministic_algorithms_enabled(),
        "the environment variables": _digest(repr(sorted(os.environ.items())).encode()),
    }


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2:])
