"""`python -m benchmark track`: brings an MLflow store up to date with a finished run."""

from __future__ import annotations

import argparse

from benchmark.tracking.mirror import mirror_plan

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--profile", default="builtin")
    parser.add_argument("--results", default="results")
    parser.add_argument(
        "--uri",
        default="",
        help="the store, if not the one of the profile or of MLFLOW_TRACKING_URI",
    )


def run(args: argparse.Namespace) -> int:
    """Mirror, say what was done, and return 1 where the store could not be brought up to date."""
    from benchmark.experiment.finished import finished_plan  # noqa: PLC0415

    report = mirror_plan(finished_plan(args.results, args.profile), args.uri)
    print(report)
    return int(bool(report.reason))
