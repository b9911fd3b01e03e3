"""Videos that do not exist, for methods of real size: what they ask for is counted.

No network runs on pixels. What one costs is counted once, on one input; how many inputs a method
asks for, and what it executes itself, is seen when its loss or prediction runs on a few videos
whose features are random numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmark.backbones.build import build_network
from benchmark.backbones.features import count_macs_per_input
from benchmark.backbones.registry import Backbone
from benchmark.config.learning import NetworkConfig
from benchmark.config.profile import Config
from benchmark.contract import Method, NetworkInfo, Task
from benchmark.cost.meter import Meter
from benchmark.estimate.quick_weights import QUICK_WEIGHTS
from benchmark.estimate.videos import VideoFacts
from benchmark.experiment.plan import Plan
from benchmark.methods.loading import load_method, make_params
from benchmark.seeds import video_keys
from benchmark.videos import Videos

__all__ = ["CountedFeatures", "Networks", "Subject", "batch_of", "networks_of"]

NUM_VIDEOS = 4
Networks = Mapping[str, NetworkInfo]
"""What networks give and cost, by role."""


class CountedFeatures:
    """A `FeatureSource` of random numbers.

    Attributes:
        with_gradients: inputs asked for while gradients were enabled.
        without: inputs asked for while they were not.
    """

    def __init__(self, info: NetworkInfo) -> None:
        self.size, self.num_frames, self._info = info.size, info.num_frames, info
        self.with_gradients = self.without = 0
        self._draw = torch.Generator().manual_seed(0)

    def features(
        self, videos: Tensor, starts: Tensor, meter: Meter | None, rows: Tensor, component: str
    ) -> Tensor:
        """See `benchmark.videos.FeatureSource`."""
        if torch.is_grad_enabled():
            self.with_gradients += starts.numel()
        else:
            self.without += starts.numel()
        if meter is not None:
            meter.add(component, rows, self._info.macs * starts.shape[1])
        return torch.randn(*starts.shape, self._info.num_features, generator=self._draw)


class Subject:
    """One method on one dataset, built as often as it is needed.

    Args:
        plan: of the profile.
        dataset: its name.
        method: its name, of no exit control.
        facts: of the dataset's videos.
        networks: at least those that the method asks for.
    """

    def __init__(
        self, plan: Plan, dataset: str, method: str, facts: VideoFacts, networks: Networks
    ) -> None:
        self._plan, self.dataset, self.method, self.facts = plan, dataset, method, facts
        self.networks = {role: networks[role] for role in plan.roles(dataset, method)}
        self.kind: type[Method] = load_method(plan.methods[method])

    def params(self, variant: str) -> Any:
        """Return a variant's parameters."""
        where = f"{self._plan.methods[self.method].folder / 'method.yaml'}: {variant}"
        return make_params(self.kind, self._plan.params(self.dataset, self.method, variant), where)

    def build(self, params: Any, *, real_size: bool = True) -> Method:
        """Return an untrained instance; a small one where only its stages are asked for."""
        backbone = self.networks.get("backbone")
        num_classes = self.facts.num_classes if real_size else 2
        task = Task(
            classes=tuple(f"class {number}" for number in range(num_classes)),
            multi_label=self.facts.multi_label,
            num_features=backbone.num_features if backbone else 0,
            head_units=self._plan.config.training.head_units if real_size else 8,
            networks=self.networks,
            stated_loss=self._plan.config.datasets[self.dataset].loss,
        )
        torch.manual_seed(0)
        with QUICK_WEIGHTS:
            return self.kind(task, params)

    def variants(self) -> list[str]:
        """Return the variants that the profile has the networks for."""
        absent = self._plan.absent_networks
        names = self._plan.variants[self.dataset, self.method]
        return [name for name in names if not absent(self.method, name)]

    def kept_inputs(self, method: Method) -> int | None:
        """Return the inputs a video whose features outlive fine-tuning: the method's candidates."""
        sources = {role: CountedFeatures(info) for role, info in self.networks.items()}
        found = method.candidates(batch_of(sources, self.facts))
        return None if found is None else int(found.shape[1])


def networks_of(config: Config, roles: Sequence[str]) -> dict[str, NetworkInfo]:
    """Return what networks of these roles give and cost; their weights are not needed."""
    infos = {}
    for role in roles:
        network = config.network(role).entry
        with QUICK_WEIGHTS:
            backbone = Backbone(network).eval()
        macs = count_macs_per_input(backbone)
        infos[role] = NetworkInfo(network.num_features, network.num_frames, network.size, macs)
    return infos


@cache
def num_parameters(network: NetworkConfig) -> int:
    """Return the parameters of a network."""
    with QUICK_WEIGHTS:
        body = build_network(network.entry)
    return sum(parameter.numel() for parameter in body.parameters())


def lengths_of(facts: VideoFacts) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the stored frames of each of the few videos: the mean of the dataset's."""
    middle = (facts.positions.low + facts.positions.high) / 2
    return np.full(NUM_VIDEOS, max(1, round(middle)), dtype=np.int64)


def batch_of(
    sources: Mapping[str, CountedFeatures],
    facts: VideoFacts,
    *,
    targets: Tensor | None = None,
    meter: Meter | None = None,
) -> Videos:
    """Return a few videos as a method sees them, halfway through training where it trains."""
    return Videos(
        sources,
        torch.arange(NUM_VIDEOS),
        video_keys([f"video {number}" for number in range(NUM_VIDEOS)]),
        lengths_of(facts),
        0,
        targets=targets,
        progress=0.5 if targets is not None else 1.0,
        meter=meter,
    )
