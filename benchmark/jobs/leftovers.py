"""What a killed run has left behind, and nothing takes up again."""

from __future__ import annotations

import shutil
from collections.abc import Collection

from benchmark.experiment.layout import Layout
from benchmark.files.writing import sweep

__all__ = ["sweep_leftovers"]


def sweep_leftovers(layout: Layout, training: Collection[tuple[str, str]]) -> None:
    """Delete half-written files, and features of fine-tuned networks that no job will read.

    Nobody else may be writing these results. Their data may be another profile's, which may be
    running: of half-written files only those of dead writers go.

    Args:
        layout: of the profile.
        training: (dataset, method) of the jobs that are about to train.
    """
    for folder in {layout.root, layout.data}:
        sweep(folder, "**/.*.partial*")
    for folder in layout.root.glob("features/*/finetuned-*"):
        if (folder.parent.name, folder.name.removeprefix("finetuned-")) not in training:
            shutil.rmtree(folder, ignore_errors=True)
    for path in layout.runs.glob("*/*/request-*"):
        path.unlink(missing_ok=True)
