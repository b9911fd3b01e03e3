"""`python -m benchmark verify`: are the numbers of a finished profile still those of its files?"""

from __future__ import annotations

import argparse

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add("--profile", default="builtin")
    add("--results", default="results")
    add("--quick", action="store_true", help="believe videos and frames without hashing them")


def run(args: argparse.Namespace) -> int:
    """Print a line for each table and figure; 1 if any is stale."""
    from benchmark.experiment.finished import finished_plan  # noqa: PLC0415
    from benchmark.verification.verify import verify  # noqa: PLC0415

    return verify(finished_plan(args.results, args.profile), quick=args.quick)
