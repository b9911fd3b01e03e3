"""The record of what is visible when, written beside the videos: the known answers.

*Decidable* means: for every label of the video, every cue of its evidence has been visible in
at least one of the frames visited so far. In a single-label set this is the moment from which
the cues seen leave one class only: a video shows the whole evidence of no other class
(distractors form no class with either glyph of the pair), and with less than the pair seen at
least two classes are possible. Nobody can *know* earlier from frames; a guess can be right. In
the multi-label set it is the moment from which all labels are established; that no further cue
will come is never known before the end. Seeing a distractor decides nothing, and missing one
delays nothing. Sound is not considered.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.data.builtin.generated import check_list
from benchmark.data.builtin.sets import get_set
from benchmark.errors import BenchmarkError, raise_all

__all__ = ["Truth", "load_truth"]


@dataclass(frozen=True)
class Truth:
    """What one built-in video shows.

    Attributes:
        intervals: cue to the half-open frame ranges in which it is visible; only cues shown.
        distractors: glyphs shown that are evidence of no label of this video.
        sounding: the glyph whose tone rings while it is visible, if one does.
    """

    video_id: str
    set_name: str
    split: str
    labels: tuple[str, ...]
    difficulty: str
    num_frames: int
    intervals: Mapping[str, tuple[tuple[int, int], ...]]
    distractors: tuple[str, ...]
    sounding: str | None

    def visible(self, frames: Sequence[int] | npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
        """Return which cues are visible in which of these source frames.

        Args:
            frames: frame indices, each in 0..num_frames - 1, in any order, repeats allowed.

        Returns:
            bool [len(frames), num_cues], columns in the order of `VideoSet.cues`.

        Raises:
            IndexError: if a frame lies outside the video.
        """
        asked = np.asarray(frames, dtype=np.int64)
        if asked.size and not 0 <= asked.min() <= asked.max() < self.num_frames:
            raise IndexError(f"{self.video_id} has frames 0 to {self.num_frames - 1}: {frames}")
        cues = get_set(self.set_name).cues
        shown = np.zeros((asked.size, len(cues)), dtype=np.bool_)
        for cue, ranges in self.intervals.items():
            for start, stop in ranges:
                shown[:, cues.index(cue)] |= (asked >= start) & (asked < stop)
        return shown

    def earliest_decidable_step(
        self, frames: Sequence[int] | npt.NDArray[np.integer]
    ) -> int | None:
        """Return the 1-based step at which the labels become decidable (see the module).

        Args:
            frames: source frame indices in visiting order; step t has seen the first t of them.

        Returns:
            the first such step, or None if these frames never suffice.

        Raises:
            IndexError: if a frame lies outside the video.
        """
        video_set = get_set(self.set_name)
        needed = frozenset[str]().union(*(video_set.evidence[label] for label in self.labels))
        columns = [video_set.cues.index(cue) for cue in sorted(needed)]
        seen = np.logical_or.accumulate(self.visible(frames)[:, columns], axis=0)
        decided = seen.all(axis=1)
        return int(decided.argmax()) + 1 if decided.any() else None

    def to_json(self) -> str:
        """Return the record as one line of JSON."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, line: str) -> Truth:
        """Read a record that `to_json` wrote.

        Raises:
            ValueError, KeyError or TypeError: if the line is not such a record.
        """
        record: dict[str, Any] = json.loads(line)
        for key in ("labels", "distractors"):
            record[key] = tuple(record[key])
        record["intervals"] = {
            cue: tuple((int(start), int(stop)) for start, stop in ranges)
            for cue, ranges in record["intervals"].items()
        }
        return cls(**record)


def load_truth(path: Path) -> dict[str, Truth]:
    """Read `truth.jsonl` into records by video id.

    Raises:
        BenchmarkError: if the file is missing or was changed, or with all lines that are no
            records.
    """
    if not path.is_file():
        raise BenchmarkError(
            "no such file", where=path, fix="generate the built-in videos into this folder"
        )
    check_list(path)
    truths, errors = {}, []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            truth = Truth.from_json(line)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            errors.append(
                BenchmarkError(
                    f"not a record of a built-in video ({error})",
                    where=f"{path}:{number}",
                    fix="delete the file and generate again; finished videos are kept",
                )
            )
        else:
            truths[truth.video_id] = truth
    raise_all(errors, str(path))
    return truths
