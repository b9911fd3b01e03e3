"""Kinetics, Mini-Kinetics, UCF101, HMDB51 and others whose two lists name clips and classes.

Mini-Kinetics has 200 classes of Kinetics-400, by the lists that AR-Net's authors chose. These forms
of a list are read, each side in its own:
- lines `images/val/air drumming/<id>_000010_000020 300 0`: path, number of frames, class number.
  The path may hold spaces. AdaFuse has them in data/kinetics (mini_val_videofolder.txt, the same
  with ';' in mini_val.txt) with minik_classInd.txt, the names in the order of their numbers;
  AR-Net's ops/dataset_config.py asks for the same two names, its files are not in the repository.
- lines `<id> 300 0` without times, in the same order (OCSampler, data/mini_kinetics).
- lines `ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi 1`: path and class number, as UCF101 has them
  in trainlist01.txt with a classInd.txt whose lines carry the numbers (`1 ApplyEyeMakeup`), and
  mmaction2 and PaddleVideo with numbers from 0.
- lines `ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01.avi` without a number, as in UCF101's
  testlist01.txt: the folder names the class.
- the Kinetics CSV: label,youtube_id,time_start,time_end,split and perhaps is_cc; classes that are
  not among the names are left out. FrameExit's released loader reads this form.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from benchmark.config.datasets import KineticsVideos
from benchmark.data.manifest.checks import SPLITS, Faults
from benchmark.data.manifest.listing import Listing, checked_listing, on_one_side
from benchmark.data.published.class_names import ClassFile, lines_of, plain, read_class_file
from benchmark.data.published.clip_names import clip_ids, read_clips
from benchmark.data.published.list_files import check_start, read_list
from benchmark.data.published.video_files import VideoFiles, located
from benchmark.errors import did_you_mean

__all__ = ["list_kinetics"]

_SIDES = {"train": ("train", "training"), "val": ("val", "validate", "validation")}
_COLUMNS = ["video_id", "labels", "place"]


def list_kinetics(root: Path, source: KineticsVideos, files: VideoFiles) -> Listing:
    """List the clips of both sides.

    Args:
        root: the folder of the videos.
        source: names the two lists, and the file of class names that lists with numbers need.
        files: the clips below `root`, in whatever folders: by the name in the list, with or
            without times.

    Raises:
        BenchmarkError: naming all faults of the lists, each with its line.
    """
    faults = Faults(root)
    class_file = None if source.classes is None else read_class_file(root / source.classes, faults)
    classes = None if class_file is None else class_file.classes
    sides: list[pd.DataFrame] = []
    lists: list[pd.DataFrame] = []
    others: dict[str, pd.Series[str]] = {}
    for split, list_name in zip(SPLITS, (source.train, source.val), strict=True):
        path = root / list_name
        lines = lines_of(path)
        if "youtube_id" in next(filter(None, lines)):
            side, others[list_name] = _of_csv(path, split, classes, faults)
        else:
            side = _of_list(path, lines, class_file, faults)
            lists.append(side)
        side = side[_COLUMNS]
        sides.append(side.assign(split=split, group=""))
    if lists and class_file is not None:
        check_start(pd.concat(lists), class_file, faults)
    rows = pd.concat(sides, ignore_index=True).astype("str")
    once = rows[~rows.duplicated(["video_id", "labels", "split"])]
    kept = on_one_side(once, source.on_duplicate)
    if others and all(map(len, sides)):
        _check_used(classes or [], rows, pd.concat(others.values()), faults)
    kept = located(kept, _found(kept["video_id"], files))
    left_out = {
        **{f"clips of other classes in {name}": len(labels) for name, labels in others.items()},
        "lines that stand there twice": len(rows) - len(once),
        "clips that the other side has too": len(once) - len(kept),
    }
    further = files.further_of(kept["path"])
    return checked_listing(
        kept, faults, single=True, classes=classes, left_out=left_out, further=further
    )


def _found(names: pd.Series[str], files: VideoFiles) -> list[pd.Series[str]]:
    """Return the files of each name: itself, in whole seconds, without times, with any times."""
    whole = names.str.replace(r"\.\d+(?=_|$)", "", regex=True)
    bare = names.str.replace(r"_\d{6}(\.\d+)?_\d{6}(\.\d+)?$", "", regex=True)
    timed = files.without_times().find(names)
    return [files.find(names), files.find(whole), files.find(bare), timed]


def _of_csv(
    path: Path, split: str, classes: Sequence[str] | None, faults: Faults
) -> tuple[pd.DataFrame, pd.Series[str]]:
    """Return id, label and place of each clip, and the labels of those of other classes."""
    clips = read_clips(path, ["label"], faults)
    if clips.empty:
        return pd.DataFrame(columns=_COLUMNS, dtype="str"), pd.Series(dtype="str")
    if "split" in clips.columns:
        wrong = ~clips["split"].isin(_SIDES[split])
        what = "split is '" + clips["split"] + f"' in the list of {split}"
        faults.add_rows(wrong, what, clips["place"], f"use a list of {split}")
    labels = clips["label"].str.strip()
    rows = pd.DataFrame({"video_id": clip_ids(clips), "labels": labels, "place": clips["place"]})
    if classes is None:
        return rows, pd.Series(dtype="str")
    rows["labels"] = labels.map(plain).map({plain(name): name for name in classes})
    other = rows["labels"].isna()
    return rows[~other], labels[other]


def _of_list(
    path: Path, lines: list[str], class_file: ClassFile | None, faults: Faults
) -> pd.DataFrame:
    """Return id, label and place of each clip of a list, and how its class was known."""
    if class_file is None:
        fix = "name it, e.g. classes: minik_classInd.txt"
        faults.add("a list with class numbers needs a file of their names", where=path, fix=fix)
        return pd.DataFrame(columns=_COLUMNS, dtype="str")
    return read_list(path, lines, class_file, faults)


def _check_used(
    classes: Sequence[str], rows: pd.DataFrame, others: pd.Series[str], faults: Faults
) -> None:
    """Name the classes without clips: one that is misspelt would leave its clips out."""
    used, left_out = set(rows["labels"]), set(others)
    for name in classes:
        if name not in used:
            hint = did_you_mean(name, left_out)
            faults.add(f"no clip has the class '{name}'{hint}", fix="correct the file of names")
