"""Trains all variants of a method, and says which of them failed and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmark.files.sealed import file_sha256
from benchmark.methods.blame import fault_of_method
from benchmark.training.trainer import Trainer

__all__ = ["train_all"]


def train_all(trainer: Trainer, seeds: Sequence[int]) -> list[dict[str, Any]]:
    """Train every variant of a method for some seeds.

    Returns:
        one entry for each (variant, seed): the SHA-256 of its checkpoints, or why it failed. A
        method that fails is recorded and the others go on.

    Raises:
        Exception: what no method is to blame for, such as a full disk or a damaged file.
    """
    plan, method = trainer.plan, trainer.name
    variants = plan.variants[trainer.data.name, method]
    folds = range(trainer.data.manifest.num_folds)
    entries: list[dict[str, Any]] = []
    for variant in variants:
        for seed in seeds:
            entry: dict[str, Any] = {"variant": variant, "seed": seed}
            absent = plan.absent_networks(method, variant)
            try:
                if absent:
                    entry["skipped"] = f"this profile has no network: {', '.join(absent)}"
                elif plan.is_audio(method, variant) and trainer.data.is_silent:
                    entry["skipped"] = f"no video of '{trainer.data.name}' has sound"
                else:
                    trained = [trainer.get(variant, seed, fold) for fold in folds]
                    paths = {path for one in trained for path in one.checkpoints}
                    entry["checkpoints"] = {
                        str(path.relative_to(trainer.folder)): file_sha256(path)
                        for path in sorted(paths)
                    }
            except Exception as fault:
                entry["failed"] = f"training: {fault_of_method(fault, plan.method_folders)}"
            entries.append(entry)
            trainer.log.progress(len(entries), len(variants) * len(seeds))
    return entries
