"""The one family of errors that users see.

Every message reads: where (file and line, or key), what is wrong, what was expected, how to
fix it. Faults of the input are collected and raised together, so that a user mends a file once.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

__all__ = [
    "BenchmarkError",
    "DamagedFileError",
    "MachineError",
    "did_you_mean",
    "explained",
    "raise_all",
]

_OPTIONS_SHOWN = 20


class BenchmarkError(ValueError):
    """A fault that the user can mend.

    Args:
        what: what is wrong, in a sentence without a final full stop.
        where: file, `file:line` or key at fault.
        fix: what to do about it.
    """

    def __init__(self, what: str, *, where: object = None, fix: str = "") -> None:
        self.what, self.where, self.fix = what, where, fix
        place = f"{where}: " if where is not None else ""
        remedy = f". Fix: {fix}" if fix else ""
        super().__init__(f"{place}{what}{remedy}")


class DamagedFileError(BenchmarkError):
    """A file is not as the job that made it left it.

    It ends the job that reads the file: no method is to blame, so it never becomes the result of
    one.
    """


class MachineError(BenchmarkError):
    """The machine let a process down: it was killed, or lacked memory or disk. No method did."""


def explained(fault: Exception) -> str:
    """Return what to say of any exception: users' faults explain themselves, others have a type."""
    return str(fault) if isinstance(fault, BenchmarkError) else f"{type(fault).__name__}: {fault}"


def did_you_mean(name: str, options: Iterable[str]) -> str:
    """Return ' (did you mean …?)' for the nearest option, else the options, or some of them."""
    known = sorted(options)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if near:
        return f" (did you mean '{near[0]}'?)"
    shown = known[:_OPTIONS_SHOWN] + (["…"] if len(known) > _OPTIONS_SHOWN else [])
    return f" (known: {', '.join(shown) if shown else 'none'})"


def raise_all(errors: Sequence[BenchmarkError], summary: str) -> None:
    """Raise nothing, the single error, or one error that lists all of them.

    Args:
        errors: the faults found.
        summary: names what was checked, e.g. 'config/builtin.yaml'.

    Raises:
        BenchmarkError: if there is at least one fault.
    """
    if len(errors) == 1:
        raise errors[0]
    if errors:
        listing = "\n".join(f"  - {error}" for error in errors)
        raise BenchmarkError(f"{len(errors)} faults in {summary}:\n{listing}")
