"""Mini-Kinetics: 200 classes of Kinetics-400, by the lists that AR-Net's authors chose.

Three forms of a list are read, each side in its own:
- lines `images/val/air drumming/<id>_000010_000020 300 0`: path, number of frames, class number.
  The path may hold spaces. AdaFuse has them in data/kinetics (mini_val_videofolder.txt, the same
  with ';' in mini_val.txt) with minik_classInd.txt, the names in the order of their numbers;
  AR-Net's ops/dataset_config.py asks for the same two names, its files are not in the repository.
- lines `<id> 300 0` without times, in the same order (OCSampler, data/mini_kinetics).
- the Kinetics CSV: label,youtube_id,time_start,time_end,split and perhaps is_cc; classes that are
  not among the names are left out. FrameExit's released loader reads this form.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from benchmark.config_data import KineticsVideos
from benchmark.data.clip_names import clip_ids, places_of, read_clips
from benchmark.data.listing import Listing, checked_listing, on_one_side
from benchmark.data.manifest_checks import SPLITS, Faults
from benchmark.data.video_files import VIDEO_SUFFIXES, VideoFiles, located
from benchmark.errors import BenchmarkError, did_you_mean
from benchmark.text_files import read_text

__all__ = ["list_kinetics"]

_SIDES = {"train": ("train", "training"), "val": ("val", "validate", "validation")}
_LINE = re.compile(r"(.*[^\s;,])[\s;,]+(\d+)[\s;,]+(\d+)")
_SUFFIX = re.compile(f"({'|'.join(map(re.escape, VIDEO_SUFFIXES))})$", re.IGNORECASE)
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
    classes = None if source.classes is None else _class_names(root / source.classes, faults)
    sides: list[pd.DataFrame] = []
    others: dict[str, pd.Series[str]] = {}
    for split, list_name in zip(SPLITS, (source.train, source.val), strict=True):
        path = root / list_name
        lines = _lines_of(path)
        if "youtube_id" in lines[lines != ""].iloc[0]:
            side, others[list_name] = _of_csv(path, split, classes, faults)
        else:
            side = _of_list(path, lines, classes, faults)
        sides.append(side.assign(split=split, group=""))
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
        "further files of the same name": files.num_beside(kept["path"]),
    }
    return checked_listing(kept, faults, single=True, classes=classes, left_out=left_out)


def _found(names: pd.Series[str], files: VideoFiles) -> list[pd.Series[str]]:
    """Return the files of each name: itself, in whole seconds, without times, with any times."""
    whole = names.str.replace(r"\.\d+(?=_|$)", "", regex=True)
    bare = names.str.replace(r"_\d{6}(\.\d+)?_\d{6}(\.\d+)?$", "", regex=True)
    timed = files.without_times().find(names)
    return [files.find(names), files.find(whole), files.find(bare), timed]


def _class_names(path: Path, faults: Faults) -> list[str]:
    names = _lines_of(path).tolist()
    if "" in names:
        line = names.index("") + 1
        faults.add("a line without a name", where=f"{path}:{line}", fix="each line is a number")
    for name in sorted({name for name in names if names.count(name) > 1}):
        faults.add(f"the class '{name}' stands there twice", where=path, fix="list each once")
    return names


def _lines_of(path: Path) -> pd.Series[str]:
    """Return the lines of a file, without empty ones at its end."""
    text = read_text(path).rstrip()
    if not text:
        raise BenchmarkError("is empty", where=path, fix="use the published file")
    return pd.Series(text.split("\n"), dtype="str").str.strip()


def _of_csv(
    path: Path, split: str, classes: list[str] | None, faults: Faults
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
    rows["labels"] = labels.map(_plain).map({_plain(name): name for name in classes})
    other = rows["labels"].isna()
    return rows[~other], labels[other]


def _of_list(
    path: Path, lines: pd.Series[str], classes: list[str] | None, faults: Faults
) -> pd.DataFrame:
    """Return id, label and place of each clip of a list with class numbers."""
    if classes is None:
        fix = "name it, e.g. classes: minik_classInd.txt"
        faults.add("a list with class numbers needs a file of their names", where=path, fix=fix)
        return pd.DataFrame(columns=_COLUMNS, dtype="str")
    matches = [_LINE.fullmatch(line) for line in lines]
    parts = [match.group(1, 3) if match else ("", "") for match in matches]
    rows = pd.DataFrame(parts, columns=["path", "number"], dtype="str")
    rows = rows.assign(place=places_of(path, lines, 1))[lines != ""]
    wrong = rows["path"] == ""
    fix = "use the published file"
    faults.add_rows(wrong, "is not 'PATH FRAMES CLASS'", rows["place"], fix)
    rows = rows[~wrong]
    numbers = rows["number"].astype("int64")
    outside = numbers >= len(classes)
    what = "no class has the number " + rows["number"] + f": there are {len(classes)}, from 0"
    fix = "use the file of names that belongs to the list"
    faults.add_rows(outside, what, rows["place"], fix)
    rows = rows.assign(labels=numbers.map(dict(enumerate(classes))))[~outside].astype("str")
    _check_folders(rows, classes, faults)
    names = [_SUFFIX.sub("", path.rpartition("/")[2]) for path in rows["path"]]
    return rows.assign(video_id=pd.Series(names, index=rows.index, dtype="str"))[_COLUMNS]


def _check_folders(rows: pd.DataFrame, classes: list[str], faults: Faults) -> None:
    """Hold the class's number against the folder in the path, where that is named by a class.

    Two projects may number the same classes in two ways; then every clip would be of another one.
    """
    plain = {name: _plain(name) for name in classes}
    names = [path.rpartition("/")[0].rpartition("/")[2] for path in rows["path"]]
    folders = pd.Series(names, index=rows.index, dtype="str")
    meant = folders.map({name: _plain(name) for name in folders.unique()})
    wrong = meant.isin(plain.values()) & (meant != rows["labels"].map(plain))
    what = "the class's number says '" + rows["labels"] + "', its folder '" + folders + "'"
    fix = "use the file of names that belongs to the list"
    faults.add_rows(wrong, what, rows["place"], fix)


def _check_used(
    classes: list[str], rows: pd.DataFrame, others: pd.Series[str], faults: Faults
) -> None:
    """Name the classes without clips: one that is misspelt would leave its clips out."""
    used, left_out = set(rows["labels"]), set(others)
    for name in classes:
        if name not in used:
            hint = did_you_mean(name, left_out)
            faults.add(f"no clip has the class '{name}'{hint}", fix="correct the file of names")


def _plain(name: str) -> str:
    """Return a class's name as folders and lists may write it: spaces for underscores."""
    return " ".join(name.replace("_", " ").split())
