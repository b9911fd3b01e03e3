"""Tiny folders in the exact layout of ActivityNet-1.3, Mini-Kinetics and HVU, with real mp4s.

Each function writes what a user of the dataset has on disk (the annotation files as released, the
videos under their usual names) and returns the video ids of the two splits. The pictures are those
of the built-in sets, so labels can be learned from them. Ids look like YouTube's: eleven
characters, some of which begin with a hyphen, an underscore or 'v_'.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.data.builtin.generate import generate
from benchmark.data.builtin.sets import get_set

CATEGORIES = ("action", "attribute", "concept", "event", "object", "scene")
"""HVU's, in alphabetical order."""

_BEGINNINGS = ("", "-", "_", "v_", "--")


@dataclass(frozen=True)
class Clip:
    """One of the videos: its made-up YouTube id, side, and labels of the built-in set."""

    youtube_id: str
    split: str
    labels: tuple[str, ...]


def youtube_id(*parts: object) -> str:
    """Return eleven characters as YouTube's, the same for the same parts."""
    digest = hashlib.sha256(repr(parts).encode()).digest()
    text = base64.urlsafe_b64encode(digest).decode()
    return (_BEGINNINGS[digest[-1] % len(_BEGINNINGS)] + text)[:11]


def write_activitynet(
    root: Path, num_train: int = 4, num_val: int = 4, seed: int = 0
) -> tuple[list[str], list[str]]:
    """Write `activity_net.v1-3.min.json` and `v_<id>.mp4` in `train/` and `val/`.

    Each video has its label twice, as where an activity is seen in two segments.
    """
    clips = _videos("long", root, "{split}/v_{id}.mp4", (num_train, num_val), seed)
    database = {clip.youtube_id: activitynet_entry(clip.labels * 2, clip.split) for clip in clips}
    database[youtube_id("testing", seed)] = activitynet_entry((), "test")
    nodes = [{"nodeId": 0, "nodeName": "Root", "parentId": None, "parentName": None}]
    nodes += [
        {"nodeId": number, "nodeName": name, "parentId": 0, "parentName": "Root"}
        for number, name in enumerate(get_set("long").classes, 1)
    ]
    content = {"version": "VERSION 1.3", "taxonomy": nodes, "database": database}
    (root / "activity_net.v1-3.min.json").write_text(json.dumps(content), encoding="utf-8")
    return _ids(clips, "{id}")


def activitynet_entry(labels: Sequence[str], split: str) -> dict[str, object]:
    """Return an entry of the release's database, with one segment a label."""
    return {
        "duration": 24.0,
        "subset": {"train": "training", "val": "validation", "test": "testing"}[split],
        "resolution": "64x64",
        "url": "https://www.youtube.com/watch?v=...",
        "annotations": [
            {"segment": [2.5 * number, 2.5 * number + 2], "label": label}
            for number, label in enumerate(labels)
        ],
    }


def write_mini_kinetics(
    root: Path, num_train: int = 4, num_val: int = 4, seed: int = 0
) -> tuple[list[str], list[str]]:
    """Write AdaFuse's three lists and the clips in a folder for each class, within each split."""
    template = "{split}/{label}/{id}_000010_000020.mp4"
    clips = _videos("short", root, template, (num_train, num_val), seed)
    classes = [_spaced(name) for name in get_set("short").classes]
    (root / "minik_classInd.txt").write_text("".join(f"{name}\n" for name in classes))
    for split in ("train", "val"):
        lines = [
            f"images/{split}/{_spaced(clip.labels[0])}/{clip.youtube_id}_000010_000020 300 "
            f"{classes.index(_spaced(clip.labels[0]))}\n"
            for clip in clips
            if clip.split == split
        ]
        (root / f"mini_{split}_videofolder.txt").write_text("".join(lines))
    return _ids(clips, "{id}_000010_000020")


def write_hvu(
    root: Path, num_train: int = 4, num_val: int = 4, seed: int = 0
) -> tuple[list[str], list[str]]:
    """Write HVU's three CSVs, and the clips under the names that its downloader gives."""
    template = "{split}/{id}_000010_000020_.mp4"
    clips = _videos("multi", root, template, (num_train, num_val), seed)
    tags = get_set("multi").classes
    with (root / "HVU_Tags_Categories_V1.0.csv").open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("Tag", "Category"))
        rows.writerows((tag, CATEGORIES[n % len(CATEGORIES)]) for n, tag in enumerate(tags))
    for split, name in (("train", "HVU_Train_V1.0.csv"), ("val", "HVU_Val_V1.0.csv")):
        with (root / name).open("w", newline="") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(("Tags", "youtube_id", "time_start", "time_end"))
            rows.writerows(
                ("|".join(clip.labels), clip.youtube_id, "10.0", "20.0")
                for clip in clips
                if clip.split == split
            )
    return _ids(clips, "{id}_000010_000020")


def _videos(
    set_name: str, root: Path, template: str, sizes: tuple[int, int], seed: int
) -> list[Clip]:
    """Write the videos of a built-in set under other names, and return what they show."""
    with tempfile.TemporaryDirectory() as made:
        folder, clips = Path(made), []
        generate(set_name, folder, num_train=sizes[0], num_val=sizes[1], seed=seed)
        with (folder / "labels.csv").open(newline="") as file:
            for row in csv.DictReader(file):
                name = youtube_id(set_name, row["video_id"], seed)
                clips.append(Clip(name, row["split"], tuple(row["labels"].split("|"))))
                label = _spaced(clips[-1].labels[0])
                path = root / template.format(id=name, split=row["split"], label=label)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes((folder / row["path"]).read_bytes())
    return clips


def _spaced(label: str) -> str:
    return label.replace("_", " ")


def _ids(clips: Sequence[Clip], template: str) -> tuple[list[str], list[str]]:
    train, val = (
        sorted(template.format(id=clip.youtube_id) for clip in clips if clip.split == split)
        for split in ("train", "val")
    )
    return train, val
