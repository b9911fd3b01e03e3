"""Labels as numbers, and targets made of them for a batch at a time.

The targets of HVU's 476,000 training videos over 3,142 tags would take 6 GB; their labels take a
hundredth of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Labels", "encode_labels"]

_CELLS_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class Labels:
    """The labels of N videos.

    `labels[indices]` is what a training batch sees, so that it stands where a tensor of all
    targets could.

    Attributes:
        codes: `[L]` int32, the classes of all labels of all videos, one video after the other;
            -1 for a label that is no class.
        first: `[N + 1]` int64, where each video's labels begin, and the end.
        num_classes: C.
        multi_label: whether a target is a row of 0 and 1, or a class index.
    """

    codes: npt.NDArray[np.int32]
    first: npt.NDArray[np.int64]
    num_classes: int
    multi_label: bool

    def __len__(self) -> int:
        return len(self.first) - 1

    def __getitem__(self, indices: Tensor) -> Tensor:
        """Return the targets of some videos: `[K]` int64, or `[K, C]` float32 if multi_label."""
        import torch  # noqa: PLC0415  (whoever reads a manifest need not wait for it)

        return torch.from_numpy(self.targets(indices.numpy()))

    def targets(
        self, indices: npt.NDArray[np.integer]
    ) -> npt.NDArray[np.int64] | npt.NDArray[np.float32]:
        """Return the targets of some videos: `[K]` int64, or `[K, C]` float32 if multi_label."""
        if not self.multi_label:
            index: npt.NDArray[np.int64] = self.codes[self.first[indices]].astype(np.int64)
            return index
        chosen = self.select(indices)
        rows = np.repeat(np.arange(len(chosen)), np.diff(chosen.first))
        hot = np.zeros((len(chosen), self.num_classes), dtype=np.float32)
        hot[rows, chosen.codes] = 1.0
        return hot

    def select(self, indices: npt.NDArray[np.integer]) -> Labels:
        """Return the labels of some videos, in the order of `indices`."""
        counts = np.diff(self.first)[indices]
        first = np.concatenate([[0], np.cumsum(counts)])
        places = np.arange(first[-1]) + np.repeat(self.first[indices] - first[:-1], counts)
        return Labels(self.codes[places], first, self.num_classes, self.multi_label)

    def unknown(self) -> npt.NDArray[np.bool_]:
        """Return which videos have a label that is no class: `[N]`."""
        whose = np.repeat(np.arange(len(self)), np.diff(self.first))
        return np.bincount(whose[self.codes < 0], minlength=len(self)) > 0


def encode_labels(cells: pd.Series[str], classes: Sequence[str], *, multi_label: bool) -> Labels:
    """Return the labels of a column of '|'-separated names: `[N]`; an empty cell has one, ''."""
    known = pa.array(classes, pa.large_string())
    codes, counts = [np.zeros(0, dtype=np.int32)], [np.zeros(1, dtype=np.int64)]
    for start in range(0, len(cells), _CELLS_AT_ONCE):
        # A few at once: the names of all of them would take a gigabyte.
        part = pa.array(cells.iloc[start : start + _CELLS_AT_ONCE].tolist(), pa.large_string())
        names = pc.split_pattern(part, "|")
        codes.append(pc.index_in(names.flatten(), known).fill_null(-1).to_numpy())
        counts.append(pc.list_value_length(names).to_numpy().astype(np.int64))
    first = np.cumsum(np.concatenate(counts))
    return Labels(np.concatenate(codes), first, len(classes), multi_label)
