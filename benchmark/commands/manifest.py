"""`python -m benchmark manifest`: list, check and describe the videos of a dataset."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmark.commands.arguments import at_least, fraction, name
from benchmark.data.manifest.build import build_from_csv, build_from_folders, check_learnable
from benchmark.data.manifest.checks import Faults
from benchmark.data.manifest.listing import Columns
from benchmark.data.manifest.manifest import Manifest, read_manifest, write_manifest
from benchmark.data.published.class_names import read_class_file
from benchmark.errors import BenchmarkError

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add("source", type=Path, help="a CSV with a header, or a folder that holds one for each class")
    add("--out", type=Path, required=True, help="the manifest.csv to write")
    add("--dataset", type=name, required=True, help="name of the dataset")
    add("--task", choices=["single_label", "multi_label"], default="single_label")
    add("--root", type=Path, help="folder that the CSV's paths are relative to (default: its own)")
    add("--path-column", default="path")
    add("--label-column", action="append", help="give it several times to join columns")
    add("--id-column", help="default: the path without its suffix")
    add("--split-column", help="says 'train' or 'val'")
    add("--group-column", help="with --folds: what must not stand on both sides")
    add("--folds", type=at_least(1), default=1, help="deal whole groups into so many folds")
    add(
        "--classes",
        type=Path,
        help="file with a class a line, in the order of the scores or with numbers",
    )
    add(
        "--on-duplicate",
        choices=["error", "keep_train", "keep_val", "keep_first"],
        default="error",
        help="what to do with the same video on both sides of a split",
    )
    add("--max-unreadable-fraction", type=fraction, default=0.0, help="go on without so many")
    add(
        "--outside-root",
        choices=["error", "links", "any"],
        default="error",
        help="which files may lie outside the root: none, those that links lead to, or any",
    )
    add("--base", type=Path, help="a manifest of the same files: do not read them again")
    add("--workers", type=at_least(1), default=1, help="processes that read the files")


def run(args: argparse.Namespace) -> int:
    """Build the manifest, write it and say what is in it."""
    classes = None
    if args.classes is not None:
        faults = Faults(args.classes)
        classes = read_class_file(args.classes, faults).classes
        faults.raise_any()
    if args.source.is_dir():
        if args.task != "single_label" or args.base is not None:
            raise BenchmarkError(
                "a folder for each class gives one label a video, and takes no --base",
                where=args.source,
                fix="list the videos in a CSV",
            )
        manifest = build_from_folders(
            args.source,
            dataset=args.dataset,
            classes=classes,
            num_folds=args.folds,
            on_duplicate=args.on_duplicate,
            max_unreadable_fraction=args.max_unreadable_fraction,
            outside_root=args.outside_root,
            workers=args.workers,
            progress=_show,
        )
    else:
        manifest = build_from_csv(
            args.source,
            root=args.root or args.source.parent,
            columns=Columns(
                path=args.path_column,
                labels=tuple(args.label_column or ["label"]),
                video_id=args.id_column,
                split=args.split_column,
                group=args.group_column,
            ),
            dataset=args.dataset,
            task=args.task,
            classes=classes,
            num_folds=args.folds,
            on_duplicate=args.on_duplicate,
            max_unreadable_fraction=args.max_unreadable_fraction,
            outside_root=args.outside_root,
            base=None if args.base is None else read_manifest(args.base),
            workers=args.workers,
            progress=_show,
        )
    check_learnable(manifest)
    write_manifest(manifest, args.out)
    print("\n".join(_summary(manifest, args.out)))
    return 0


def _summary(manifest: Manifest, path: Path) -> list[str]:
    counts = ", ".join(f"{number:,} {status}" for status, number in manifest.counts().items())
    lines = [f"{path}: {counts}; {len(manifest.classes)} classes; digest {manifest.digest}"]
    for index in range(manifest.num_folds):
        train, test = manifest.fold(index)
        name = f"fold {index}" if manifest.num_folds > 1 else "split"
        lines.append(f"  {name}: {len(train):,} to train on, {len(test):,} to test on")
    for copy in manifest.duplicates:
        notes = " on both sides" * copy.both_sides + " with DIFFERENT LABELS" * copy.labels_differ
        lines.append(f"  duplicate{notes}: kept {copy.kept}, not {', '.join(copy.dropped)}")
    lines += [
        f"  not used: {name}, since {used} has the same name"
        for used, names in manifest.further_files.items()
        for name in names
    ]
    lines += [f"  left out: {what}: {number:,}" for what, number in manifest.left_out.items()]
    bad = manifest.rows[manifest.rows["status"].isin(["missing", "unreadable"])]
    for video_id, status, reason in zip(bad["video_id"], bad["status"], bad["reason"], strict=True):
        lines.append(f"  {status}: {video_id}: {reason}")
    return lines


def _show(done: int, total: int) -> None:
    if done % 1000 == 0 or done == total:
        print(f"read {done:,} of {total:,} files", file=sys.stderr)
