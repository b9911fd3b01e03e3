"""Replays finished videos one at a time, from pixels, and counts everything that executes.

What a method reports was charged in batches, by component, with features from a store. The audit
shares none of that: batch 1, a new instance of the method, the backbone on the stored frames, one
counter around the whole. A method that hides work, reuses it between videos, or skips it in a
batch is charged less than it executes here.

MACs must agree to the last one. Scores may differ by rounding, since other batch sizes take other
kernels: `SCORE_TOLERANCE` is a hundred times the difference seen between batch 1 and batch 256 on
float32. An exit may differ only where the stored gate value is so near the threshold that rounding
of that size decides it; such a video is replayed at the stored exit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from benchmark.contract import EarlyExit, ExitControl, Method
from benchmark.cost.counter import MacCounter
from benchmark.evaluation.early_exit import run_deployed
from benchmark.seeds import derive_seed, video_keys
from benchmark.step_records import StepRecords
from benchmark.videos import FeatureSource, Videos

__all__ = ["SCORE_TOLERANCE", "Auditor", "Replay", "audit_sample"]

SCORE_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Replay:
    """What one video did, alone: scores `[C]`, exit step (1-based) and executed MACs."""

    scores: Tensor
    exit_step: int
    macs: int


class Auditor:
    """Replays videos of one run of a method, or of an exit control on that run.

    Args:
        method: a fresh instance with the run's weights.
        sources: features computed from pixels, by role.
        videos: (place in the source, id, stored frames) of the sample.
        seed: of the run's prediction.
        control: the exit control whose rows are audited, if they are a control's.
        device: of the method; the CPU by default.
    """

    def __init__(
        self,
        method: Method,
        sources: Mapping[str, FeatureSource],
        videos: Sequence[tuple[int, str, int]],
        seed: int,
        control: ExitControl | None = None,
        *,
        device: torch.device | None = None,
    ) -> None:
        self._device = device
        self._method, self._sources, self._seed = method, sources, seed
        self._videos, self._control = videos, control

    def faults(self, steps: StepRecords) -> list[str]:
        """Return a sentence for each disagreement with the stored rows; none if all agree."""
        rows = {video: row for row, video in enumerate(steps.video_ids.tolist())}
        spent, answers = steps.macs(), steps.exit_scores()
        faults = []
        for place, video, length in self._videos:
            row = rows[video]
            seen = self._replay(place, video, length, steps, row)
            faults += _disagreements(
                video, seen, int(steps.exit_step[row]), int(spent[row]), answers[row]
            )
        return faults

    def _replay(self, place: int, video: str, length: int, steps: StepRecords, row: int) -> Replay:
        stored = int(steps.exit_step[row])
        alone = Videos(
            self._sources,
            torch.tensor([place]),
            video_keys([video]),
            np.array([length], dtype=np.int64),
            self._seed,
            device=self._device,
        )
        if self._control is not None:
            assert isinstance(self._method, EarlyExit), "controls re-read steps"
            return _replay_to(self._method, alone, stored, self._control)
        seen = _replay(self._method, alone)
        if seen.exit_step != stored and isinstance(self._method, EarlyExit):
            first = min(seen.exit_step, stored) - 1
            gap = abs(float(steps.exit_values[row, first]) - self._method.exit_threshold)
            if gap < SCORE_TOLERANCE:
                return _replay_to(self._method, alone, stored, None)
        return seen


@torch.inference_mode()
def _replay(method: Method, video: Videos) -> Replay:
    with MacCounter() as counter:
        prediction = run_deployed(method, video)
    return Replay(prediction.scores[0].float().cpu(), int(prediction.exit_step[0]), counter.total)


@torch.inference_mode()
def _replay_to(
    method: EarlyExit, video: Videos, exit_step: int, control: ExitControl | None
) -> Replay:
    """Run a method up to a given exit, with what the control's rule, or its own, must run."""
    order, state = method.visit(video), None
    charged = control.charged if control else ()
    gated = control is None or "gate" not in control.uncharged
    with MacCounter() as counter:
        for step in range(1, exit_step + 1):
            features = video.features(order[:, step - 1 : step])[:, 0]
            state = method.step(step, features, state, video)
            if gated and step < method.num_steps:
                method.exit_value(step, state, video)
            if "classifier" in charged and step < exit_step:
                method.classify(step, state, video)
        scores = method.classify(exit_step, state, video)
    return Replay(scores[0].float().cpu(), exit_step, counter.total)


def audit_sample(video_ids: Sequence[str], count: int) -> list[str]:
    """Return the videos that an audit of this size replays, chosen by their ids alone."""
    return sorted(video_ids, key=lambda video: derive_seed("audit", video))[:count]


def _disagreements(
    video: str, seen: Replay, exit_step: int, macs: int, scores: npt.NDArray[np.float32]
) -> list[str]:
    if seen.exit_step != exit_step:
        return [f"video {video} alone stops at step {seen.exit_step}, reported {exit_step}"]
    faults = []
    if seen.macs != macs:
        faults.append(f"video {video} alone executes {seen.macs} MACs, reported {macs}")
    gap = float(np.abs(seen.scores.numpy() - scores).max())
    if not gap <= SCORE_TOLERANCE:
        faults.append(f"video {video} alone has scores that differ by {gap:.2g}")
    return faults
