"""Lists with a clip a line, its class as a number, by the folder that it lies in, or both.

Projects number the same classes from 0 and from 1. A list that is read by the other's numbers
gives every clip a wrong label, and nothing else would notice. So a class number and a folder that
is named by a class must agree, and a list without such folders must not look as if it counted from
1.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from benchmark.data.manifest.checks import Faults
from benchmark.data.published.class_names import ClassFile, plain
from benchmark.data.published.video_files import VIDEO_SUFFIXES

__all__ = ["check_start", "read_list"]

_NUMBERED = re.compile(r"(.*?[^\s;,])[\s;,]+(?:\d+[\s;,]+)?(\d+)")
_SUFFIX = re.compile(f"({'|'.join(map(re.escape, VIDEO_SUFFIXES))})$", re.IGNORECASE)


def read_list(path: Path, lines: list[str], classes: ClassFile, faults: Faults) -> pd.DataFrame:
    """Read lines of the forms `PATH FRAMES CLASS`, `PATH CLASS` and `PATH`.

    Args:
        path: of the list, for messages.
        lines: of the file; empty ones are passed over.
        classes: the names behind the numbers.
        faults: receives each line that is none, or whose class is not known beyond doubt.

    Returns:
        Columns video_id (the file's name without a video's suffix), labels, place, number ('' where
        a line has none) and folder (the class that a folder of the path is named by, or '').
    """
    rows = pd.DataFrame(
        [(*_parts(line), f"{path}:{at}") for at, line in enumerate(lines, start=1) if line],
        columns=["path", "number", "place"],
        dtype="str",
    )
    by_name = {plain(name): name for name in classes.names.values()}
    folders = rows["path"].str.replace(r"/?[^/]*$", "", regex=True)
    of_folder = {folder: _class_of(folder, by_name) for folder in folders.unique()}
    rows = rows.assign(folder=folders.map(of_folder).astype("str"))
    by_number = rows["number"].map({str(n): name for n, name in classes.names.items()}).fillna("")
    rows = rows.assign(labels=by_number.where(by_number != "", rows["folder"]).astype("str"))
    wrong = (rows["number"] == "") & ((rows["folder"] == "") | ~_is_video(rows["path"]))
    what = "is not 'PATH FRAMES CLASS', 'PATH CLASS', or the path of a video in a class's folder"
    faults.add_rows(wrong, what, rows["place"], "use the published file")
    rows = rows[~wrong]
    if not _check_shift(rows, classes, faults):
        _check_numbers(rows, classes, faults)
    stems = rows["path"].str.replace(_SUFFIX, "", regex=True)
    rows = rows.assign(video_id=stems.str.replace(r"^.*/", "", regex=True))
    _check_names(rows, stems, faults)
    return rows[rows["labels"] != ""]


def check_start(rows: pd.DataFrame, classes: ClassFile, faults: Faults) -> None:
    """Refuse lists that may count from 1, where nothing says from where they count.

    Args:
        rows: of all lists, as of `read_list`.
        classes: the names behind the numbers.
        faults: receives the doubt.
    """
    known = classes.is_numbered or (rows["folder"] != "").any() or (rows["number"] == "0").any()
    if known or rows.empty:
        return
    name = classes.names[0]
    what = f"no line has the class number 0 ('{name}'), so the numbers may count from 1"
    fix = f"begin each line of {classes.path.name} with its number in the lists, such as '0 {name}'"
    faults.add(what, where=str(rows["place"].iloc[0]).rpartition(":")[0], fix=fix)


def _parts(line: str) -> tuple[str, str]:
    """Return path and class number of a line; '' for a number that is not there."""
    match = _NUMBERED.fullmatch(line)
    return (match[1], str(int(match[2]))) if match else (line, "")


def _class_of(folder: str, by_name: dict[str, str]) -> str:
    """Return the class that the innermost such folder of a path is named by, or ''."""
    named = (by_name.get(plain(part)) for part in reversed(folder.split("/")))
    return next(filter(None, named), "")


def _is_video(paths: pd.Series[str]) -> pd.Series[bool]:
    return paths.str.lower().str.endswith(VIDEO_SUFFIXES)


def _check_shift(rows: pd.DataFrame, classes: ClassFile, faults: Faults) -> bool:
    """Name the one fault of a list whose numbers all differ by one from those of its folders."""
    both = rows[(rows["number"] != "") & (rows["folder"] != "")]
    number_of = {name: number for number, name in classes.names.items()}
    expected = both["folder"].map(number_of).astype("int64")
    shifts = (both["number"].astype("int64") - expected).unique().tolist()
    if len(shifts) != 1 or abs(shifts[0]) != 1:
        return False
    start = min(classes.names)
    first = both.iloc[0]
    what = (
        f"the class numbers here count from {start + shifts[0]}, those of {classes.path.name} from "
        f"{start}: the number {first['number']} stands with the folder '{first['folder']}', which "
        f"has the number {number_of[first['folder']]} there"
    )
    example = f"{start + shifts[0]} {classes.names[start]}"
    fix = f"begin each line of {classes.path.name} with its number in the list, such as '{example}'"
    faults.add(what, where=first["place"], fix=fix)
    return True


def _check_numbers(rows: pd.DataFrame, classes: ClassFile, faults: Faults) -> None:
    """Check that each number is a class's, and the one that the folder names."""
    fix = "use the file of names that belongs to the list"
    outside = (rows["number"] != "") & ~rows["number"].isin({str(n) for n in classes.names})
    what = f": there are {len(classes.names)}, from {min(classes.names)}"
    what_of_rows = "no class has the number " + rows["number"] + what
    faults.add_rows(outside, what_of_rows, rows["place"], fix)
    wrong = ~outside & (rows["folder"] != "") & (rows["folder"] != rows["labels"])
    what_of_rows = (
        "the class's number says '" + rows["labels"] + "', its folder '" + rows["folder"] + "'"
    )
    faults.add_rows(wrong, what_of_rows, rows["place"], fix)


def _check_names(rows: pd.DataFrame, stems: pd.Series[str], faults: Faults) -> None:
    """Refuse different videos of one name, since files are looked for by their names."""
    named = pd.DataFrame({"video_id": rows["video_id"], "stem": stems, "labels": rows["labels"]})
    once = named.drop_duplicates()
    again = once[once.duplicated(["video_id", "labels"])].index
    wrong = pd.Series(rows.index.isin(again), index=rows.index)
    what = "another line has a video '" + rows["video_id"] + "' in another folder"
    fix = "name files differently, or list them in a CSV with their paths"
    faults.add_rows(wrong, what, rows["place"], fix)
