"""`python -m benchmark check`: the same checks for every method, a line each."""

from __future__ import annotations

import argparse
import time
from collections import Counter
from pathlib import Path

from benchmark.errors import BenchmarkError, did_you_mean, raise_all
from benchmark.files.repository import REPOSITORY

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add("names", nargs="*", metavar="NAME", help="methods; default: all that are found")
    add("--methods-path", default="", metavar="DIR[:DIR]", help="folders of further methods")
    add("--explain", action="store_true", help="say what each check protects")


def run(args: argparse.Namespace) -> int:
    """Print a line for each check of each method; 1 if any failed."""
    import torch  # noqa: PLC0415

    from benchmark.checks.run import check_method, explanation  # noqa: PLC0415
    from benchmark.methods.discovery import discover  # noqa: PLC0415

    torch.set_num_threads(1)  # tensors this small are faster on one
    outside = [Path(part) for part in args.methods_path.split(":") if part]
    methods = discover([REPOSITORY / "methods", *outside])
    unknown = [name for name in args.names if name not in methods]
    raise_all(
        [BenchmarkError(f"no method '{name}'{did_you_mean(name, methods)}") for name in unknown],
        "the names",
    )
    counts: Counter[str] = Counter()
    names = args.names or list(methods)
    for name in names:
        started = time.monotonic()
        print(name, flush=True)
        for outcome in check_method(methods[name], methods, names):
            counts[outcome.status] += 1
            print(f"  {outcome.check:17} {outcome}", flush=True)
            if args.explain or outcome.status == "FAILED":
                print(f"  {'':17} ({explanation(outcome.check)})")
        print(f"  {time.monotonic() - started:.1f} s", flush=True)
    print(", ".join(f"{number} {status}" for status, number in counts.items()))
    return int(counts["FAILED"] > 0)
