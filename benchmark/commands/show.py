"""`python -m benchmark show`: a table of a finished run, in the terminal."""

from __future__ import annotations

import argparse

from benchmark.errors import BenchmarkError, did_you_mean

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add("table", nargs="?", default="table1", help="'videos': what was found of them")
    add("--profile", default="builtin")
    add("--results", default="results")


def run(args: argparse.Namespace) -> int:
    """Print the table; 0 unless it is missing."""
    from benchmark.data.manifest.report import print_reports  # noqa: PLC0415
    from benchmark.experiment.finished import finished_plan  # noqa: PLC0415
    from benchmark.experiment.paper import load_paper  # noqa: PLC0415
    from benchmark.reporting.tables.tables import print_table  # noqa: PLC0415

    known = [*load_paper().tables, "videos"]
    if args.table not in known:
        raise BenchmarkError(f"no table '{args.table}'{did_you_mean(args.table, known)}")
    plan = finished_plan(args.results, args.profile)
    if args.table == "videos":
        print_reports(plan.config)
        return 0
    print_table(plan.config, dict(plan.methods), args.table)
    return 0
