"""`python -m benchmark audit`: replays a sample of a finished profile, one video at a time."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from benchmark.commands.arguments import at_least
from benchmark.errors import BenchmarkError, did_you_mean

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add("methods", nargs="*", metavar="METHOD", help="default: all that ran")
    add("--profile", default="builtin")
    add("--results", default="results")
    add("--videos", type=at_least(1), default=16, help="videos replayed for each run")
    add("--seed", type=int, help="default: the profile's first")


def run(args: argparse.Namespace) -> int:
    """Print a line for each run, and what disagrees; 1 if anything does."""
    worst = 0
    for title, faults in _audits(args):
        print(f"{'FAILED' if faults else 'agrees'}  {title}")
        for fault in faults:
            print(f"        {fault}")
        worst = max(worst, int(bool(faults)))
    return worst


def _audits(args: argparse.Namespace) -> Iterator[tuple[str, list[str]]]:
    from benchmark.evaluation.exit_controls import audit_stored  # noqa: PLC0415
    from benchmark.experiment.finished import finished_plan  # noqa: PLC0415

    plan = finished_plan(args.results, args.profile)
    for name in args.methods:
        if name not in plan.methods:
            raise BenchmarkError(f"no method '{name}'{did_you_mean(name, plan.methods)}")
    if args.seed not in (None, *plan.config.seeds):
        known = ", ".join(map(str, plan.config.seeds))
        raise BenchmarkError(f"the profile has no seed {args.seed} (known: {known})")
    seed = plan.config.seeds[0] if args.seed is None else args.seed
    for dataset, method in plan.variants:
        if args.methods and method not in args.methods:
            continue
        for key in plan.runs(dataset, method):
            if key.seed == seed:
                title = f"{dataset}/{method}/{key.variant}, {args.videos} videos"
                yield title, audit_stored(plan, key, args.videos)
