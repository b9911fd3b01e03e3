"""The settings of a dataset: where its videos and labels are, and which frames are kept."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from benchmark.config.strict import Strict

__all__ = [
    "PAPER_DATASETS",
    "SOURCES",
    "ActivityNetVideos",
    "BuiltinVideos",
    "CsvVideos",
    "DatasetConfig",
    "HvuVideos",
    "KineticsVideos",
    "Listed",
    "Loss",
    "OnDuplicate",
    "OutsideRoot",
    "Published",
    "ReaderName",
    "Role",
    "Sampling",
]

Metric = Literal["map", "top1"]
Role = Literal["long", "short", "multi"]
Loss = Literal["cross_entropy", "binary_cross_entropy"]
OutsideRoot = Literal["error", "links", "any"]
OnDuplicate = Literal["error", "keep_train", "keep_val", "keep_first"]
ReaderName = Literal["pyav", "decord", "torchcodec"]
PaperDataset = Literal["ActivityNet", "Mini-Kinetics", "HVU"]
PAPER_DATASETS: dict[Role, PaperDataset] = {
    "long": "ActivityNet",
    "short": "Mini-Kinetics",
    "multi": "HVU",
}
SOURCES = ("builtin", "csv", "activity_net", "kinetics", "hvu")
"""Keys of a dataset of which exactly one says where its videos are."""


class BuiltinVideos(Strict):
    """Videos that the project generates."""

    set: Role = Field(description="which of the three built-in sets")
    num_train: int = Field(gt=0, le=100_000)
    num_val: int = Field(gt=0, le=100_000)
    seed: int = Field(0, ge=0, lt=2**31)


class Listed(Strict):
    """Videos of the user, below a folder that may be named by a placeholder of the profile."""

    root: str = Field(description="folder of the videos; may hold {clips_root} or its like")
    on_duplicate: OnDuplicate = Field(
        "error", description="what to do with a video on both sides of a split"
    )

    @property
    def lists(self) -> tuple[str, ...]:
        """The files that say which videos there are, relative to root."""
        keys = ("csv", "annotations", "train", "val", "tags", "classes")
        return tuple(name for key in keys if (name := getattr(self, key, None)) is not None)


class Published(Listed):
    """Videos of a published dataset, below `root` in whatever folders."""

    # Such datasets hold the same bytes under several ids. What is tested on stays as published.
    on_duplicate: OnDuplicate = "keep_val"


class CsvVideos(Listed):
    """Videos of the user, listed in a CSV file with named columns."""

    csv: str = Field(description="the list, relative to root")
    path: str = Field("path", description="column with the video's path below root")
    labels: tuple[str, ...] = Field(("label",), description="columns with labels")
    split: str | None = Field(None, description="column with train or val")
    group: str | None = Field(None, description="column that never stands on both sides")
    num_folds: int = Field(1, ge=1, le=1000, description="1: the split column; more: group k-fold")
    multi_label: bool = False


class ActivityNetVideos(Published):
    """ActivityNet as its authors publish it, and the user's folder of videos."""

    annotations: str = Field(
        "activity_net.v1-3.min.json", description="the release's JSON, relative to root"
    )


class KineticsVideos(Published):
    """Kinetics clips, or those of some classes, by its CSVs or by published list files."""

    train: str = Field(description="CSV or list file of the training clips, relative to root")
    val: str = Field(description="the same of the validation clips")
    classes: str | None = Field(
        None,
        description="file of class names, relative to root: in the order of the numbers of a list "
        "file, and those of a CSV that are wanted",
    )


class HvuVideos(Published):
    """HVU as its authors publish it: CSVs with tags, and a list of tags with their categories."""

    train: str = Field(description="CSV with tags, relative to root")
    val: str = Field(description="the same of the validation clips")
    tags: str = Field(description="CSV of tags with their categories, relative to root")


class Sampling(Strict):
    """Which frames of a video are stored, and how."""

    positions: int | None = Field(
        None, gt=0, le=10_000, description="so many equally spaced frames"
    )
    fps: float | None = Field(None, gt=0, le=1000, description="or so many a second")
    short_side: int | None = Field(None, gt=0, le=8192, description="scale the short side to this")
    scaling: Literal["shrink", "fit"] = Field(
        "shrink",
        description="shrink: only longer sides, by plain bilinear interpolation; fit: all frames, "
        "upward too, by ffmpeg's bicubic filter",
    )
    skip_start_s: float = Field(
        0.0, ge=0, le=86_400, description="seconds left out at the beginning"
    )
    jpeg_quality: int | None = Field(
        None, ge=1, le=100, description="store JPEG of this quality; raw pixels where absent"
    )
    reader: ReaderName = Field(
        "pyav",
        description="what decodes the videos; PyAV reads those of which another reader cannot be "
        "shown to return the right frames, and the store says which and why",
    )

    @model_validator(mode="after")
    def _one_grid(self) -> Sampling:
        if (self.positions is None) == (self.fps is None):
            raise ValueError("give either positions or fps")
        if self.scaling == "fit" and self.short_side is None:
            raise ValueError("scaling: fit needs short_side")
        return self


class DatasetConfig(Strict):
    """One dataset, in the part of one of the paper's three."""

    role: Role = Field(description="long: ActivityNet, short: Mini-Kinetics, multi: HVU")
    builtin: BuiltinVideos | None = None
    csv: CsvVideos | None = None
    activity_net: ActivityNetVideos | None = None
    kinetics: KineticsVideos | None = None
    hvu: HvuVideos | None = None
    frames_of: str | None = Field(None, description="a dataset whose stored frames it shares")
    sampling: Sampling | None = None
    metric: Metric = "map"
    loss: Loss | None = Field(
        None, description="default: binary cross-entropy where a video may have several labels"
    )
    max_unreadable_fraction: float = Field(0.0, ge=0, le=1)
    paper_dataset: PaperDataset | None = Field(
        None, description="the paper's dataset, if these are its videos: they fill the ledger"
    )

    @property
    def source(self) -> BuiltinVideos | Listed:
        """Where its videos are."""
        found: list[BuiltinVideos | Listed] = [
            part for name in SOURCES if (part := getattr(self, name)) is not None
        ]
        return found[0]

    @model_validator(mode="after")
    def _the_papers_own(self) -> DatasetConfig:
        if self.paper_dataset is None:
            return self
        if self.builtin is not None:
            raise ValueError("built-in videos are no dataset of the paper's: drop paper_dataset")
        if self.paper_dataset != PAPER_DATASETS[self.role]:
            raise ValueError(
                f"{self.paper_dataset} does not play the part '{self.role}' in the paper, "
                f"{PAPER_DATASETS[self.role]} does"
            )
        return self

    @model_validator(mode="after")
    def _one_source(self) -> DatasetConfig:
        given = [name for name in SOURCES if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give one of {', '.join(SOURCES)}")
        if (self.sampling is None) == (self.frames_of is None):
            raise ValueError("give either sampling or frames_of")
        return self
