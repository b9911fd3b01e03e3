"""`python -m benchmark job STAGE`: one job, as the workflow calls it."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import ExitStack
from pathlib import Path

from benchmark.commands.arguments import numbers
from benchmark.errors import BenchmarkError
from benchmark.machine import thread_settings

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add("stage")
    add("--config", type=Path, required=True)
    add("--dataset", default="")
    add("--method", default="")
    add("--item", default="")
    add("--part", type=int, help="of the jobs that share a dataset, from 0")
    add("--seeds", type=numbers, help="such as 0-1-2; default: all of the profile's")
    add("--threads", type=int, default=1)
    add("--log", type=Path)


def run(args: argparse.Namespace) -> int:
    """Do the job; 1 if it failed, which its log explains."""
    # Before any numerical library is imported, so that none starts more threads than it may.
    os.environ.update(thread_settings(args.threads))

    from benchmark.experiment.finished import read_resolved  # noqa: PLC0415
    from benchmark.experiment.resources import num_gpus  # noqa: PLC0415  # noqa: PLC0415
    from benchmark.jobs import Job, run_job  # noqa: PLC0415
    from benchmark.jobs.gpus import assigned_gpus  # noqa: PLC0415
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
