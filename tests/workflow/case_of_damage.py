"""What is tried on a kind of file, and what must come of it."""

from __future__ import annotations

from dataclasses import dataclass

from spoiling import Spoil

__all__ = ["Case", "Kind"]

# The tables of the tiny profile, which has one dataset, that show any run at all.
_OF_RUNS = frozenset({"table2", "known_answers", "claims"})


@dataclass(frozen=True)
class Case:
    """One way to spoil a file.

    Attributes:
        file: below the results of the tiny profile; a pattern stands for the first that fits it.
        spoil: what is done to it.
        stops: jobs that must end with an error which names the file and how to mend it.
        mended_by: the job that must make the file again as it was; errors name its output.
        seen: a pattern of what `verify` must say.
        tables: those that `verify` must call stale.
        named: what errors name, where it is not the file itself.
    """

    file: str
    spoil: Spoil
    stops: tuple[str, ...] = ()
    mended_by: str = ""
    seen: str = ""
    tables: frozenset[str] = _OF_RUNS
    named: str = ""


@dataclass(frozen=True)
class Kind:
    """A kind of file that numbers depend on.

    Attributes:
        files: patterns of all files of this kind, below the results of a profile.
        cases: ways to spoil one, by name.
        elsewhere: the test of a kind that the tiny profile does not have, in place of cases.
    """

    files: tuple[str, ...]
    cases: dict[str, Case]
    elsewhere: str = ""
