"""The settings of networks, training and statistics in a profile."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from pydantic import Field

from benchmark.config.networks import NETWORKS, Network
from benchmark.config.strict import Strict
from benchmark.errors import BenchmarkError, did_you_mean

__all__ = [
    "BackboneConfig",
    "Bootstrap",
    "Compute",
    "NetworkConfig",
    "Precision",
    "Pretraining",
    "Training",
]

Precision = Literal["32-true", "bf16-mixed", "16-mixed", "64-true"]


class Pretraining(Strict):
    """How the small network learns which cues a built-in frame shows."""

    epochs: int = Field(gt=0, le=10_000)
    frames_per_video: int = Field(
        gt=0, le=10_000, description="random stored frames a video and epoch"
    )
    learning_rate: float = Field(gt=0, le=1000)
    batch_size: int = Field(gt=0, le=1_000_000)


class NetworkConfig(Strict):
    """A feature extractor."""

    network: str = Field(description="name in the registry")
    weights: Literal["pretrained", "package", "hub", "file", "random"]
    file: str | None = Field(
        None,
        description="with weights: file, safetensors or a state dict; may hold {weights_root}",
    )
    trained_on: str | None = Field(None, description="what the weights of that file saw")
    size: int | None = Field(
        None, gt=0, le=8192, description="side of its input, if not the network's own"
    )

    @property
    def published(self) -> bool:
        """Whether a job fetches its weights, from a hub or a file of the user."""
        return self.weights in {"hub", "file"}

    @property
    def is_audio(self) -> bool:
        """Whether its input is sound."""
        return self.entry.is_audio

    @property
    def entry(self) -> Network:
        """The entry of the network, at the input size that the profile asks for.

        Raises:
            BenchmarkError: for an unknown name, which the faults of a profile name first.
        """
        if self.network not in NETWORKS:
            hint = did_you_mean(self.network, NETWORKS)
            raise BenchmarkError(f"unknown network '{self.network}'{hint}", where="network")
        entry = NETWORKS[self.network]
        return entry if self.size is None else replace(entry, size=self.size)


class BackboneConfig(NetworkConfig):
    """The feature extractor that every method may use, and what holds for the others too."""

    finetune: bool = Field(False, description="train the networks with each method")
    pretraining: Pretraining | None = None
    paper_group: str = Field("ResNet", description="the paper's rows that it is set beside")


class Training(Strict):
    """The same budget for every method: the papers' epochs, scaled."""

    head_units: int = Field(gt=0, le=1_000_000)
    learning_rate: float = Field(gt=0, le=1000)
    batch_size: int = Field(gt=1, le=1_000_000)
    epochs_scale: float = Field(
        default=1.0, gt=0, le=1000, description="factor on the papers' epochs"
    )
    accumulate: int = Field(
        default=1, ge=1, le=1_000_000, description="parts of a batch that are computed in turn"
    )
    precision: Precision = "32-true"
    augmentation: Literal["none", "crop_flip"] = Field(
        default="none", description="of fine-tuned networks: a random crop and mirror image a video"
    )


class Compute(Strict):
    """Where networks run: more processes change weights by rounding only."""

    accelerator: Literal["cpu", "cuda", "auto"] = "cpu"
    devices: int = Field(
        default=1, ge=1, le=1024, description="processes a node that train together"
    )
    num_nodes: int = Field(
        default=1, ge=1, le=10_000, description="more than one: inside a Slurm allocation"
    )
    checkpoint_epochs: int | None = Field(
        default=None,
        gt=0,
        le=1_000_000,
        description="a stage that is killed goes on from its last such epoch",
    )


class Bootstrap(Strict):
    """Resampling of videos and seeds for the intervals."""

    replicates: int = Field(1000, ge=20, le=1_000_000)
