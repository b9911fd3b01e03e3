"""What is known of a dataset's videos before they are decoded.

The manifest knows all of them. Before there is one, a built-in set's settings do, and for other
datasets the expected counts of their descriptor in `data_manifests/`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmark.config.datasets import BuiltinVideos, CsvVideos, DatasetConfig, Listed
from benchmark.config.profile import Config
from benchmark.data.builtin.sets import get_set
from benchmark.data.frames.disk_space import stored_pixels
from benchmark.data.frames.recipe import SamplingRecipe
from benchmark.data.manifest.manifest import Manifest, read_manifest
from benchmark.data.profile_datasets import recipe_of
from benchmark.errors import BenchmarkError
from benchmark.estimate.ranges import Range, exactly
from benchmark.experiment.layout import Layout
from benchmark.files.repository import REPOSITORY
from benchmark.files.yaml import place_of, read_mapping

__all__ = ["Example", "VideoFacts", "video_facts"]

_DESCRIPTORS = REPOSITORY / "data_manifests"
_EXAMPLES = 8
_SIZED_FILES = 200
_UNKNOWN_FPS = Range(24.0, 30.0)
_UNKNOWN_RATIO = Range(4 / 3, 16 / 9)
_UNKNOWN_HEIGHT = Range(240.0, 720.0)
# Of the two sets of clips of profile `clips` 0.11 and 0.82 Mbit/s; web video has more.
_UNKNOWN_BYTES_A_SECOND = Range(0.2e6 / 8, 3e6 / 8)


@dataclass(frozen=True)
class Example:
    """A video of the user, to measure with."""

    path: Path
    num_frames: int
    fps: float
    height: int
    width: int


@dataclass(frozen=True)
class VideoFacts:
    """A dataset's videos; what has 'mean' in its description is a mean over them.

    Attributes:
        origin: where these numbers come from.
        num_train: videos to train on, in one fold.
        num_val: videos to predict, in all folds together.
        num_folds: trainings of a run.
        num_classes: C.
        seconds: mean length of a video.
        source_frames: mean frames of a video.
        positions: mean stored frames of a video.
        pixels: mean pixels of a stored frame.
        file_bytes: mean size of a video's file.
        examples: some of the videos, where they are there.
        uncertain: why bounds are apart.
    """

    origin: str
    num_train: Range
    num_val: Range
    num_folds: int
    num_classes: int
    multi_label: bool
    seconds: Range
    source_frames: Range
    positions: Range
    pixels: Range
    file_bytes: Range
    examples: tuple[Example, ...] = ()
    uncertain: tuple[str, ...] = ()

    @property
    def num_videos(self) -> Range:
        """Videos to decode."""
        return self.num_val if self.num_folds > 1 else self.num_train + self.num_val


def video_facts(config: Config, dataset: str) -> VideoFacts:
    """Return what is known of a dataset's videos.

    Raises:
        BenchmarkError: if there is neither a manifest nor a descriptor with expected counts.
    """
    settings = config.datasets[dataset]
    recipe = recipe_of(config, config.frames_name(dataset))
    path = Layout.of(config).manifest(dataset)
    if path.is_file():
        return _of_manifest(read_manifest(path), recipe, path)
    if settings.builtin is not None:
        return _of_builtin(settings.builtin, recipe)
    return _of_descriptor(dataset, settings, recipe)


def _of_manifest(manifest: Manifest, recipe: SamplingRecipe, path: Path) -> VideoFacts:
    rows = manifest.usable("path", "split", "duration_s", "fps", "num_frames", "width", "height")
    if rows.empty:
        raise BenchmarkError("the manifest has no usable video", where=path)
    folds = manifest.num_folds
    num_val = len(rows) if folds > 1 else int((rows["split"] == "val").sum())
    num_train = len(rows) * (folds - 1) / folds if folds > 1 else len(rows) - num_val
    positions = recipe.num_positions(rows["num_frames"].to_numpy(), rows["fps"].to_numpy())
    stored = positions * stored_pixels(rows, recipe)
    files = [manifest.root / name for name in _spread(rows["path"].tolist(), _SIZED_FILES)]
    sizes = [file.stat().st_size for file in files if file.is_file()]
    seconds = float(rows["duration_s"].mean())
    unsized = f"{path.parent.name}: no video is there to be measured; bit rates are a guess"
    return VideoFacts(
        origin=f"the manifest {path}",
        num_train=exactly(num_train),
        num_val=exactly(num_val),
        num_folds=folds,
        num_classes=len(manifest.classes),
        multi_label=manifest.task == "multi_label",
        seconds=exactly(seconds),
        source_frames=exactly(float(rows["num_frames"].mean())),
        positions=exactly(float(positions.mean())),
        pixels=exactly(float(stored.sum() / positions.sum())),
        file_bytes=exactly(float(np.mean(sizes))) if sizes else _UNKNOWN_BYTES_A_SECOND * seconds,
        examples=tuple(one for one in _examples(rows, manifest.root) if one.path.is_file()),
        uncertain=() if sizes else (unsized,),
    )


def _examples(rows: pd.DataFrame, root: Path) -> list[Example]:
    columns = (rows[name].tolist() for name in ("path", "num_frames", "fps", "height", "width"))
    chosen = _spread(list(zip(*columns, strict=True)), _EXAMPLES)
    return [Example(root / path, *facts) for path, *facts in chosen]


def _spread(whole: list[Any], count: int) -> list[Any]:
    """Return `count` elements from the whole list, evenly spaced."""
    places = np.linspace(0, len(whole) - 1, count if whole else 0)
    return [whole[place] for place in np.unique(places.astype(int)).tolist()]


def _of_builtin(settings: BuiltinVideos, recipe: SamplingRecipe) -> VideoFacts:
    video_set = get_set(settings.set)
    seconds = video_set.num_frames / video_set.fps
    positions = recipe.positions or max(1, round(seconds * (recipe.fps or 1)))
    return VideoFacts(
        origin="the profile: videos that it generates",
        num_train=exactly(settings.num_train),
        num_val=exactly(settings.num_val),
        num_folds=1,
        num_classes=len(video_set.classes),
        multi_label=video_set.multi_label,
        seconds=exactly(seconds),
        source_frames=exactly(video_set.num_frames),
        positions=exactly(positions),
        pixels=exactly(64 * 64),
        file_bytes=_UNKNOWN_BYTES_A_SECOND * seconds,
    )


def _of_descriptor(dataset: str, settings: DatasetConfig, recipe: SamplingRecipe) -> VideoFacts:
    path = _DESCRIPTORS / f"{dataset}.yaml"
    if not path.is_file():
        raise BenchmarkError(
            f"dataset '{dataset}' has neither a manifest nor a descriptor, so nothing is known of "
            "its videos",
            where=path,
            fix="build its manifest (snakemake … -- all_frames does), or write the descriptor",
        )
    said = read_mapping(path)
    source, video = settings.source, _part(said, "video", path)
    folds = source.num_folds if isinstance(source, CsvVideos) else 1
    train, val = _expected(_part(said, "expected", path), folds, path)
    there = Range(1 - settings.max_unreadable_fraction, 1.0)
    seconds = _number(video.get("seconds"), path, "video.seconds")
    fps = exactly(_number(video["fps"], path, "video.fps")) if "fps" in video else _UNKNOWN_FPS
    positions = exactly(recipe.positions or max(1.0, seconds * (recipe.fps or 1.0)))
    side = exactly(recipe.short_side) if recipe.short_side else _UNKNOWN_HEIGHT
    assert isinstance(source, Listed), "built-in sets have no descriptor here"
    return VideoFacts(
        origin=f"{path.parent.name}/{path.name}, expected counts",
        num_train=there * train,
        num_val=there * val,
        num_folds=folds,
        num_classes=_num_classes(said.get("classes"), path),
        multi_label=said.get("task") == "multi_label",
        seconds=exactly(seconds),
        source_frames=fps * seconds,
        positions=positions,
        pixels=side * side * _UNKNOWN_RATIO,
        file_bytes=_UNKNOWN_BYTES_A_SECOND * seconds,
        uncertain=(
            f"{dataset}: no manifest yet. Counts and mean length are the descriptor's; up to "
            f"{settings.max_unreadable_fraction:.0%} of the videos may be gone; frame rate, "
            "picture size and bit rate are guesses",
        ),
    )


def _part(said: Mapping[str, Any], key: str, path: Path) -> Mapping[str, Any]:
    part = said.get(key) or {}
    if not isinstance(part, Mapping):
        what = f"{key} is {part!r}, expected keys with values"
        raise BenchmarkError(what, where=place_of(path, [key]))
    return part


def _expected(said: Mapping[str, Any], folds: int, path: Path) -> tuple[float, float]:
    """Return the expected videos to train on and to predict."""
    if "train" in said and "val" in said:
        return tuple(_number(said[side], path, f"expected.{side}") for side in ("train", "val"))  # type: ignore[return-value]
    if "videos" in said and folds > 1:
        usable = _number(said.get("usable", said["videos"]), path, "expected.usable")
        return usable * (folds - 1) / folds, usable
    raise BenchmarkError("expected counts of train and val are missing", where=path)


def _number(said: Any, path: Path, key: str) -> float:
    """Read a number that may stand in a phrase, such as 476k or 'about 8.5'."""
    found = re.search(r"(\d[\d,]*\.?\d*)\s*(k?)", str(said))
    if said is None or found is None:
        raise BenchmarkError(f"{key} is '{said}', expected a number", where=path)
    return float(found[1].replace(",", "")) * (1000 if found[2] else 1)


def _num_classes(said: Any, path: Path) -> int:
    if isinstance(said, Mapping):
        return sum(_num_classes(v, path) if isinstance(v, Mapping) else 1 for v in said.values())
    return int(_number(said, path, "classes"))
