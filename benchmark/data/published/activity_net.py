"""ActivityNet-1.3 as its authors publish it: one JSON for all videos, several segments a video.

The layout (`database` with subset and annotations by YouTube id, `taxonomy` of all activities) and
the numbers of videos are those of activity-net.org/download.html; the names of the files, `v_<id>`,
those of the released FrameExit loader and of OCSampler's lists.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from pydantic import BaseModel, ValidationError

from benchmark.config.datasets import ActivityNetVideos
from benchmark.data.manifest.checks import Faults
from benchmark.data.manifest.listing import Listing, checked_listing
from benchmark.data.published.video_files import VideoFiles, located
from benchmark.errors import did_you_mean
from benchmark.files.text import parse_json, read_text

__all__ = ["list_activity_net"]

_SUBSETS = {"training": "train", "validation": "val", "testing": ""}
_FAULTS_SHOWN = 50


class _Annotation(BaseModel):
    label: str


class _Video(BaseModel):
    subset: str
    annotations: list[_Annotation]


class _Node(BaseModel):
    nodeName: str  # noqa: N815  (the release's own name)


class _Release(BaseModel):
    database: dict[str, _Video]
    taxonomy: list[_Node] = []


def list_activity_net(root: Path, source: ActivityNetVideos, files: VideoFiles) -> Listing:
    """List the videos of the training and validation subsets; those of testing have no labels.

    A video has the union of its segments' labels: seven of the 4,926 validation videos have two.
    Classes are all labels in the order of their code points. That is the order of the class file
    which FrameExit's released checkpoint was trained with (classes.txt of antran89/ActivityNet,
    made by sorting the training labels); the taxonomy would give the same names, and is used to
    find misspelt ones.

    Args:
        root: the folder of the videos.
        source: names the release's JSON.
        files: the videos below `root`: `v_<id>` or `<id>`, in whatever folder.

    Raises:
        BenchmarkError: naming all faults of the JSON, each with the video's id.
    """
    path = root / source.annotations
    faults = Faults(path)
    release = _read(path, faults)
    rows = pd.DataFrame(
        {
            "video_id": list(release.database),
            "labels": ["|".join(sorted(_labels(video))) for video in release.database.values()],
            "subset": [video.subset for video in release.database.values()],
            "group": "",
        },
        dtype="str",
    )
    rows["place"] = f"{path}:" + rows["video_id"]
    _check_subsets(rows, faults)
    rows = rows.assign(split=rows["subset"].map(_SUBSETS))
    num_testing = int((rows["split"] == "").sum())
    rows = rows[rows["split"].isin(["train", "val"])]
    classes = sorted(set(rows["labels"].str.split("|").explode().unique()) - {""})
    _check_names(classes, release, faults)
    rows = located(rows, [files.find("v_" + rows["video_id"]), files.find(rows["video_id"])])
    left_out = {
        "videos of the subset testing, which has no labels": num_testing,
    }
    further = files.further_of(rows["path"])
    return checked_listing(
        rows, faults, single=False, classes=classes, left_out=left_out, further=further
    )


def _labels(video: _Video) -> set[str]:
    return {annotation.label.strip() for annotation in video.annotations}


def _read(path: Path, faults: Faults) -> _Release:
    """Read the JSON, in which a key that stands twice would hide what stands under it first."""
    content, repeated = parse_json(read_text(path), path)
    try:
        release = _Release.model_validate(content)
    except ValidationError as error:
        for fault in error.errors()[:_FAULTS_SHOWN]:
            key = ".".join(map(str, fault["loc"])) or "the file"
            faults.add(f"{key}: {fault['msg']}", fix="use the released file")
        faults.raise_any()
        raise
    for key in repeated[:_FAULTS_SHOWN]:
        faults.add(f"'{key}' stands there twice", fix="keep one of them")
    return release


def _check_subsets(rows: pd.DataFrame, faults: Faults) -> None:
    wrong = ~rows["subset"].isin(_SUBSETS)
    hints = {name: did_you_mean(name, _SUBSETS) for name in rows["subset"][wrong].unique()}
    what = "unknown subset '" + rows["subset"] + "'" + rows["subset"].map(hints).fillna("")
    faults.add_rows(wrong, what, rows["place"], "name one of them")


def _check_names(classes: list[str], release: _Release, faults: Faults) -> None:
    known = {node.nodeName.strip() for node in release.taxonomy}
    for name in classes if known else []:
        if name not in known:
            faults.add(f"the taxonomy has no activity '{name}'{did_you_mean(name, known)}")
