"""A profile's datasets: their manifests and sampling recipes, from the settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from benchmark.config.datasets import (
    ActivityNetVideos,
    CsvVideos,
    DatasetConfig,
    HvuVideos,
    KineticsVideos,
    Listed,
)
from benchmark.config.profile import Config
from benchmark.data.builtin.sets import get_set
from benchmark.data.frames.recipe import SamplingRecipe
from benchmark.data.manifest.build import Building, build_from_csv, build_manifest, check_learnable
from benchmark.data.manifest.listing import Columns, Listing
from benchmark.data.manifest.manifest import Manifest, Task, read_manifest
from benchmark.data.manifest.of_dataset import sha256_of_lists
from benchmark.data.published.activity_net import list_activity_net
from benchmark.data.published.hvu import list_hvu
from benchmark.data.published.kinetics import list_kinetics
from benchmark.data.published.video_files import VideoFiles
from benchmark.errors import BenchmarkError
from benchmark.experiment.layout import Layout

__all__ = ["build_profile_manifest", "recipe_of"]

_PUBLISHED: dict[type[Listed], tuple[Callable[[Path, Any, VideoFiles], Listing], Task]] = {
    ActivityNetVideos: (list_activity_net, "multi_label"),
    KineticsVideos: (list_kinetics, "single_label"),
    HvuVideos: (list_hvu, "multi_label"),
}
"""How each published dataset is listed, and whether a video has one label or several."""


def build_profile_manifest(config: Config, dataset: str, **building: Unpack[Building]) -> Manifest:
    """Build the manifest of one of a profile's datasets.

    Args:
        config: the profile.
        dataset: its name.
        building: how files are read. The facts about them are taken over from `base`, by default
            the manifest of the dataset whose frames are shared.

    Raises:
        BenchmarkError: for missing folders, faulty label files and unreadable videos, for a single
            class, and for a side without videos.
    """
    lists = sha256_of_lists(config, dataset)
    manifest = replace(_built(config, dataset, building), lists=lists)
    check_learnable(manifest)
    return manifest


def _built(config: Config, dataset: str, building: Building) -> Manifest:
    settings, layout = config.datasets[dataset], Layout.of(config)
    if building.get("base") is None and settings.frames_of:
        building["base"] = read_manifest(layout.manifest(settings.frames_of))
    building["max_unreadable_fraction"] = settings.max_unreadable_fraction
    listed = settings.source
    if not isinstance(listed, Listed):
        return _builtin(settings, layout.videos(dataset), dataset, building)
    root = config.place(listed.root)
    if not root.is_dir():
        raise BenchmarkError(
            "no such folder of videos",
            where=root,
            fix=f"correct datasets.{dataset}: root, or the folder that --config names",
        )
    building["on_duplicate"] = listed.on_duplicate
    building["outside_root"] = config.outside_root
    if isinstance(listed, CsvVideos):
        return _of_csv(listed, root, dataset, building)
    list_videos, task = _PUBLISHED[type(listed)]
    base = building.get("base")
    files = VideoFiles.below(root) if base is None else VideoFiles.of(base, root)
    listing = list_videos(root, listed, files)
    return build_manifest(listing, root=root, dataset=dataset, task=task, **building)


def _builtin(settings: DatasetConfig, folder: Path, dataset: str, building: Building) -> Manifest:
    assert settings.builtin is not None, "it is no list of the user's"
    video_set = get_set(settings.builtin.set)
    return build_from_csv(
        folder / "labels.csv",
        root=folder,
        columns=Columns(labels=("labels",), video_id="video_id", split="split"),
        dataset=dataset,
        task="multi_label" if video_set.multi_label else "single_label",
        classes=video_set.classes,
        **building,
    )


def _of_csv(listed: CsvVideos, root: Path, dataset: str, building: Building) -> Manifest:
    return build_from_csv(
        root / listed.csv,
        root=root,
        columns=Columns(
            path=listed.path, labels=listed.labels, split=listed.split, group=listed.group
        ),
        dataset=dataset,
        task="multi_label" if listed.multi_label else "single_label",
        num_folds=listed.num_folds,
        **building,
    )


def recipe_of(config: Config, dataset: str) -> SamplingRecipe:
    """Return which frames of a dataset's videos are stored."""
    sampling = config.datasets[dataset].sampling
    assert sampling is not None, "only datasets that own their frames are extracted"
    return SamplingRecipe(**sampling.model_dump())
