"""The command line: `python -m benchmark …`."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from benchmark.errors import BenchmarkError
from benchmark.jobs.server import forward

__all__ = ["main"]

# Each command is the module of its name in `benchmark.commands`; `import` is a word of Python.
_COMMANDS = {
    "manifest": "list and check the videos of a dataset",
    "plan": "videos, disk, MACs and hours of a profile, before anything runs",
    "cost": "count a network's MACs with five counters",
    "audit": "replay finished runs alone, from pixels",
    "new-method": "write the folder of a new method",
    "check": "check methods: the contract, on videos in memory",
    "import": "make a published checkpoint one that a profile can name",
    "track": "bring MLflow up to date with a finished run",
    "verify": "derive all numbers again; which table is stale?",
    "schemas": "write the JSON schemas of settings and results",
    "show": "print a table of a finished run, or its videos",
    "job": "one job of the workflow (called by it)",
    "serve": "runs jobs without starting anew (called by the workflow)",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 well, 1 a fault that was explained, 2 bad usage."""
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["job"]:  # before anything is imported
        code = forward(argv)
        if code is not None:
            return code
    args = _parser(argv).parse_args(argv)
    try:
        code = int(args.run(args))
    except BenchmarkError as fault:
        print(f"error: {fault}", file=sys.stderr)
        return 1
    except OSError as fault:  # a file that the user names: missing, of another kind, locked away
        if fault.filename is None:
            raise
        fix = "name another path, or correct what lies there or its permissions"
        print(f"error: {fault.filename}: {fault.strerror}. Fix: {fix}", file=sys.stderr)
        return 1
    return code


def _parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser; of all commands only the one that is asked for is imported."""
    parser = argparse.ArgumentParser(prog="python -m benchmark", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, help_text in _COMMANDS.items():
        command = commands.add_parser(name, help=help_text)
        if name in argv[:1]:
            file = {"import": "import_checkpoint"}.get(name, name.replace("-", "_"))
            module = importlib.import_module(f"benchmark.commands.{file}")
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    return parser
