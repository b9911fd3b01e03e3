"""What was expected of a dataset, what its lists name, what is on disk, and what is not.

Written beside the manifest before that may be refused for its missing videos, since whoever has to
get them needs their ids. The expected numbers are those of the dataset's descriptor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.config.profile import Config
from benchmark.data.manifest.checks import SPLITS
from benchmark.data.manifest.manifest import Manifest
from benchmark.errors import BenchmarkError
from benchmark.experiment.layout import Layout
from benchmark.files.repository import REPOSITORY
from benchmark.files.writing import write_text
from benchmark.files.yaml import place_of, read_mapping

__all__ = [
    "DESCRIPTORS",
    "absent_classes",
    "expected_of",
    "print_reports",
    "report_path",
    "report_text",
    "write_report",
]

DESCRIPTORS = REPOSITORY / "data_manifests"
"""The folder of the datasets' descriptors."""

Expected = Mapping[str, int | str]
"""Numbers by 'train', 'val', 'videos' and 'classes'; a text where only its size is known."""

_COLUMNS = ("expected", "listed", "found", "missing", "unreadable", "duplicate", "usable")
_NAMED = ("missing", "unreadable")
_SHOWN_CLASSES = 10
_SHOWN_FILES = 10
_FURTHER = "further_files.txt"


def expected_of(dataset: str, profile: str) -> Expected:
    """Return what the descriptor of a dataset's name expects; nothing without one."""
    path = DESCRIPTORS / f"{dataset}.yaml"
    if not path.is_file():
        return {}
    content = read_mapping(path)
    numbers = content.get("expected")
    if not isinstance(numbers, Mapping):
        fix = "write, for example, 'expected: {train: 100, val: 50}'"
        raise BenchmarkError("no expected counts", where=place_of(path, ["expected"]), fix=fix)
    own = numbers.get(profile)
    numbers = {**(own if isinstance(own, Mapping) else numbers), "classes": content.get("classes")}
    return {
        name: numbers[name]
        for name in (*SPLITS, "videos", "classes")
        if isinstance(numbers.get(name), int | str)
    }


def report_path(manifest: Path) -> Path:
    """Return where the report of a manifest stands."""
    return manifest.with_name("report.txt")


def report_text(manifest: Manifest, expected: Expected, absent: Sequence[str]) -> str:
    """Return the report: a line a side, then whatever else a reader must know.

    Args:
        manifest: what was found.
        expected: of the descriptor.
        absent: of `absent_classes`, which takes seconds for half a million videos.
    """
    sides = {name: manifest.rows[manifest.rows["split"] == name] for name in SPLITS}
    parts = {**(sides if manifest.num_folds == 1 else {}), "videos": manifest.rows}
    lines = [_line((f"{manifest.dataset}:", *_COLUMNS))]
    lines += [_line((name, *_cells(rows, expected.get(name)))) for name, rows in parts.items()]
    lines.append(_line(("classes", expected.get("classes"), len(manifest.classes))))
    listed = {name: len(rows) for name, rows in parts.items()} | {"classes": len(manifest.classes)}
    for name, number in listed.items():
        hoped = expected.get(name)
        if isinstance(hoped, int) and number != hoped:
            what = name if name in ("videos", "classes") else f"videos of {name}"
            more = "more" if number > hoped else "fewer"
            lines.append(f"  the lists have {abs(number - hoped):,} {what} {more} than expected")
    lines += [f"  left out: {what}: {number:,}" for what, number in manifest.left_out.items()]
    lines += _further_lines(manifest)
    lines += [
        f"  {status}: the ids of all {number:,} are in {status}.txt beside the manifest"
        for status in _NAMED
        if (number := manifest.counts()[status])
    ]
    lines += [f"  {line}" for line in absent]
    return "\n".join(lines) + "\n"


def _further_lines(manifest: Manifest) -> list[str]:
    """Return a line for each of the first files that are not used for another of their name."""
    pairs = [(used, name) for used, names in manifest.further_files.items() for name in names]
    lines = [f"  {name} is not used, {used} is" for used, name in pairs[:_SHOWN_FILES]]
    if len(pairs) > _SHOWN_FILES:
        lines.append(f"  all {len(pairs):,} such files are in {_FURTHER} beside the manifest")
    return lines


def absent_classes(manifest: Manifest) -> list[str]:
    """Return a sentence for each side of each fold on which some class has no usable video.

    No method can learn a class that it never trains on, and none is right or wrong about a class
    that is never tested.
    """
    lines = []
    for fold in range(manifest.num_folds):
        of_fold = f" of fold {fold}" if manifest.num_folds > 1 else ""
        for side, ids in zip(("train on", "test on"), manifest.fold(fold), strict=True):
            present = np.bincount(manifest.labels(ids).codes, minlength=len(manifest.classes)) > 0
            absent = [manifest.classes[number] for number in np.flatnonzero(~present)]
            if absent:
                named = ", ".join(absent[:_SHOWN_CLASSES])
                more = len(absent) - _SHOWN_CLASSES
                lines.append(
                    f"no usable video to {side}{of_fold}: {len(absent):,} of "
                    f"{len(manifest.classes):,} classes: {named}"
                    + (f" and {more:,} more" if more > 0 else "")
                )
    return lines


def write_report(manifest: Manifest, text: str, path: Path) -> None:
    """Write the report beside a manifest, with the ids of missing and of unreadable videos.

    `further_files.txt` names each file that is not used and the one of its name that is.

    Args:
        manifest: what was found.
        text: of `report_text`.
        path: of the manifest.
    """
    write_text(report_path(path), text)
    lists = {
        f"{status}.txt": manifest.rows["video_id"][manifest.rows["status"] == status].tolist()
        for status in _NAMED
    }
    lists[_FURTHER] = [
        f"{name}\t{used}" for used, names in manifest.further_files.items() for name in names
    ]
    for name, lines in lists.items():
        if lines:
            write_text(path.with_name(name), "\n".join(lines) + "\n")
        else:
            path.with_name(name).unlink(missing_ok=True)


def print_reports(config: Config) -> None:
    """Print the reports of a profile's datasets, as far as they are written.

    Raises:
        BenchmarkError: if none is.
    """
    paths = {name: report_path(Layout.of(config).manifest(name)) for name in config.datasets}
    if not any(path.is_file() for path in paths.values()):
        fix = f"run: snakemake --cores 2 --config profile={config.profile} -- all_frames"
        raise BenchmarkError("no videos have been listed yet", where=config.data_folder, fix=fix)
    for dataset, path in paths.items():
        absent = f"{dataset}: no manifest yet, so no {path}\n"
        print(path.read_text(encoding="utf-8") if path.is_file() else absent)


def _cells(rows: pd.DataFrame, expected: int | str | None) -> tuple[int | str | None, ...]:
    by_status = rows["status"].value_counts()
    missing, unreadable, duplicate, usable = (
        int(by_status.get(name, 0)) for name in ("missing", "unreadable", "duplicate", "ok")
    )
    listed = len(rows)
    return (expected, listed, listed - missing, missing, unreadable, duplicate, usable)


def _line(cells: tuple[int | str | None, ...]) -> str:
    name, *others = (
        "" if cell is None else f"{cell:,}" if isinstance(cell, int) else cell for cell in cells
    )
    return f"{name:<16}" + "".join(f"{cell:>11}" for cell in others)
