"""Checks that a method keeps to itself: when it is imported, trained and run."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from benchmark.checks.control import ControlRun
from benchmark.checks.import_probe import import_faults
from benchmark.checks.subject import Subject, this_process
from benchmark.checks.watch import library_folders, watched

__all__ = ["clean_import", "no_files"]


def clean_import(subject: Subject) -> list[str]:
    """Adding a method changes no other method's number: its import leaves no trace.

    Imported in a fresh interpreter, its code writes no file, opens no socket, starts no program,
    and leaves random generators, default dtype and device, threads and environment as they were.
    """
    roots = tuple(dict.fromkeys(str(m.folder.resolve().parent) for m in subject.methods.values()))
    return _imports(roots, subject.together)[subject.folder.name]


@cache
def _imports(roots: tuple[str, ...], names: tuple[str, ...]) -> dict[str, list[str]]:
    """Import methods in one interpreter, since starting one takes longer than an import."""
    return import_faults([Path(root) for root in roots], names)


def no_files(subject: Subject) -> list[str]:
    """What a method knows of a video came through `Videos`: it opens no file and keeps none.

    One epoch of training and a prediction run in an empty folder. Files of Python's libraries and
    of the method's own folder may be read; nothing may be written, and no network used.
    """
    readable, params = [*library_folders(), *subject.own_folders], subject.params()
    if subject.is_control:
        run = ControlRun(subject)
        run.exits(params)  # the source runs first, unwatched
        with watched(readable) as noted:
            run.exits(params)
        return noted
    world = subject.world
    this_process()
    with watched(readable) as noted:
        subject.rows(subject.train(params, epochs=1).method, world.test)
    return noted
