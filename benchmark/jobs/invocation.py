"""Checks the command line of Snakemake for what Snakemake itself lets pass in silence.

Of several `--config` it keeps only the last, and a `config:` in its own profile is dropped as a
whole when the command line has one: another benchmark than the one asked for would run. It reads
words in braces as wildcards, and its executors for clusters paste paths and settings into commands
whose shell would run what they hold.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmark.errors import BenchmarkError, raise_all

__all__ = ["check_config_words", "check_folders", "check_invocation", "check_submitted_words"]

_WILDCARD = re.compile(r"\{\s*\w+\s*[,}]")
_ACTIVE_IN_DOUBLE_QUOTES = frozenset('$`"\\\n')


def check_invocation(workflow: Any, repository: Path) -> None:
    """Check how a run was called; the jobs that it submits were called by Snakemake itself.

    Args:
        workflow: Snakemake's own object.
        repository: the folder with the code.

    Raises:
        BenchmarkError: naming all that is wrong with one of the words or folders.
    """
    if not workflow.is_main_process:
        return
    words = workflow.config_settings.config_args
    check_config_words(sys.argv, words)
    check_folders([repository])
    cores = workflow.resource_settings.cores
    if cores is not None and cores < 1:
        fix = "give at least one: --cores 1"
        raise BenchmarkError(f"no job can run on {cores} cores", where="--cores", fix=fix)
    if not workflow.local_exec:
        check_submitted_words([repository, Path.cwd(), *words])


def check_config_words(argv: Sequence[str], kept: Sequence[str]) -> None:
    """Check that every setting after `--config` counts.

    Args:
        argv: of this process, with the name of the program. Where another program calls Snakemake
            these are not its words, and nothing is checked.
        kept: the words that Snakemake took as settings.

    Raises:
        BenchmarkError: if there are two `--config`, if a setting is given twice, or if a profile
            of Snakemake has settings that the command line replaces.
    """
    program = Path(argv[0])
    if "snakemake" not in (program.name, program.parent.name):
        return
    own = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    own.add_argument("--config", "-C", nargs="*", action="append", default=[])
    known, others = own.parse_known_args([part for word in argv[1:] for part in _flags_apart(word)])
    if not known.config or known.config[-1] != list(kept):
        return
    faults = []
    if len(known.config) > 1:
        words = shlex.join(word for part in known.config for word in part)
        what = f"is given {len(known.config)} times, and Snakemake keeps only the last"
        faults.append(BenchmarkError(what, where="--config", fix=f"write --config {words}"))
    keys = [_key(word) for word in kept]
    for key in sorted({key for key in keys if keys.count(key) > 1}):
        faults.append(BenchmarkError(f"'{key}' is given twice", where="--config", fix="keep one"))
    dropped = [word for word in _of_snakemake_profiles(others) if _key(word) not in keys]
    if dropped and len(known.config) == 1:
        what = f"Snakemake's profile sets {shlex.join(dropped)}, which --config replaces as a whole"
        fix = f"write --config {shlex.join([*dropped, *kept])}"
        faults.append(BenchmarkError(what, where="--config", fix=fix))
    raise_all(faults, "the command line")


def _flags_apart(word: str) -> list[str]:
    """Return `-n`, `-C` of `-nC`; other words stay as they are."""
    found = re.fullmatch(r"(-[A-Za-z]+)C(.*)", word, re.DOTALL)
    return [found[1], f"-C{found[2]}"] if found else [word]


def _of_snakemake_profiles(words: Sequence[str]) -> list[str]:
    """Return the settings that Snakemake's own profiles give, for a command line without any."""
    from snakemake.cli import parse_args  # noqa: PLC0415

    with contextlib.redirect_stderr(io.StringIO()):  # it says again which profiles there are
        _, parsed = parse_args(list(words))
    return list(parsed.config or ())


def _key(word: str) -> str:
    return word.partition("=")[0]


def check_folders(folders: Sequence[object]) -> None:
    """Check that no folder's name holds a word in braces, which Snakemake takes for a wildcard.

    Raises:
        BenchmarkError: naming each that does.
    """
    faults = [
        BenchmarkError(
            f"Snakemake takes '{found[0].strip(',}')}}}' in this name for a wildcard",
            where=folder,
            fix="use a folder without braces in its name",
        )
        for folder in folders
        if (found := _WILDCARD.search(str(folder)))
    ]
    raise_all(faults, "the folders of this run")


def check_submitted_words(words: Sequence[object]) -> None:
    """Check what Snakemake pastes between double quotes when it submits a job to a cluster.

    Raises:
        BenchmarkError: naming each word that a shell would not take as it stands.
    """
    faults = [
        BenchmarkError(
            f"{str(word)!r} holds one of $ ` \" \\ or a line break, which Snakemake's executors "
            "for clusters hand to a shell that would act on it",
            fix="use a folder or a setting without them, or run without a cluster",
        )
        for word in words
        if _ACTIVE_IN_DOUBLE_QUOTES & set(str(word))
    ]
    raise_all(faults, "what is submitted to the cluster")
