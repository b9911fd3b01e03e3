"""Which GPUs a job may use: Snakemake counts jobs, but does not say which device is whose.

A job holds a lock on a file for each device that it uses, in a folder of the machine and the user.
The kernel releases the lock with the last process that has it open, however that ends: with the
job, or with the processes that it forked, if they outlive it. Processes that train together do not
hold it: they end with the job that started them, unless that is killed with SIGKILL. Networks learn
the devices through CUDA_VISIBLE_DEVICES, which must be set before CUDA starts in a process; nothing
here starts it.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import IO

from benchmark.errors import BenchmarkError

__all__ = ["assigned_gpus"]

_VISIBLE = "CUDA_VISIBLE_DEVICES"
_SECONDS_BETWEEN_TRIES = 0.2
_COUNT = "import torch; print(torch.cuda.device_count())"


@dataclass(frozen=True)
class _Pool:
    """The devices that jobs share.

    Attributes:
        devices: as CUDA_VISIBLE_DEVICES names them: numbers, or identifiers of GPUs or their parts.
        source: who gave them, for the user.
        folder: of their locks.
    """

    devices: tuple[str, ...]
    source: str
    folder: Path


@contextmanager
def assigned_gpus(
    num: int,
    title: str,
    say: Callable[[str], None],
    *,
    optional: bool = False,
    environ: MutableMapping[str, str] = os.environ,
) -> Iterator[tuple[str, ...]]:
    """Hold GPUs that no other job of this user holds, and make them and no others visible.

    Args:
        num: of them.
        title: names the job for others that wait.
        say: receives a line when it has to wait, and one with the devices.
        optional: whether it goes on without on a machine that has none at all.
        environ: says which devices there are; says while it lasts which are this job's.

    Yields:
        their names.

    Raises:
        BenchmarkError: if there are too few.
    """
    pool = _pool(environ)
    if optional and not pool.devices:
        say(f"no GPU ({pool.source}): on the CPU")
        with _visible((), environ):
            yield ()
        return
    if len(pool.devices) < num:
        raise BenchmarkError(
            f"{num} GPUs are asked for, and there are {len(pool.devices)} ({pool.source})",
            where="compute.devices",
            fix="ask for no more than there are, or set compute.accelerator to cpu",
        )
    with ExitStack() as held:
        devices = _take(pool, num, title, say, held)
        with _visible(devices, environ):
            yield devices


@contextmanager
def _visible(devices: Sequence[str], environ: MutableMapping[str, str]) -> Iterator[None]:
    """Show CUDA some devices and no others."""
    before = environ.get(_VISIBLE)
    environ[_VISIBLE] = ",".join(devices)
    try:
        yield
    finally:
        if before is None:
            del environ[_VISIBLE]
        else:
            environ[_VISIBLE] = before


def _pool(environ: MutableMapping[str, str]) -> _Pool:
    """Return the devices that this job shares with others.

    In a Slurm job they are those that Slurm gave it. Slurm numbers them anew in each job where it
    shuts the others off, so its jobs have locks of their own.
    """
    job = environ.get("SLURM_JOB_ID")
    folder = _runtime_folder() / (f"slurm-{job}" if job else "all")
    names = (_VISIBLE, "SLURM_STEP_GPUS", "SLURM_JOB_GPUS") if job else (_VISIBLE,)
    for name in names:
        if name in environ:
            return _Pool(_listed(environ[name]), f"{name}={environ[name]}", folder)
    if job:
        return _Pool((), f"Slurm gave job {job} none", folder)
    found = subprocess.run(
        [sys.executable, "-c", _COUNT],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env=dict(environ),
    )
    devices = tuple(str(number) for number in range(int(found.stdout.split()[-1])))
    return _Pool(devices, "found by PyTorch", folder)


def _listed(value: str) -> tuple[str, ...]:
    """Return the devices that CUDA sees of such a list: those before the first that is none.

    Source: CUDA C++ Programming Guide, environment variables.
    """
    names = (name.strip() for name in value.split(","))
    return tuple(dict.fromkeys(takewhile(lambda name: name not in {"", "-1"}, names)))


def _runtime_folder() -> Path:
    """Return the folder of this user's locks on this machine, the same for all of their jobs.

    That is why no variable that could differ between two shells says where it is.
    """
    folder = Path("/tmp") / f"benchmark-gpus-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        fix = "have it removed"
        raise BenchmarkError("belongs to somebody else", where=folder, fix=fix)
    return folder


def _take(
    pool: _Pool, num: int, title: str, say: Callable[[str], None], held: ExitStack
) -> tuple[str, ...]:
    """Lock devices, in the order of the list; jobs that wait are served in turn.

    Only one job at a time gathers devices, so two that want several never wait for each other.
    """
    pool.folder.mkdir(exist_ok=True)
    of_all = f"of {','.join(pool.devices)} ({pool.source})"
    taken: set[str] = set()
    with (pool.folder / "turn").open("a") as turn:
        if not _locked(turn):
            say(f"waits for its turn to take {num} GPUs {of_all}")
            fcntl.flock(turn, fcntl.LOCK_EX)
        said = False
        while len(taken) < num:
            for device in pool.devices:
                if len(taken) < num and device not in taken and _took(pool, device, title, held):
                    taken.add(device)
            if len(taken) < num:
                if not said:
                    say(f"waits for {num - len(taken)} GPUs {of_all}: {_holders(pool, taken)}")
                    said = True
                time.sleep(_SECONDS_BETWEEN_TRIES)
    devices = tuple(device for device in pool.devices if device in taken)
    say(f"GPUs {','.join(devices)} {of_all}")
    return devices


def _lock_file(pool: _Pool, device: str) -> Path:
    return pool.folder / device.replace("/", "_")  # of parts of a GPU: MIG-GPU-.../1/0


def _took(pool: _Pool, device: str, title: str, held: ExitStack) -> bool:
    """Lock a device until `held` ends, if nobody else has it."""
    file = _lock_file(pool, device).open("a+", encoding="utf-8")
    if not _locked(file):
        file.close()
        return False
    held.enter_context(file)
    file.truncate(0)
    file.write(f"{title}, process {os.getpid()}")
    file.flush()
    return True


def _locked(file: IO[str]) -> bool:
    """Lock an open file if it is free."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holders(pool: _Pool, own: set[str]) -> str:
    """Return who has the other devices, as they wrote it themselves."""
    others = [device for device in pool.devices if device not in own]
    return "; ".join(f"{d} has {_lock_file(pool, d).read_text('utf-8')}" for d in others)
