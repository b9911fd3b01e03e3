"""The command line: `python -m benchmark …`."""

from __future__ import annotations

import argparse
import os
import socket
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmark.arguments import numbers
from benchmark.errors import BenchmarkError, did_you_mean
from benchmark.job_server import forward, serve
from benchmark.threads import thread_settings

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 well, 1 a fault that was explained, 2 bad usage."""
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["job"]:  # before anything is imported
        code = forward(argv)
        if code is not None:
            return code
    args = _parser().parse_args(argv)
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmark", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    from benchmark import importing, tracking_command  # noqa: PLC0415
    from benchmark.checks import command as check_command  # noqa: PLC0415
    from benchmark.cost import compare  # noqa: PLC0415
    from benchmark.data import manifest_command  # noqa: PLC0415
    from benchmark.evaluation import audit_command  # noqa: PLC0415
    from benchmark.planning import command as plan_command  # noqa: PLC0415
    from benchmark.scaffold import new_method  # noqa: PLC0415
    from benchmark.verification import command as verify_command  # noqa: PLC0415

    modules = {
        "manifest": (manifest_command, "list and check the videos of a dataset"),
        "plan": (plan_command, "videos, disk, MACs and hours of a profile, before anything runs"),
        "cost": (compare, "count a network's MACs with five counters"),
        "audit": (audit_command, "replay finished runs alone, from pixels"),
        "new-method": (new_method, "write the folder of a new method"),
        "check": (check_command, "check methods: the contract, on videos in memory"),
        "import": (importing, "make a published checkpoint one that a profile can name"),
        "track": (tracking_command, "bring MLflow up to date with a finished run"),
        "verify": (verify_command, "derive all numbers again; which table is stale?"),
    }
    for name, (module, help_text) in modules.items():
        command = commands.add_parser(name, help=help_text)
        module.add_arguments(command)
        command.set_defaults(run=module.run)

    schema = commands.add_parser("schemas", help="write the JSON schemas of settings and results")
    schema.add_argument("--folder", type=Path, help="default: workflow/schemas")
    schema.set_defaults(run=_schemas)

    show = commands.add_parser("show", help="print a table of a finished run, or its videos")
    show.add_argument("table", nargs="?", default="table1", help="'videos': what was found of them")
    show.add_argument("--profile", default="builtin")
    show.add_argument("--results", default="results")
    show.set_defaults(run=_show)

    job = commands.add_parser("job", help="one job of the workflow (called by it)")
    job.add_argument("stage")
    job.add_argument("--config", type=Path, required=True)
    job.add_argument("--dataset", default="")
    job.add_argument("--method", default="")
    job.add_argument("--item", default="")
    job.add_argument("--part", type=int, help="of the jobs that share a dataset, from 0")
    job.add_argument("--seeds", type=numbers, help="such as 0-1-2; default: all of the profile's")
    job.add_argument("--threads", type=int, default=1)
    job.add_argument("--log", type=Path)
    job.set_defaults(run=_job)

    server = commands.add_parser("serve", help="runs jobs without starting anew (called by it)")
    server.add_argument("listener", type=int, help="the number of a socket that it inherits")
    server.set_defaults(run=_serve)
    return parser


def _serve(args: argparse.Namespace) -> int:
    listener = socket.socket(fileno=args.listener)
    serve(listener, lambda argv: _job(_parser().parse_args(argv)))
    return 0


def _job(args: argparse.Namespace) -> int:
    # Before any numerical library is imported, so that none starts more threads than it may.
    os.environ.update(thread_settings(args.threads))

    from benchmark.gpus import assigned_gpus, num_gpus  # noqa: PLC0415
    from benchmark.jobs import Job, read_resolved, run_job  # noqa: PLC0415
    from benchmark.lifetime import end_with_workflow  # noqa: PLC0415
    from benchmark.progress import JobFailedError, JobLog  # noqa: PLC0415

    part = "" if args.part is None else f"part {args.part}"
    words = [args.stage, args.dataset, args.method, args.item, part]
    words.append(args.seeds and f"seeds {'-'.join(map(str, args.seeds))}")
    end_with_workflow()
    try:
        log = JobLog(" ".join(filter(None, words)), args.log)
        with log.explaining():
            config = read_resolved(args.config)
            seeds = args.seeds or config.seeds
            names = (args.dataset, args.method, args.item)
            job = Job(config, log, *names, seeds, args.threads, args.part or 0)
            with ExitStack() as held:
                if num := num_gpus(args.stage, config.compute):
                    optional = config.compute.accelerator == "auto"
                    held.enter_context(assigned_gpus(num, log.title, log.write, optional=optional))
                run_job(args.stage, job)
    except JobFailedError:
        return 1
    except BenchmarkError as fault:  # of the log itself
        print(f"error: {fault}", file=sys.stderr)
        return 1
    return 0


def _schemas(args: argparse.Namespace) -> int:
    from benchmark.schemas import write_schemas  # noqa: PLC0415

    for path in write_schemas(args.folder):
        print(path)
    return 0


def _show(args: argparse.Namespace) -> int:
    from benchmark.data.manifest_report import print_reports  # noqa: PLC0415
    from benchmark.jobs import finished_plan  # noqa: PLC0415
    from benchmark.reporting.paper import load_paper  # noqa: PLC0415
    from benchmark.reporting.tables import print_table  # noqa: PLC0415

    known = [*load_paper().tables, "videos"]
    if args.table not in known:
        raise BenchmarkError(f"no table '{args.table}'{did_you_mean(args.table, known)}")
    plan = finished_plan(args.results, args.profile)
    if args.table == "videos":
        print_reports(plan.config)
        return 0
    print_table(plan.config, dict(plan.methods), args.table)
    return 0
