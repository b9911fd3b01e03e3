"""`python -m benchmark plan`: what a profile will take, before anything runs.

Nothing is read but the manifests, where they are there, and nothing is written but the calibration
beside the profile's results.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from benchmark.config.load import load_profile, overrides_of
from benchmark.estimate.ranges import Range
from benchmark.files.writing import write_json

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to `parser`."""
    parser.add_argument(
        "--config",
        action="extend",
        nargs="+",
        default=[],
        metavar="KEY=VALUE",
        help="as snakemake takes them: profile=paper hvu_root=DIR …",
    )
    parser.add_argument(
        "--gmacs-per-second",
        type=_range,
        metavar="X",
        help="10^9 MACs a second of the device that you have, or two bounds: 15000-30000",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write it for programs")


def run(args: argparse.Namespace) -> int:
    """Print the plan and return the exit code 0.

    Raises:
        BenchmarkError: for faults of the settings or methods, and for a dataset of which neither
            a manifest nor a descriptor is there.
    """
    config = load_profile(overrides_of(args.config), folders_named=False)
    # The parser of all commands need not wait for torch.
    from benchmark.estimate.total import whole_plan  # noqa: PLC0415
    from benchmark.experiment.plan import make_plan  # noqa: PLC0415

    document = whole_plan(make_plan(config), args.gmacs_per_second)
    if args.json is not None:
        write_json(args.json, document.json())
    print(document.text())
    return 0


def _range(text: str) -> Range:
    """Read one number, or two with a dash between."""
    try:
        bounds = [float(part) for part in text.split("-")]
    except ValueError:
        bounds = []
    if len(bounds) not in (1, 2) or not 0 < bounds[0] <= bounds[-1] < math.inf:
        raise argparse.ArgumentTypeError(f"'{text}' is neither a number nor two, as 15000-30000")
    return Range(bounds[0], bounds[-1])
