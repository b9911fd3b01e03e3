"""Checks on tables of videos, vectorised: half a million rows are checked in seconds.

A check is a mask over the rows and a message; the faults of a file are collected and raised
together. The same checks serve a user's label list and a stored manifest.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from benchmark.data.manifest.labels import encode_labels
from benchmark.errors import BenchmarkError, did_you_mean, raise_all

__all__ = [
    "COLUMNS",
    "SPLITS",
    "STATUSES",
    "Faults",
    "appearance",
    "check_alike",
    "check_ids",
    "check_labels",
    "check_rows",
    "check_sides",
    "read_table",
]

SPLITS = ("train", "val")
STATUSES = ("ok", "missing", "unreadable", "duplicate")
COLUMNS: Mapping[str, Literal["str", "bool", "int64", "float64"]] = {
    "video_id": "str",
    "path": "str",
    "sha256": "str",
    "labels": "str",
    "split": "str",
    "group": "str",
    "fold": "int64",
    "duration_s": "float64",
    "fps": "float64",
    "num_frames": "int64",
    "width": "int64",
    "height": "int64",
    "has_audio": "bool",
    "stream": "int64",
    "start_s": "float64",
    "constant_rate": "bool",
    "status": "str",
    "reason": "str",
}
"""Columns of `manifest.csv` in their order, with their types."""

_SHOWN_OF_A_KIND = 50


class Faults:
    """Collects the faults of one file, and raises them together."""

    def __init__(self, where: object) -> None:
        self._where, self._errors = where, list[BenchmarkError]()

    def add(self, what: str, *, where: object = None, fix: str = "") -> None:
        """Add one fault of the file, or of another place."""
        self._errors.append(BenchmarkError(what, where=where or self._where, fix=fix))

    def add_rows(
        self, wrong: pd.Series[bool], what: pd.Series[str] | str, places: pd.Series[str], fix: str
    ) -> None:
        """Add a fault for each row of a mask.

        Args:
            wrong: `[N]`.
            what: a message, or one for each row of the mask, by its index.
            places: `[N]`, where each row stands.
            fix: what to do about it.
        """
        chosen = places[wrong]
        for row in chosen.index[:_SHOWN_OF_A_KIND]:
            message = what if isinstance(what, str) else what[row]
            self.add(message, where=chosen[row], fix=fix)
        if len(chosen) > _SHOWN_OF_A_KIND:
            self.add(f"and {len(chosen) - _SHOWN_OF_A_KIND:,} more of the same kind")

    def raise_any(self) -> None:
        """Raise the collected faults, if there are any."""
        raise_all(self._errors, str(self._where))


def read_table(path: Path) -> pd.DataFrame:
    """Read a stored manifest's rows as text; row i stands in line i + 2.

    Raises:
        BenchmarkError: if it is no such CSV.
    """
    try:
        raw = pd.read_csv(
            path, dtype=str, keep_default_na=False, skip_blank_lines=False, encoding="utf-8-sig"
        )
    except OSError as error:
        raise BenchmarkError(f"not readable: {error.strerror}", where=path) from error
    except ValueError as error:  # of pandas' parser, or of the decoder
        reason = str(error).strip().removeprefix("Error tokenizing data. C error: ")
        raise BenchmarkError(f"not readable as CSV: {reason}", where=path) from error
    if not isinstance(raw.index, pd.RangeIndex):
        raise BenchmarkError("the row has more fields than the header", where=f"{path}:2")
    return raw.fillna("")


def appearance(name: str) -> str:
    """Return a name as it is seen: one Unicode form (NFC), single spaces, nothing invisible."""
    form = unicodedata.normalize("NFC", name)
    return " ".join("".join(c for c in form if unicodedata.category(c) != "Cf").split())


def check_alike(names: Iterable[str], what: str, faults: Faults, *, any_case: bool) -> None:
    """Check that no two names differ only in what a reader cannot see.

    Args:
        names: that are not equal.
        what: they are, in the plural.
        faults: receives each pair, with characters beyond ASCII as escapes.
        any_case: whether small and capital letters count as the same too.
    """
    first: dict[str, str] = {}
    for name in sorted(names):
        seen = appearance(name).casefold() if any_case else appearance(name)
        other = first.setdefault(seen, name)
        if other != name:
            by_case = appearance(name) != appearance(other)
            how = "in small and capital letters" if by_case else "in characters that look the same"
            pair = f"the {what} {other!a} and {name!a} differ only {how}"
            faults.add(pair, fix="write both in the same way")


def check_ids(ids: pd.Series[str], places: pd.Series[str], faults: Faults) -> None:
    """Check that no id is empty or stands twice."""
    faults.add_rows(ids == "", "the video has no id", places, "give it one")
    repeated = ids.duplicated() & (ids != "")
    first = places[~repeated].set_axis(ids[~repeated])
    what = "duplicated id '" + ids[repeated] + "', first at " + ids[repeated].map(first)
    faults.add_rows(repeated, what, places, "rename or remove one")


def check_labels(
    labels: pd.Series[str],
    places: pd.Series[str],
    classes: Sequence[str],
    faults: Faults,
    *,
    single: bool,
) -> None:
    """Check that each row's '|'-separated labels are classes, and one of them where `single`."""
    known = set(classes)
    empty = labels == ""
    faults.add_rows(empty, "the video has no label", places, "label it or leave it out")
    wrong = ~empty & encode_labels(labels, classes, multi_label=not single).unknown()
    what = labels[wrong].head(_SHOWN_OF_A_KIND).map(lambda cell: _unknown_labels(cell, known))
    faults.add_rows(wrong, what, places, "mend the label, or list all classes")
    if single:
        several = labels.str.contains("|", regex=False)
        fix = "leave one of them, or make the dataset multi_label"
        faults.add_rows(several, "several labels: " + labels[several], places, fix)


