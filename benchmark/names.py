"""What profiles, datasets, networks, methods and variants may be called.

Their names become folders, files, targets of the workflow and words of commands, so one pattern
holds for all of them.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

__all__ = ["NAME_RULE", "Name", "NameOrNone"]

_PATTERN = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
Name = Annotated[str, Field(pattern=rf"^{_PATTERN}$", max_length=64)]
"""A name that is safe as a folder, in a file's name and as a word of a command."""

NameOrNone = Annotated[str, Field(pattern=rf"^({_PATTERN})?$", max_length=64)]
"""The same, or an empty string."""

NAME_RULE = (
    "a name has at most 64 letters of the English alphabet, digits, '_', '-' and '.', "
    "and begins with a letter, a digit or '_'"
)
"""The same rule in words, for error messages."""
