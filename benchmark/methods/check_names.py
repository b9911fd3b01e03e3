"""The names of the checks, apart from their code, so that a manifest is read without PyTorch."""

from __future__ import annotations

from typing import Literal, get_args

__all__ = ["CHECK_NAMES", "CheckName"]

CheckName = Literal[
    "manifest",
    "import",
    "build",
    "fit",
    "checkpoint",
    "seed",
    "batch_invariance",
    "device",
    "no_look_ahead",
    "no_label_leak",
    "no_files",
    "audited_cost",
    "monotone_cost",
    "frames_opened",
]
CHECK_NAMES: tuple[CheckName, ...] = get_args(CheckName)
