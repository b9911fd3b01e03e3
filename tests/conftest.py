"""What tests of several packages share: method folders written from strings, videos in memory."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from videos_in_memory import MemoryVideos

from benchmark.backbones.feature_store import extract_features
from benchmark.config.load import validate
from benchmark.data.builtin.generate import generate
from benchmark.data.frames.extract import extract
from benchmark.data.frames.store import FrameStore
from benchmark.data.manifest.manifest import write_manifest
from benchmark.data.profile_datasets import build_profile_manifest, recipe_of
from benchmark.experiment.layout import Layout
from benchmark.experiment.plan import Plan, make_plan
from benchmark.files.repository import REPOSITORY
from benchmark.methods.discovery import MethodFolder, discover
from benchmark.training.dataset import make_network, weights_digest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with whole workflows: started last, they would keep one core alone busy at the end."""
    items.sort(key=lambda item: item.get_closest_marker("dag") is None)


@pytest.fixture
def memory_videos() -> Callable[..., MemoryVideos]:
    """Return a function that makes videos with random features, and labels."""

    def make(
        num: int = 24, length: int = 21, num_features: int = 6, num_classes: int = 5, *, multi=False
    ) -> MemoryVideos:
        draw = torch.Generator().manual_seed(num)
        features = torch.randn(num, length, num_features, generator=draw)
        targets = torch.randint(num_classes, (num,), generator=draw)
        hot = torch.nn.functional.one_hot(targets, num_classes).float()
        return MemoryVideos(features, hot if multi else targets)

    return make


@pytest.fixture(scope="session")
def methods() -> dict[str, MethodFolder]:
    """Return the repository's methods by name."""
    return discover([REPOSITORY / "methods"])


@pytest.fixture
def write_method(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a method's folder and returns the folder of methods."""

    def write(name: str, manifest: str, code: str = "", root: str = "mine") -> Path:
        folder = tmp_path / root / name
        folder.mkdir(parents=True)
        (folder / "method.yaml").write_text(manifest)
        (folder / "method.py").write_text(code)
        return folder.parent

    return write


SMALL_PROFILE = {
    "profile": "small",
    "description": "a test",
    "seeds": [0, 1],
    "datasets": {
        "long": {
            "role": "long",
            "builtin": {"set": "short", "num_train": 20, "num_val": 12},
            "sampling": {"positions": 16},
        }
    },
    "backbone": {"network": "tiny_cnn", "weights": "random"},
    "training": {
        "head_units": 16,
        "learning_rate": 0.01,
        "batch_size": 8,
        "epochs_scale": 0.06,
    },
    "bootstrap": {"replicates": 20},
}


@pytest.fixture(scope="session")
def small_plan(tmp_path_factory) -> Callable[..., Plan]:
    """Return a function that plans a tiny profile, with frames and features in place.

    Its arguments say whether the backbone is fine-tuned with each method, and in which folder
    further methods are.
    """
    results = str(tmp_path_factory.mktemp("results"))

    def plan(finetune: bool = False, own_methods: Path | None = None) -> Plan:
        content = copy.deepcopy(SMALL_PROFILE)
        content["results"] = results
        content["backbone"]["finetune"] = finetune
        content["methods_path"] = str(own_methods or "")
        return make_plan(validate(content, "small"))

    config = plan().config
    layout, settings = Layout.of(config), config.datasets["long"].builtin
    generate(
        settings.set,
        layout.videos("long"),
        num_train=settings.num_train,
        num_val=settings.num_val,
        seed=0,
    )
    manifest = build_profile_manifest(config, "long")
    write_manifest(manifest, layout.manifest("long"))
    extract(manifest, layout.frames("long"), recipe_of(config, "long"), workers=1)
    store, backbone = FrameStore.open(layout.frames("long")), make_network(config)
    extract_features(store, backbone, weights_digest(backbone), layout.features("long"))
    return plan
