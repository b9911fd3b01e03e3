"""One of the processes that train a stage together: `python -m … .worker FILE`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from benchmark.errors import explained
from benchmark.experiment.plan import make_plan
from benchmark.files.writing import write_text
from benchmark.lifetime import end_with_parent
from benchmark.methods.blame import is_of_method
from benchmark.progress import JobLog
from benchmark.training.distributed.processes import join_processes
from benchmark.training.distributed.request import Cause, StageRequest
from benchmark.training.trainer import Trainer

__all__ = ["run"]


def run(path: Path) -> None:
    """Train what a request asks for, as one of its processes."""
    request = StageRequest.load(path)
    config = request.config
    fabric = join_processes(config.compute, config.training.precision)
    title = f"train {request.method} on {request.dataset}"
    log = JobLog(title, None, quiet=not fabric.is_global_zero)
    plan = make_plan(config)
    trainer = Trainer(plan, request.dataset, request.method, log, fabric.device)
    trainer.folder = request.folder
    trainer.train(request.variant, request.number, request.seed, request.fold, fabric)
    fabric.barrier()


if __name__ == "__main__":
    end_with_parent(os.getppid())
    asked = Path(sys.argv[1])
    try:
        run(asked)
    except Exception as fault:
        causes = asked.with_suffix(".cause")
        if not causes.exists():  # the others fail because one did
            folders = make_plan(StageRequest.load(asked).config).method_folders
            rank = os.environ.get("RANK", "0")
            cause = Cause(
                says=f"rank {rank}: {explained(fault)}", of_method=is_of_method(fault, folders)
            )
            write_text(causes, cause.model_dump_json())
        raise
