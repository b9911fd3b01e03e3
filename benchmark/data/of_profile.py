"""A profile's datasets: their manifests and sampling recipes, from the settings."""

from __future__ import annotations

from benchmark.config import Config
from benchmark.data.build_manifest import build_from_csv
from benchmark.data.builtin.sets import get_set
from benchmark.data.listing import Columns
from benchmark.data.manifest import Manifest, read_manifest
from benchmark.data.probe import Progress
from benchmark.data.recipe import SamplingRecipe
from benchmark.errors import BenchmarkError
from benchmark.layout import Layout

__all__ = ["build_profile_manifest", "recipe_of"]


def build_profile_manifest(
    config: Config,
    dataset: str,
    workers: int,
    progress: Progress | None = None,
    base: Manifest | None = None,
) -> Manifest:
    """Build the manifest of one of a profile's datasets.

    Args:
        config: the profile.
        dataset: its name.
        workers: processes that read files.
        progress: called with (files read, files to read).
        base: a manifest whose facts about the files are taken over, by default that of the dataset
            whose frames are shared.

    Raises:
        BenchmarkError: for missing folders, faulty label files and unreadable videos.
    """
    settings, layout = config.datasets[dataset], Layout.of(config)
    if base is None and settings.frames_of:
        base = read_manifest(layout.manifest(settings.frames_of))
    if settings.builtin is not None:
        folder, video_set = layout.videos(dataset), get_set(settings.builtin.set)
        return build_from_csv(
            folder / "labels.csv",
            root=folder,
            columns=Columns(labels=("labels",), video_id="video_id", split="split"),
            dataset=dataset,
            task="multi_label" if video_set.multi_label else "single_label",
            classes=video_set.classes,
            max_unreadable_fraction=settings.max_unreadable_fraction,
            base=base,
            workers=workers,
            progress=progress,
        )
    listed = settings.csv
    assert listed is not None, "checked with the settings"
    root = config.place(listed.root)
    if not root.is_dir():
        raise BenchmarkError(
            "no such folder of videos",
            where=root,
            fix=f"correct datasets.{dataset}.csv.root, or the folder that --config names",
        )
    return build_from_csv(
        root / listed.csv,
        root=root,
        columns=Columns(
            path=listed.path, labels=listed.labels, split=listed.split, group=listed.group
        ),
        dataset=dataset,
        task="multi_label" if listed.multi_label else "single_label",
        num_folds=listed.num_folds,
        on_duplicate=listed.on_duplicate,
        max_unreadable_fraction=settings.max_unreadable_fraction,
        base=base,
        workers=workers,
        progress=progress,
    )


def recipe_of(config: Config, dataset: str) -> SamplingRecipe:
    """Return which frames of a dataset's videos are stored."""
    sampling = config.datasets[dataset].sampling
    assert sampling is not None, "only datasets that own their frames are extracted"
    return SamplingRecipe(**sampling.model_dump(exclude={"jpeg_quality"}))
