"""Imports the code of methods, which may be anybody's: it may wait for ever, or end Python.

No exception can end code that waits in a library written in C, and none comes of a process that is
gone. So a fork of this process imports a method first, and is killed where it takes too long; only
what the fork has survived is imported here.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import time
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from benchmark.config.strict import is_misplaced_truth
from benchmark.errors import BenchmarkError, MachineError, did_you_mean, raise_all
from benchmark.lifetime import end_with_parent
from benchmark.methods.discovery import MethodFolder

__all__ = ["check_import", "import_method", "load_method", "make_params"]

_LIMIT = "BENCHMARK_IMPORT_SECONDS"
_SECONDS = 300  # a cold shared disk takes minutes for a large library
_SECONDS_BETWEEN_LOOKS = 0.005
_INTERRUPTED = 130


def load_method(folder: MethodFolder) -> type[Any]:
    """Import a method's code, once it is known to end, and return its class `Method`.

    Raises:
        BenchmarkError: if the code takes too long, ends Python, does not import, or has no class
            `Method` with `Params`.
        MachineError: if the process that tried the import was killed.
    """
    check_import(folder)
    return import_method(folder)


def check_import(folder: MethodFolder) -> None:
    """Check that the import of a method's code ends, and does not end Python.

    Raises:
        BenchmarkError: if it does not end within the limit of time, or ends Python.
        MachineError: if the process that tried the import was killed.
    """
    if _module(folder.name) in sys.modules or sys.platform != "linux":
        return
    if (fault := _fault_of_import(folder.name, folder.folder, _import_seconds())) is not None:
        raise fault


def import_method(folder: MethodFolder) -> type[Any]:
    """Import a method's code, however long that takes, and return its class `Method`.

    Raises:
        BenchmarkError: if the code does not import, or has no class `Method` with `Params`.
    """
    from benchmark.contract import EarlyExit, ExitControl, SinglePass  # noqa: PLC0415  (PyTorch)

    where = folder.folder / "method.py"
    try:
        module = importlib.import_module(_module(folder.name))
    except KeyboardInterrupt:
        raise
    except BaseException as fault:  # also sys.exit and what derives from BaseException itself
        raise BenchmarkError(f"does not import: {fault!r}", where=where) from fault
    method = getattr(module, "Method", None)
    if not isinstance(method, type) or not hasattr(method, "Params"):
        raise BenchmarkError("has no class 'Method' with 'Params'", where=where)
    if not issubclass(method, (SinglePass, EarlyExit, ExitControl)):
        what = "its class 'Method' derives from none of SinglePass, EarlyExit and ExitControl"
        raise BenchmarkError(what, where=where, fix="choose one of them in benchmark/contract.py")
    return method


def _module(name: str) -> str:
    return f"methods.{name}.method"


@cache
def _fault_of_import(name: str, folder: Path, limit: int) -> BenchmarkError | None:
    """Import a method in a fork, and return what keeps this process from doing so; else None."""
    parent, (end_of_import, report) = os.getpid(), os.pipe()
    fork = os.fork()
    if fork == 0:
        _import_and_end(name, parent, report)
    os.close(report)
    where, end = folder / "method.py", time.monotonic() + limit
    try:
        while (ended := os.waitpid(fork, os.WNOHANG))[0] == 0:
            if time.monotonic() > end:
                what = f"does not import within {limit} s"
                fix = f"do long work in the method's __init__, or set {_LIMIT} to more seconds"
                return BenchmarkError(what, where=where, fix=fix)
            time.sleep(_SECONDS_BETWEEN_LOOKS)
    finally:
        if ended[0] == 0:  # too long, or this process was interrupted
            os.kill(fork, signal.SIGKILL)
            os.waitpid(fork, 0)
        has_ended = bool(os.read(end_of_import, 1))
        os.close(end_of_import)
    return None if has_ended else _fault_of_end(os.waitstatus_to_exitcode(ended[1]), where)


def _import_and_end(name: str, parent: int, report: int) -> None:
    """In the fork: import a method in silence, and report its end; the parent meets its errors."""
    end_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends this process
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
        if "torch" in sys.modules:
            sys.modules["torch"].set_num_threads(1)  # a fork has no other threads, and would wait
        importlib.import_module(_module(name))
    except KeyboardInterrupt:
        os._exit(_INTERRUPTED)
    except BaseException:  # the parent meets it too, and says what it is
        os.write(report, b".")
    else:
        os.write(report, b".")
    os._exit(0)


def _fault_of_end(code: int, where: Path) -> BenchmarkError:
    """Return what to say of a fork that ended before the import had."""
    if code == -signal.SIGKILL:
        return MachineError("the process that imports it was killed", where=where)
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    fix = "take out what ends the process when it is imported"
    return BenchmarkError(f"ends Python while it is imported ({how})", where=where, fix=fix)


def _import_seconds() -> int:
    given = os.environ.get(_LIMIT, str(_SECONDS))
    if not given.isdecimal() or int(given) < 1:
        fix = "set it to whole seconds, or not at all"
        raise BenchmarkError(f"'{given}' is no number of seconds", where=_LIMIT, fix=fix)
    return int(given)


def make_params(method: type[Any], params: dict[str, Any], where: object) -> Any:
    """Build a method's parameters from a variant's settings.

    Raises:
        BenchmarkError: for unknown names and wrong types, all at once.
    """
    known = [field.name for field in fields(method.Params)]
    faults = [
        BenchmarkError(f"unknown parameter '{name}'{did_you_mean(name, known)}", where=where)
        for name in params
        if name not in known
    ]
    types = get_type_hints(method.Params)
    faults += [
        BenchmarkError(f"parameter '{name}': true and false stand for no value", where=where)
        for name, value in params.items()
        if name in types and is_misplaced_truth(value, types[name])
    ]
    try:
        made = TypeAdapter(method.Params).validate_python(params)
    except ValidationError as wrong:
        faults += [
            BenchmarkError(
                f"parameter '{fault['loc'][0]}': {fault['msg']}, found {fault['input']!r}",
                where=where,
            )
            for fault in wrong.errors()
        ]
    raise_all(faults, str(where))
    return made
