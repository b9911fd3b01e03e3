"""A plan as a table for people, and as JSON with every number that it was worked out from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

from benchmark.estimate.lines import Line
from benchmark.estimate.ranges import ZERO, Range
from benchmark.estimate.rates import Rates
from benchmark.estimate.videos import VideoFacts

__all__ = ["Document"]

_HEADS = ("stage", "dataset", "what", "MACs", "device hours", "core hours", "disk")
_UNITS = ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_KEY = (
    "MACs: multiply-accumulates, the backward pass counted as twice the forward pass. "
    "Device hours: of one device (of the network jobs); core hours: of one processor core; both "
    "add up over all jobs, however many run at once. Low to high where a number is not known."
)


@dataclass(frozen=True)
class Document:
    """A plan with what is uncertain about it."""

    profile: str
    facts: Mapping[str, VideoFacts]
    lines: Sequence[Line]
    rates: Rates
    uncertain: Sequence[str]

    def text(self) -> str:
        """Return the table: videos, then a line for each method and stage, then the sums."""
        rows = [_HEADS]
        for stage in dict.fromkeys(line.stage for line in self.lines):
            of_stage = [line for line in self.lines if line.stage == stage]
            for key in dict.fromkeys(map(_group, of_stage)):
                same = [line for line in of_stage if _group(line) == key]
                times = f" ({len(same)} times)" if len(same) > 1 else ""
                rows.append((stage, key[0], key[1] + times, *_cells(same)))
            rows.append((stage, "all", "", *_cells(of_stage)))
        rows.append(("in all", "", "", *_cells(self.lines)))
        parts = [f"Plan of profile '{self.profile}': nothing has been run.", self._videos()]
        parts += [_aligned(rows, gaps={"all", "in all"}), _KEY, self._uncertain()]
        return "\n\n".join(parts)

    def json(self) -> dict[str, Any]:
        """Return all of it for programs; bounds are `[low, high]`."""
        lines = [
            {
                "stage": line.stage,
                "dataset": line.dataset,
                "what": line.what,
                "macs": _bounds(line.macs),
                "device_hours": _bounds(line.device_hours),
                "core_hours": _bounds(line.core_hours),
                "disk_bytes": _bounds(line.disk_bytes),
                "passing_bytes": _bounds(line.passing_bytes),
                "inputs": {
                    name: _bounds(value) if isinstance(value, Range) else value
                    for name, value in line.inputs.items()
                },
            }
            for line in self.lines
        ]
        videos = {
            name: {
                "origin": known.origin,
                "num_train": _bounds(known.num_train),
                "num_val": _bounds(known.num_val),
                "hours": _bounds(known.num_videos * known.seconds / 3600.0),
                "num_classes": known.num_classes,
            }
            for name, known in self.facts.items()
        }
        return {
            "schema_version": 1,
            "profile": self.profile,
            "device": self.rates.device,
            "videos": videos,
            "lines": lines,
            "uncertain": list(self.uncertain),
        }

    def _videos(self) -> str:
        rows = [("dataset", "to train on", "to predict", "classes", "hours of video", "from")]
        for name, known in self.facts.items():
            hours = known.num_videos * known.seconds / 3600.0
            counts = (_count(known.num_train), _count(known.num_val), f"{known.num_classes:,}")
            rows.append((name, *counts, _count(hours), known.origin))
        return _aligned(rows)

    def _uncertain(self) -> str:
        said = "\n".join(f"  - {reason}" for reason in self.uncertain)
        return f"Device: {self.rates.device}. What is uncertain:\n{said}"


def _group(line: Line) -> tuple[str, str]:
    # Stages and variants of a method that differ in parameters alone share a line.
    what = line.what.split(" ")[0] if line.stage == "predictions" else line.what
    return line.dataset, what


def _cells(lines: Sequence[Line]) -> tuple[str, str, str, str]:
    def total(of: Callable[[Line], Range]) -> Range:
        return reduce(add, map(of, lines), ZERO)

    disk = _sized(total(lambda line: line.disk_bytes), "B")
    passing = [line.passing_bytes for line in lines]
    most = max(passing, key=lambda one: one.high)
    if most.high:
        disk = f"{disk} + {_sized(most, 'B')} for a while".removeprefix("- + ")
    return (
        _sized(total(lambda line: line.macs), ""),
        _number(total(lambda line: line.device_hours)),
        _number(total(lambda line: line.core_hours)),
        disk,
    )


def _aligned(rows: Sequence[tuple[str, ...]], gaps: frozenset[str] | set[str] = frozenset()) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        lines.append("  ".join(cells).rstrip())
        if {row[0], row[1]} & gaps:
            lines.append("")
    return "\n".join(lines).rstrip()


def _number(value: Range) -> str:
    if value.high < 0.001:
        return "-"
    low, high = (f"{x:,.0f}" if x >= 100 else f"{x:.3g}" for x in (value.low, value.high))
    return low if low == high else f"{low} to {high}"


def _count(value: Range) -> str:
    low, high = f"{value.low:,.0f}", f"{value.high:,.0f}"
    return low if low == high else f"{low} to {high}"


def _sized(value: Range, unit: str) -> str:
    if value.high < 1e3:
        return "-"
    size, letter = next((s, letter) for s, letter in _UNITS if value.high >= s)
    return f"{_number(value / size)} {letter}{unit}"


def _bounds(value: Range) -> list[float]:
    return [value.low, value.high]
