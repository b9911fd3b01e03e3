"""Charges every executed multiply-accumulate to a video and to a component of the method.

A batch executes work for several videos at once. What a named part executes is split equally over
the batch entries that it ran for, exactly: the charges add up to what was executed, to the last
one, and what no part claims is charged to 'other'.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt
import torch

from benchmark.cost.counter import ExecutedOps
from benchmark.errors import BenchmarkError

__all__ = ["OTHER", "Meter", "Rows"]

OTHER = "other"
"""The component that is charged for what is executed outside every named part."""

Rows = torch.Tensor | npt.NDArray[np.integer] | Sequence[int]
"""Indices of the videos of the leading batch entries; a video with several frames repeats."""


class Meter:
    """Counts the MACs of each video, by component.

    `with meter:` counts all that executes inside, and may be entered once a batch; inside,
    `with meter.charge("head", rows):` names a part. Charges may nest; the innermost is charged.

    Args:
        num_videos: rows are indices below this number.

    Raises:
        BenchmarkError: on an op that is neither counted nor declared free, and on work that
            does not divide equally over its rows; the message names the component.
    """

    def __init__(self, num_videos: int) -> None:
        self.num_videos = num_videos
        self._macs: dict[str, npt.NDArray[np.int64]] = {}
        self._executed = 0
        self._active: Rows = range(num_videos)
        self._ops = ExecutedOps(self._count)

    @property
    def active_rows(self) -> Rows:
        """The videos over which work outside every named part is split; all, unless set."""
        return self._active

    @active_rows.setter
    def active_rows(self, rows: Rows) -> None:
        self._settle(OTHER, self._active)
        self._active = rows

    @contextmanager
    def charge(self, component: str, rows: Rows) -> Iterator[None]:
        """Charge what executes inside to `component`, in equal parts to the videos of `rows`.

        Args:
            component: name of a part, e.g. 'backbone', 'head', 'gate', 'policy'.
            rows: [entries] the video of each leading batch entry, repetitions allowed.

        Raises:
            BenchmarkError: if the MACs do not divide exactly by the number of entries.
        """
        self._account(component)
        outside, self._executed = self._executed, 0
        try:
            yield
            self._settle(component, rows)
        finally:
            self._executed = outside

    def add(self, component: str, rows: Rows, macs_per_row: int) -> None:
        """Charge a cost that is known and not executed now, e.g. of features read from a store.

        Args:
            component: name of the part that would have executed it.
            rows: [entries] the video of each entry, repetitions allowed.
            macs_per_row: MACs of one entry.
        """
        rows = rows.cpu() if isinstance(rows, torch.Tensor) else rows
        np.add.at(self._account(component), np.asarray(rows, np.int64), macs_per_row)

    @property
    def components(self) -> tuple[str, ...]:
        """The parts charged so far, in order of their first use; 'other' is always last."""
        return *(name for name in self._macs if name != OTHER), OTHER

    def macs(self, component: str) -> npt.NDArray[np.int64]:
        """Return the MACs of each video for one component, [num_videos] int64."""
        charged = self._macs.get(component)
        return np.zeros(self.num_videos, np.int64) if charged is None else charged.copy()

    def total(self) -> npt.NDArray[np.int64]:
        """Return the MACs of each video over all components, [num_videos] int64."""
        total = np.zeros(self.num_videos, np.int64)
        for name in self.components:
            total += self.macs(name)
        return total

    def __enter__(self) -> Self:
        self._ops.__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ops.__exit__(kind, error, trace)  # type: ignore[no-untyped-call]
        if error is None:
            self._settle(OTHER, self._active)
        self._executed = 0

    def _count(self, op: str, macs: int) -> None:
        self._executed += macs

    def _account(self, component: str) -> npt.NDArray[np.int64]:
        return self._macs.setdefault(component, np.zeros(self.num_videos, np.int64))

    def _settle(self, component: str, rows: Rows) -> None:
        """Split what was executed since the last charge over `rows`, exactly."""
        executed, num_rows = self._executed, len(rows)
        self._executed = 0
        if executed % num_rows if num_rows else executed:
            raise BenchmarkError(
                f"component '{component}' executed {executed} MACs, which do not divide equally "
                f"over {num_rows} batch entries",
                where=f"meter.charge('{component}')",
                fix="give the video of every entry of the batch that runs inside, "
                "and charge work for other entries apart",
            )
        self.add(component, rows, executed // num_rows if num_rows else 0)
