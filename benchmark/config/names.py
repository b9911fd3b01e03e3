"""What profiles, datasets, networks, methods and variants may be called.

Their names become folders, files, targets of the workflow and words of commands, so their letters
are few. Names of datasets, networks and methods also stand side by side in the names of logs, with
a hyphen between, and methods are imported: these hold neither hyphens nor full stops.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field

__all__ = ["Name", "NameOrNone", "PlainName", "is_name", "name_rule"]

_PATTERN = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_PLAIN = r"^[A-Za-z0-9_]+$"
_LONGEST = 64

Name = Annotated[str, Field(pattern=rf"^{_PATTERN}$", max_length=_LONGEST)]
"""The name of a profile or a variant: safe as a folder and as a word of a command."""

NameOrNone = Annotated[str, Field(pattern=rf"^({_PATTERN})?$", max_length=_LONGEST)]
"""The same, or an empty string."""

PlainName = Annotated[str, Field(pattern=_PLAIN, max_length=_LONGEST)]
"""The name of a dataset, a network or a method."""


def is_name(text: str) -> bool:
    """Say whether a profile, a variant or a dataset may be called so."""
    return len(text) <= _LONGEST and re.fullmatch(_PATTERN, text) is not None


def name_rule(pattern: str) -> str:
    """Return in words what a name may be that has to match one of these patterns."""
    letters = "a name has at most 64 letters of the English alphabet, digits"
    if pattern == _PLAIN:
        return f"{letters} and '_'"
    return f"{letters}, '_', '-' and '.', and begins with a letter, a digit or '_'"