def _unknown_labels(cell: str, known: set[str]) -> str:
    names = [name for name in cell.split("|") if name not in known]
    for name in names:
        alike = [other for other in known if appearance(other) == appearance(name)]
        if alike:
            what = f"the label {name!a} differs from the class {alike[0]!a} only in"
            return f"{what} characters that look the same"
    options = known if len(known) <= 30 else difflib.get_close_matches(names[0], known, n=1)
    return "no class has the label " + ", ".join(
        f"'{name}'{did_you_mean(name, options) if options else ''}" for name in names
    )


def check_sides(
    split: pd.Series[str], places: pd.Series[str], num_folds: int, faults: Faults
) -> None:
    """Check that the column `split` says train or val for each row, where it decides."""
    if num_folds == 1:
        wrong = ~split.isin(SPLITS)
        what = "split is '" + split[wrong] + f"', expected one of {', '.join(SPLITS)}"
        faults.add_rows(wrong, what, places, "name the side, or use folds")


def check_rows(
    raw: pd.DataFrame, path: Path, classes: Sequence[str], num_folds: int, *, single: bool
) -> pd.DataFrame:
    """Check the rows of a stored manifest, and return them with their types.

    Args:
        raw: all columns as text.
        path: the manifest, for messages.
        classes: of the header.
        num_folds: of the header.
        single: whether a video has exactly one label.

    Raises:
        BenchmarkError: naming all faults, each with its line.
    """
    faults = Faults(path)
    for name in COLUMNS:
        if name not in raw.columns:
            faults.add(f"the column '{name}' is missing", fix="build the manifest again")
    faults.raise_any()
    raw = raw[list(COLUMNS)]
    places = f"{path}:" + pd.Series(np.arange(len(raw)) + 2, index=raw.index).astype(str)
    rows, numbers_hold = raw.copy(), True
    for name, kind in COLUMNS.items():
        if kind == "bool":
            rows[name] = raw[name] == "True"
            wrong = ~raw[name].isin(["True", "False"])
        elif kind != "str":
            numbers = pd.to_numeric(raw[name], errors="coerce")
            wrong = ~np.isfinite(numbers) | ((numbers % 1 != 0) if kind == "int64" else False)
            rows[name] = numbers if wrong.any() else numbers.astype(kind)
        else:
            continue
        numbers_hold &= not wrong.any()
        what = f"'{name}' is '" + raw[name][wrong] + f"', expected {kind}"
        faults.add_rows(wrong, what, places, "build the manifest again")
    _check_meaning(rows, places, num_folds, faults, numbers_hold)
    check_labels(rows["labels"], places, classes, faults, single=single)
    check_sides(rows["split"], places, num_folds, faults)
    faults.raise_any()
    return rows


def _check_meaning(
    rows: pd.DataFrame, places: pd.Series[str], num_folds: int, faults: Faults, numbers_hold: bool
) -> None:
    check_ids(rows["video_id"], places, faults)
    ok = rows["status"] == "ok"
    unknown = ~rows["status"].isin(STATUSES)
    what = "unknown status '" + rows["status"][unknown] + "'"
    faults.add_rows(unknown, what, places, "build the manifest again")
    hashed = rows["sha256"].str.fullmatch(r"[0-9a-f]{64}")
    faults.add_rows(ok & ~hashed, "no sha256", places, "build the manifest again")
    faults.add_rows(~ok & (rows["reason"] == ""), "no reason", places, "say why it is not ok")
    if numbers_hold:
        empty = ok & ((rows["num_frames"] < 1) | (rows["fps"] <= 0))
        faults.add_rows(empty, "no frames", places, "build the manifest again")
        outside = (num_folds > 1) & ~rows["fold"].between(0, num_folds - 1)
        limits = f"fold is not in 0..{num_folds - 1}"
        faults.add_rows(outside, limits, places, "build the manifest again")
