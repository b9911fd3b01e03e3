"""`python -m benchmark track`: brings an MLflow store up to date with a finished run."""

from __future__ import annotations

import argparse

from benchmark.layout import Layout
from benchmark.plan import Plan
from benchmark.tracking import MirrorReport, mirror

__all__ = ["add_arguments", "mirror_plan", "run"]


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
    from benchmark.jobs import finished_plan  # noqa: PLC0415

    report = mirror_plan(finished_plan(args.results, args.profile), args.uri)
    print(report)
    return int(bool(report.reason))


def mirror_plan(plan: Plan, uri: str = "") -> MirrorReport:
    """Bring MLflow to the state of a profile's files.

    Args:
        plan: the profile's.
        uri: the store, if not the one that the profile or the environment names.

    Raises:
        BenchmarkError: if there are no results, or some cannot be read.
    """
    config, layout = plan.config, Layout.of(plan.config)
    if uri:
        config = config.model_copy(update={"mlflow_uri": uri})
    manifests = {name: layout.manifest(name) for name in config.datasets}
    wanted = {key for pair in plan.variants for key in plan.runs(*pair)}
    return mirror(config, layout.runs, layout.tables, manifests, wanted)
