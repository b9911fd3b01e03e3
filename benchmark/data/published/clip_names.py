"""Clips cut from longer videos, and the file names that those who cut them give.

A clip is a YouTube id with two times. On disk it is `<id>_000010_000020.mp4`, times in seconds
with six digits, in the ActivityNet team's Kinetics crawler and wherever it was copied. Seen in:
AdaFuse's lists, the released FrameExit loader (which cuts fractions off), HVU's own downloader.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from benchmark.data.manifest.checks import Faults
from benchmark.data.manifest.csv_files import read_csv_columns

__all__ = ["as_numbers", "clip_ids", "in_seconds", "in_tenths", "read_clips"]

_TIMES = ("time_start", "time_end")


def read_clips(path: Path, columns: Sequence[str], faults: Faults) -> pd.DataFrame:
    """Read a CSV of clips and check its ids and times.

    Args:
        path: the CSV, with a header.
        columns: that it must have beside youtube_id, time_start and time_end.
        faults: receives what is wrong; without a needed column no row is returned.

    Returns:
        The columns as text, 'place', and each time as its digits: time_start_whole,
        time_start_rest, the decimals without zeros at the end, and the same of time_end.

    Raises:
        BenchmarkError: if it is no CSV.
    """
    needed = [*columns, "youtube_id", *_TIMES]
    table = read_csv_columns(path, needed, faults, fix="use the released file")
    if table is None:
        return pd.DataFrame(columns=[*needed, "place"], dtype="str")
    places = table.places
    raw = table.rows.assign(place=places)
    faults.add_rows(raw["youtube_id"] == "", "the clip has no youtube_id", places, "give it one")
    for name in _TIMES:
        digits = raw[name].str.extract(r"^(\d+)(?:\.(\d*?)0*)?$")
        wrong = digits[0].isna()
        faults.add_rows(wrong, f"{name} is '" + raw[name] + "', expected seconds", places, "")
        raw[f"{name}_whole"], raw[f"{name}_rest"] = digits[0].fillna("0"), digits[1].fillna("")
    return raw


def clip_ids(clips: pd.DataFrame) -> pd.Series[str]:
    """Return an id of each clip: its file's usual name, with decimals of times that have them."""
    parts = [clips["youtube_id"]]
    for name in _TIMES:
        rest = clips[f"{name}_rest"]
        parts.append(clips[f"{name}_whole"].str.zfill(6) + ("." + rest).where(rest != "", ""))
    return parts[0] + "_" + parts[1] + "_" + parts[2]


def in_seconds(clips: pd.DataFrame) -> pd.Series[str]:
    """Return `<id>_<start>_<end>` with whole seconds, decimals cut off."""
    start, end = (clips[f"{name}_whole"].str.zfill(6) for name in _TIMES)
    return clips["youtube_id"] + "_" + start + "_" + end


def in_tenths(clips: pd.DataFrame) -> pd.Series[str]:
    """Return `<id>_<start>_<end>` with whole tenths of a second."""
    start, end = (
        (clips[f"{name}_whole"] + clips[f"{name}_rest"].str.slice(0, 1).replace("", "0"))
        .str.replace(r"^0+(?=\d)", "", regex=True)
        .str.zfill(6)
        for name in _TIMES
    )
    return clips["youtube_id"] + "_" + start + "_" + end


def as_numbers(clips: pd.DataFrame, *, whole_as: str) -> pd.Series[str]:
    """Return `<id>_<start>_<end>` with times as they are written in text, such as `40.5`.

    Args:
        clips: of `read_clips`.
        whole_as: what ends whole seconds: nothing (`4`), or '.0' as Python writes a float.
    """
    start, end = (
        clips[f"{name}_whole"].str.replace(r"^0+(?=\d)", "", regex=True)
        + ("." + clips[f"{name}_rest"]).where(clips[f"{name}_rest"] != "", whole_as)
        for name in _TIMES
    )
    return clips["youtube_id"] + "_" + start + "_" + end
