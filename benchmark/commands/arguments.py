"""Types of the command line's arguments that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from benchmark.config.names import is_name

__all__ = ["at_least", "fraction", "name", "numbers"]


def at_least(lowest: int) -> Callable[[str], int]:
    """Return what reads a whole number that may not be smaller than another one."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = lowest - 1
        if number < lowest:
            raise argparse.ArgumentTypeError(f"'{text}' is no whole number from {lowest} on")
        return number

    return read


def fraction(text: str) -> float:
    """Read a number from 0 to 1."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:  # This refuses nan as well.
        raise argparse.ArgumentTypeError(f"'{text}' is no number from 0 to 1")
    return number


def name(text: str) -> str:
    """Read the name of a dataset."""
    if not is_name(text):
        what = f"'{text}' is no name: at most 64 letters, digits, '_', '-' and '.'"
        raise argparse.ArgumentTypeError(what)
    return text


def numbers(text: str) -> tuple[int, ...]:
    """Read whole numbers with hyphens between."""
    parts = text.split("-")
    if not all(part.isdecimal() for part in parts):
        raise argparse.ArgumentTypeError(f"'{text}' are no whole numbers, as 0-1-2")
    return tuple(map(int, parts))
