"""HVU as its authors publish it: clips with many tags each, tags of six categories.

Tags and categories are those of HVU_Tags_Categories_V1.0.csv (columns Tag and Category, 3,142 rows,
holistic-video-understanding/HVU-Dataset). The columns of the two lists of clips (Tags, with '|'
between them, youtube_id, time_start and time_end, which may have decimals) are taken from programs
that read them, mmaction2's tools/data/hvu and HVU-Downloader; the lists themselves were not seen.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from benchmark.config.datasets import HvuVideos
from benchmark.data.manifest.checks import SPLITS, Faults
from benchmark.data.manifest.csv_files import read_csv_columns
from benchmark.data.manifest.listing import Listing, checked_listing, on_one_side
from benchmark.data.published.clip_names import (
    as_numbers,
    clip_ids,
    in_seconds,
    in_tenths,
    read_clips,
)
from benchmark.data.published.video_files import VideoFiles, located

__all__ = ["list_hvu"]


def list_hvu(root: Path, source: HvuVideos, files: VideoFiles) -> Listing:
    """List HVU's clips; a class is 'category/tag', so that results know the categories.

    Lines of the same clip on one side are one clip with the tags of all.

    Args:
        root: the folder of the videos.
        source: names the three CSVs.
        files: the clips below `root`: `<id>_000010_000020` in seconds; with '_' at the end, as
            HVU-Downloader leaves what it cut; `<id>_40.5_42.5` or `<id>_4_14`, as in the authors'
            own copy; or in tenths of a second, as mmaction2's.

    Raises:
        BenchmarkError: naming all faults of the three files, each with its line.
    """
    faults = Faults(root)
    names = _class_names(root / source.tags, faults)
    sides = []
    for split, list_name in zip(SPLITS, (source.train, source.val), strict=True):
        side = read_clips(root / list_name, ["Tags"], faults)
        sides.append(side.assign(split=split))
    faults.raise_any()
    clips = pd.concat(sides, ignore_index=True)
    # One that is unknown stays as it is, and is found out with the labels.
    name_of = _NamesOrTags(names).__getitem__
    rows = pd.DataFrame(
        {
            "video_id": clip_ids(clips),
            "labels": [
                "|".join(dict.fromkeys(map(name_of, c.split("|")))) for c in clips["Tags"].tolist()
            ],
            "split": clips["split"],
            "group": "",
            "place": clips["place"],
        },
        dtype="str",
    )
    whole = in_seconds(clips)
    written = [as_numbers(clips, whole_as=end) for end in ("", ".0")]
    forms = (whole, whole + "_", *written, in_tenths(clips))
    rows = located(rows, [files.find(names) for names in forms])
    merged = _merged(rows)
    kept = on_one_side(merged, source.on_duplicate)
    left_out = {
        "lines of a clip that another line has too": len(rows) - len(merged),
        "clips that the other side has too": len(merged) - len(kept),
    }
    classes = sorted({name for cell in names.values() for name in cell.split("|")})
    further = files.further_of(kept["path"])
    return checked_listing(
        kept, faults, single=False, classes=classes, left_out=left_out, further=further
    )


class _NamesOrTags(dict[str, str]):
    def __missing__(self, tag: str) -> str:
        return tag


def _class_names(path: Path, faults: Faults) -> dict[str, str]:
    """Return 'category/tag' by tag; of a tag in two categories both, '|' between them."""
    table = read_csv_columns(path, ("Tag", "Category"), faults, fix="use the released file")
    if table is None:
        return {}
    raw = table.rows
    for name in ("Tag", "Category"):
        faults.add_rows(raw[name] == "", f"no {name}", table.places, "name it")
    joined = raw["Tag"].str.contains("|", regex=False)
    faults.add_rows(joined, "'|' in a tag", table.places, "use the released file")
    names = (raw["Category"] + "/" + raw["Tag"]).groupby(raw["Tag"])
    return {str(tag): "|".join(dict.fromkeys(of_tag)) for tag, of_tag in names}


def _merged(rows: pd.DataFrame) -> pd.DataFrame:
    """Join the labels of lines with the same id and side."""
    key = ["video_id", "split"]
    first = ~rows.duplicated(key)
    repeated = rows[rows.duplicated(key, keep=False)]
    joined = {
        same.index[0]: "|".join(dict.fromkeys("|".join(same["labels"]).split("|")))
        for _, same in repeated.groupby(key, sort=False)
    }
    rows = rows[first].copy()
    rows.loc[list(joined), "labels"] = list(joined.values())
    return rows
