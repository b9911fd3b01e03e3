"""The rows that a prediction run leaves behind, one a video: everything later is derived from them.

Scores, exit values and costs of **every** step are kept, so any threshold, budget or exit rule can
be evaluated again without a model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from benchmark.errors import BenchmarkError
from benchmark.files.writing import replace_when_complete

__all__ = ["StepRecords", "concatenate"]

_SCHEMA_VERSION = 2
# Scores are read a group of rows at a time; few files have more than one.
_ROWS_A_GROUP = 1 << 20
_BYTES_A_GROUP = 1 << 25


@dataclass(frozen=True)
class StepRecords:
    """What happened, and what would have happened, at each of S steps of N videos.

    Attributes:
        video_ids: `[N]`.
        scores: `[N, S, C]` float32, probabilities after each step; `[N, 1, C]`, those of the
            answers, where no others were read.
        exit_values: `[N, S]` float32, the gate's value, NaN where there is none.
        exit_step: `[N]` int64, 1-based step at which the run really stopped.
        frames_opened: `[N, S]` int64, different frames opened up to each step.
        last_opened: `[N, S]` int64, the last stored position among them.
        pixels_fed: `[N, S]` int64, pixels fed to networks up to each step.
        components: K names of cost components.
        step_macs: `[N, S, K]` int64, MACs of a step that is passed or at which it stops.
        exit_macs: `[N, S, K]` int64, MACs added by answering at a step.
        positions: `[N, S]` int64, the stored position opened at each step; None for a method that
            does not open one frame a step.
    """

    video_ids: npt.NDArray[np.str_]
    scores: npt.NDArray[np.float32]
    exit_values: npt.NDArray[np.float32]
    exit_step: npt.NDArray[np.int64]
    frames_opened: npt.NDArray[np.int64]
    last_opened: npt.NDArray[np.int64]
    pixels_fed: npt.NDArray[np.int64]
    components: tuple[str, ...]
    step_macs: npt.NDArray[np.int64]
    exit_macs: npt.NDArray[np.int64]
    positions: npt.NDArray[np.int64] | None = None

    @property
    def num_videos(self) -> int:
        """Number of videos N."""
        return len(self.scores)

    @property
    def num_steps(self) -> int:
        """Number of steps S."""
        return int(self.exit_values.shape[1])

    def exit_scores(self) -> npt.NDArray[np.float32]:
        """Return the scores of the answers: `[N, C]`."""
        if self.scores.shape[1] < self.num_steps:  # no others were read
            return self.scores[:, 0]
        result: npt.NDArray[np.float32] = self.scores[
            np.arange(self.num_videos), self.exit_step - 1
        ]
        return result

    def at_exit(self, by_step: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return each video's value at its exit: `[N, S] -> [N]`."""
        result: npt.NDArray[np.int64] = by_step[np.arange(self.num_videos), self.exit_step - 1]
        return result

    def frames_at_exit(self) -> npt.NDArray[np.int64]:
        """Return the number of frames opened by each video: `[N]`."""
        return self.at_exit(self.frames_opened)

    def macs_by_component(self) -> npt.NDArray[np.int64]:
        """Return the MACs that each video spent up to its exit: `[N, K]`."""
        rows = np.arange(self.num_videos)
        passed = np.cumsum(self.step_macs, axis=1)[rows, self.exit_step - 1]
        result: npt.NDArray[np.int64] = passed + self.exit_macs[rows, self.exit_step - 1]
        return result

    def macs(self) -> npt.NDArray[np.int64]:
        """Return the total MACs of each video: `[N]`."""
        result: npt.NDArray[np.int64] = self.macs_by_component().sum(axis=1)
        return result

    def exiting_at(
        self,
        exit_step: npt.NDArray[np.int64],
        *,
        charged: Sequence[str] = (),
        uncharged: Sequence[str] = (),
    ) -> StepRecords:
        """Return the same steps under another exit rule.

        Args:
            exit_step: `[N]`, 1-based.
            charged: components that the rule runs at every step instead of at the exit only.
            uncharged: components that the rule does not run.
        """
        step_macs, exit_macs = self.step_macs.copy(), self.exit_macs.copy()
        for index, component in enumerate(self.components):
            if component in uncharged:
                step_macs[..., index] = exit_macs[..., index] = 0
            if component in charged:
                step_macs[..., index] += exit_macs[..., index]
                exit_macs[..., index] = 0
        exits = np.asarray(exit_step, dtype=np.int64)
        return replace(self, exit_step=exits, step_macs=step_macs, exit_macs=exit_macs)

    def save(self, path: Path) -> None:
        """Write one parquet row a video; the file appears only when it is complete."""
        flat: dict[str, npt.NDArray[Any]] = {
            "scores": self.scores,
            "exit_values": self.exit_values,
            "frames_opened_by_step": self.frames_opened,
            "last_opened": self.last_opened,
            "pixels_fed": self.pixels_fed,
        }
        if self.positions is not None:
            flat["positions"] = self.positions
        for index, component in enumerate(self.components):
            flat[f"step_macs_{component}"] = self.step_macs[..., index]
            flat[f"exit_macs_{component}"] = self.exit_macs[..., index]
        columns: dict[str, Any] = {
            "video_id": pa.array(self.video_ids.tolist(), pa.string()),
            "exit_step": self.exit_step,
            "frames_opened": self.frames_at_exit(),
        }
        spent = self.macs_by_component()
        columns |= {f"macs_{name}": spent[:, k] for k, name in enumerate(self.components)}
        columns |= {name: _lists(values) for name, values in flat.items()}
        header = {
            "schema_version": _SCHEMA_VERSION,
            "num_steps": self.num_steps,
            "num_classes": self.scores.shape[2],
            "components": self.components,
        }
        table = pa.table(columns).replace_schema_metadata({"steps": json.dumps(header)})
        rows = max(1, min(_ROWS_A_GROUP, _BYTES_A_GROUP // (self.scores[:1].nbytes or 1)))
        with replace_when_complete(path) as partial:
            pq.write_table(table, partial, compression="zstd", row_group_size=rows)

    @classmethod
    def load(cls, path: Path, *, answers_only: bool = False) -> StepRecords:
        """Read the rows of a run.

        Args:
            path: of the file.
            answers_only: keep no scores but those at the exits. The others may be gigabytes: 3.9
                for 31,171 videos, 10 steps and the 3,142 tags of HVU.

        Raises:
            BenchmarkError: if the file is missing, or is no such file.
        """
        try:
            file = pq.ParquetFile(path)
            header = json.loads(file.schema_arrow.metadata[b"steps"])
            table = file.read([name for name in file.schema_arrow.names if name != "scores"])
            exit_step = table.column("exit_step").to_numpy().astype(np.int64)
            scores = _read_scores(file, header, exit_step if answers_only else None)
        except (OSError, KeyError, TypeError, pa.ArrowInvalid) as fault:
            raise BenchmarkError(
                f"no readable prediction rows ({fault})", where=path, fix="run the workflow again"
            ) from fault
        num, steps, components = table.num_rows, header["num_steps"], tuple(header["components"])

        def matrix(name: str) -> npt.NDArray[Any]:
            values = table.column(name).combine_chunks().flatten().to_numpy(zero_copy_only=False)
            shaped: npt.NDArray[Any] = values.reshape(num, steps)
            return shaped

        def cost(prefix: str) -> npt.NDArray[np.int64]:
            parts = [matrix(f"{prefix}_{name}") for name in components]
            return np.stack(parts, axis=-1).astype(np.int64)

        return cls(
            video_ids=np.array(table.column("video_id").to_pylist(), dtype=np.str_),
            scores=scores,
            exit_values=matrix("exit_values").astype(np.float32),
            exit_step=exit_step,
            frames_opened=matrix("frames_opened_by_step").astype(np.int64),
            last_opened=matrix("last_opened").astype(np.int64),
            pixels_fed=matrix("pixels_fed").astype(np.int64),
            components=components,
            step_macs=cost("step_macs"),
            exit_macs=cost("exit_macs"),
            positions=(
                matrix("positions").astype(np.int64) if "positions" in table.column_names else None
            ),
        )


def _read_scores(
    file: pq.ParquetFile, header: Mapping[str, Any], exit_step: npt.NDArray[np.int64] | None
) -> npt.NDArray[np.float32]:
    """Read scores a group of rows at a time: `[N, S, C]`, or `[N, 1, C]` of the given steps."""
    steps, classes = int(header["num_steps"]), int(header["num_classes"])
    kept = steps if exit_step is None else 1
    whole = np.empty((file.metadata.num_rows, kept, classes), dtype=np.float32)
    start = 0
    for number in range(file.num_row_groups):
        column = file.read_row_group(number, ["scores"]).column("scores").combine_chunks()
        part = column.flatten().to_numpy(zero_copy_only=False).reshape(len(column), steps, classes)
        stop = start + len(part)
        if exit_step is None:
            whole[start:stop] = part
        else:
            whole[start:stop, 0] = part[np.arange(len(part)), exit_step[start:stop] - 1]
        start = stop
    return whole


def _lists(values: npt.NDArray[Any]) -> pa.Array:
    flat = values.reshape(len(values), -1)
    return pa.FixedSizeListArray.from_arrays(pa.array(flat.reshape(-1)), max(flat.shape[1], 1))


def concatenate(parts: Sequence[StepRecords]) -> StepRecords:
    """Join the steps of several batches or folds, which name the same components."""
    first = parts[0]
    names = tuple(dict.fromkeys(name for part in parts for name in part.components))

    def joined(field: str) -> npt.NDArray[Any]:
        return np.concatenate([getattr(part, field) for part in parts])

    def costs(field: str) -> npt.NDArray[np.int64]:
        blocks = []
        for part in parts:
            block = np.zeros((part.num_videos, first.num_steps, len(names)), dtype=np.int64)
            for index, name in enumerate(part.components):
                block[..., names.index(name)] = getattr(part, field)[..., index]
            blocks.append(block)
        return np.concatenate(blocks)

    return StepRecords(
        video_ids=joined("video_ids"),
        scores=joined("scores"),
        exit_values=joined("exit_values"),
        exit_step=joined("exit_step"),
        frames_opened=joined("frames_opened"),
        last_opened=joined("last_opened"),
        pixels_fed=joined("pixels_fed"),
        components=names,
        step_macs=costs("step_macs"),
        exit_macs=costs("exit_macs"),
        positions=None if first.positions is None else joined("positions"),
    )
