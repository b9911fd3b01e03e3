"""`python -m benchmark serve`: the process of a run that its jobs are forks of."""

from __future__ import annotations

import argparse
import socket
from collections.abc import Sequence

from benchmark.commands import job
from benchmark.jobs.server import serve

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("listener", type=int, help="the number of a socket that it inherits")


def run(args: argparse.Namespace) -> int:
    """Answer jobs until the workflow ends."""
    serve(socket.socket(fileno=args.listener), _job)
    return 0


def _job(argv: Sequence[str]) -> int:
    """Do the job of a command line, whose first word is the command's name."""
    parser = argparse.ArgumentParser(prog="python -m benchmark job")
    job.add_arguments(parser)
    return job.run(parser.parse_args(argv[1:]))
