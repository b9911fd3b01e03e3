"""How fast a machine works and how small its pictures get: measured here, or assumed with a source.

A calibration takes well under two minutes on two cores, and is kept: the same machine, network and
videos are not measured again.
"""

from __future__ import annotations

import hashlib
import platform
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from torch import nn

from benchmark.backbones.features import count_macs_per_input
from benchmark.backbones.registry import Backbone
from benchmark.config.profile import Config
from benchmark.data.profile_datasets import recipe_of
from benchmark.estimate.pictures import PictureRates, measure_pictures
from benchmark.estimate.ranges import Range
from benchmark.estimate.videos import Example
from benchmark.files.writing import digest_of, write_json

__all__ = ["Rates", "rates_of"]

_SECONDS = 4.0  # of each measurement, once warm
_BATCHES = {"cpu": 2, "cuda": 64}
_RESNET50_TRAINING_GMACS = 3 * 4.1
# Images a second that NVIDIA trains ResNet-50 at, one GPU, with data loading (DeepLearningExamples,
# PyTorch/Classification/ConvNets/resnet50v1.5, README, 'Training performance results'): V100 367 in
# float32 and 1,200 in mixed precision, A100 938 in TF32 and 2,470 in mixed precision.
_ASSUMED_IMAGES = {False: (367, 938), True: (1200, 2470)}
# Videos times classes times replicates a second and core: 31,171 x 3,142 x 1,000 took 52 s.
_RESAMPLED = Range(0.9e9, 2.5e9)
_LOADED = Range(0.5, 1.0)  # of a measured speed, once frames are read and losses computed as well


@dataclass(frozen=True)
class Rates:
    """Speeds, a second, of one device or one core.

    Attributes:
        device: what runs the networks, and whether it was measured.
        forward_macs: of networks.
        training_macs: the same with the backward pass, which counts twice the forward pass.
        pictures: of decoding and JPEG, of each dataset that stores frames.
        hashed_bytes: of files, from memory.
        resampled: videos times classes times bootstrap replicates.
        notes: what is uncertain about them.
    """

    device: str
    forward_macs: Range
    training_macs: Range
    pictures: Mapping[str, PictureRates]
    hashed_bytes: float
    resampled: Range
    notes: tuple[str, ...]


