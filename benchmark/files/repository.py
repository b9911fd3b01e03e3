"""Where the code of this project lies; no other module works that out from its own place."""

from __future__ import annotations

from pathlib import Path

__all__ = ["PACKAGE", "REPOSITORY"]

PACKAGE = Path(__file__).parent.parent
REPOSITORY = PACKAGE.parent