class Calibration(BaseModel):
    """What was measured on a machine, as it is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    forward_gmacs: float
    training_gmacs: float
    hashed_bytes: float
    pictures: dict[str, PictureRates]


def rates_of(
    config: Config, examples: Mapping[str, Sequence[Example]], given: Range | None, kept: Path
) -> Rates:
    """Measure, or find measured, how fast this machine is.

    Args:
        config: the profile.
        examples: videos of the user by dataset; made-up ones are stored where there are none.
        given: 10^9 MACs a second, if the user knows better.
        kept: file of an earlier calibration, written if it does not fit.
    """
    wanted = config.compute.accelerator
    device = "cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu"
    found = _calibration(config, examples, device, kept)
    name = _name(device)
    notes = [
        f"Measured on {name}, kept in {kept}: {found.forward_gmacs:,.3g} GMAC/s forward, "
        f"{found.training_gmacs:,.3g} GMAC/s with the backward pass.",
        *_origins(found.pictures),
    ]
    if given is not None:
        forward = training = given * 1e9
        device_name = "as given by --gmacs-per-second"
    elif wanted == "cuda" and device == "cpu":
        low, high = _ASSUMED_IMAGES[config.training.precision != "32-true"]
        forward = training = Range(low, high) * (_RESNET50_TRAINING_GMACS * 1e9)
        device_name = "an assumed GPU"
        notes.append(
            "There is no GPU here, so device hours are an ASSUMPTION: NVIDIA's published training "
            f"speeds of ResNet-50 on one GPU, V100 ({low:,} images a second) to A100 ({high:,}). "
            "Depthwise convolutions reach a fraction of that: X3D-L, of 24.8 GFLOPs, ran about 3 "
            "times slower than SlowFast 8x8, of 65.7 (SlowFast, issue 286). Give your own with "
            "--gmacs-per-second."
        )
    else:
        forward = _LOADED * (found.forward_gmacs * 1e9)
        training = _LOADED * (found.training_gmacs * 1e9)
        device_name = name
        notes.append("Hours assume from half to all of the measured speed of the bare network.")
    return Rates(
        device=device_name,
        forward_macs=forward,
        training_macs=training,
        pictures=found.pictures,
        hashed_bytes=found.hashed_bytes,
        resampled=_RESAMPLED,
        notes=tuple(notes),
    )


def _origins(pictures: Mapping[str, PictureRates]) -> list[str]:
    """Return what is known of pictures, the datasets of which the same is known together."""
    names = defaultdict[str, list[str]](list)
    for dataset, rates in pictures.items():
        names[rates.origin].append(dataset)
    return [f"{', '.join(together)}: {origin}" for origin, together in names.items()]


def _calibration(
    config: Config, examples: Mapping[str, Sequence[Example]], device: str, kept: Path
) -> Calibration:
    network = config.network("backbone")
    owners = config.frame_owners
    recipes = {name: recipe_of(config, name) for name in owners}
    machine = [_name(device), platform.node(), torch.__version__, torch.get_num_threads()]
    settings = [network.network, network.size, config.training.precision]
    stored = [
        (name, recipes[name].facts(), [str(one.path) for one in examples[name]]) for name in owners
    ]
    key = digest_of([machine, settings, stored])
    try:
        found = Calibration.model_validate_json(kept.read_text(encoding="utf-8"))
    except (OSError, ValidationError):
        found = None
    if found is not None and found.key == key:
        return found
    forward, training = _network_speeds(config, torch.device(device))
    made = Calibration(
        key=key,
        forward_gmacs=forward,
        training_gmacs=training,
        hashed_bytes=_hashed_bytes(),
        pictures=measure_pictures(examples, recipes),
    )
    write_json(kept, made.model_dump(mode="json"))
    return made


def _hashed_bytes() -> float:
    block = bytes(1 << 26)
    hashlib.sha256(block).digest()
    start = time.process_time()
    hashlib.sha256(block).digest()
    return len(block) / (time.process_time() - start)


def _name(device: str) -> str:
    if device == "cuda":
        return torch.cuda.get_device_name()
    threads = torch.get_num_threads()
    return f"this processor with {threads} thread{'s' if threads > 1 else ''}"


def _network_speeds(config: Config, device: torch.device) -> tuple[float, float]:
    """Return 10^9 MACs a second of the profile's backbone: forward, and with the backward pass."""
    network = config.network("backbone").entry
    backbone = Backbone(network).eval()
    gmacs = count_macs_per_input(backbone) / 1e9
    batch = _BATCHES[device.type]
    clip = (network.num_frames,) if network.num_frames > 1 else ()
    shape = (batch, *clip, network.size, network.size, 3)
    frames = torch.randint(256, shape, dtype=torch.uint8, device=device)
    backbone = backbone.to(device)
    half = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}
    kind = half.get(config.training.precision) if device.type == "cuda" else None

    def run(module: nn.Module) -> torch.Tensor:
        with torch.autocast(device.type, kind, enabled=kind is not None):
            features: torch.Tensor = module(frames)
        return features

    def forward() -> None:
        with torch.inference_mode():
            run(backbone)

    def train() -> None:
        run(backbone).float().sum().backward()  # type: ignore[no-untyped-call]

    alone = batch * gmacs / _seconds(forward, device)
    backbone.train()
    return alone, 3 * batch * gmacs / _seconds(train, device)


def _seconds(run: Callable[[], None], device: torch.device) -> float:
    """Return the median time of a call, after one that warms up."""
    taken: list[float] = []
    while len(taken) < 2 or sum(taken[1:]) < _SECONDS:
        start = time.perf_counter()
        run()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        taken.append(time.perf_counter() - start)
    return statistics.median(taken[1:])
