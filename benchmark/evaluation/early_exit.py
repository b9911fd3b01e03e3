"""The loop of every early-exit method, so that none can look ahead or skip its own cost.

Two passes use the same calls. `run_with_exits` is what would be deployed: a video leaves the batch
when it stops, and only what its own path needs is executed and charged. `run_all_steps` stops
nobody and answers at every step, for the tables that need each classifier's scores and each gate's
value; what it charges is kept apart by step, and must add up to what the first pass charged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from benchmark.contract import EarlyExit, Method, Prediction, SinglePass
from benchmark.cost.meter import OTHER, Meter
from benchmark.step_records import StepRecords
from benchmark.videos import Videos

__all__ = ["predict_steps", "run_all_steps", "run_deployed", "run_with_exits"]

MakeVideos = Callable[[Meter], Videos]


def run_deployed(method: Method, videos: Videos) -> Prediction:
    """Answer each video as the method would be deployed."""
    if isinstance(method, EarlyExit):
        return run_with_exits(method, videos)
    assert isinstance(method, SinglePass), "loading refuses other classes"
    return method.predict(videos)


def run_with_exits(method: EarlyExit, videos: Videos) -> Prediction:
    """Open frames one at a time until the method stops, for each video on its own path."""
    with videos.component(OTHER):
        order = method.visit(videos).cpu()
    num, num_steps = len(videos), method.num_steps
    scores = torch.zeros(num, method.task.num_classes)
    exit_step = torch.full((num,), num_steps, dtype=torch.int64)
    active, state = torch.arange(num), None
    for step in range(1, num_steps + 1):
        view = videos.select(active)
        features = view.features(order[active, step - 1 : step])[:, 0]
        with view.component(OTHER):
            state = method.step(step, features, state, view)
            value = method.exit_value(step, state, view) if step < num_steps else None
        stops = torch.full((len(active),), step == num_steps)
        if value is not None:
            stops |= (value > method.exit_threshold).cpu()
        if stops.any():
            leaving = stops.nonzero()[:, 0]
            last = view.select(leaving)
            with last.component(OTHER):
                answer = method.classify(step, _rows(state, leaving), last)
            scores[active[leaving]] = answer.float().cpu()
            exit_step[active[leaving]] = step
        staying = (~stops).nonzero()[:, 0]
        active, state = active[staying], _rows(state, staying)
        if not len(active):
            break
    return Prediction(scores, exit_step)


@dataclass
class AllSteps:
    """What `run_all_steps` saw of N videos, T steps and C classes.

    Attributes:
        order: `[N, T]`, positions in the order in which they were opened.
        scores: `[N, T, C]`.
        exit_values: `[N, T]`, NaN where there is none.
        opened: T times: frames opened so far, last position opened, pixels fed, each `[N]`.
        spent: 2 T times: MACs charged so far by component, after each step's work and its answer.
    """

    order: Tensor
    scores: Tensor
    exit_values: Tensor
    opened: list[tuple[npt.NDArray[np.int64], ...]] = field(default_factory=list)
    spent: list[dict[str, npt.NDArray[np.int64]]] = field(default_factory=list)


def run_all_steps(
    method: EarlyExit, videos: Videos, spent: Callable[[], dict[str, npt.NDArray[np.int64]]]
) -> AllSteps:
    """Open every frame and answer at every step.

    Args:
        method: the method.
        videos: the batch.
        spent: returns the MACs charged so far, by component.
    """
    num, num_steps = len(videos), method.num_steps
    with videos.component(OTHER):
        order = method.visit(videos).cpu()
    seen = AllSteps(
        order,
        torch.zeros(num, num_steps, method.task.num_classes),
        torch.full((num, num_steps), float("nan")),
    )
    state = None
    for step in range(1, num_steps + 1):
        features = videos.features(order[:, step - 1 : step])[:, 0]
        with videos.component(OTHER):
            state = method.step(step, features, state, videos)
            value = method.exit_value(step, state, videos) if step < num_steps else None
        if value is not None:
            seen.exit_values[:, step - 1] = value.float().cpu()
        seen.opened.append(_opened(videos))
        seen.spent.append(spent())
        with videos.component(OTHER):
            seen.scores[:, step - 1] = method.classify(step, state, videos).float().cpu()
        seen.spent.append(spent())
    return seen


def _opened(videos: Videos) -> tuple[npt.NDArray[np.int64], ...]:
    opened = videos.opened
    return opened.num_frames(), opened.last_position(), opened.pixels.copy()


@torch.inference_mode()
def predict_steps(method: Method, make_videos: MakeVideos, video_ids: list[str]) -> StepRecords:
    """Run a method on a batch and return its rows, costs counted on what was executed.

    Raises:
        AssertionError: if the two passes disagree about the cost of a path: a bug of the harness,
            or a method whose cost depends on more than its own path.
    """
    meter = Meter(len(video_ids))
    videos = make_videos(meter)
    with meter:
        prediction = run_deployed(method, videos)
    executed = {name: meter.macs(name) for name in meter.components}
    if not isinstance(method, EarlyExit):
        return _single_step(prediction, executed, videos, video_ids)
    steps = _all_steps(method, make_videos, video_ids, prediction.exit_step)
    _assert_same_cost(steps, executed)
    return steps


def _all_steps(
    method: EarlyExit, make_videos: MakeVideos, video_ids: list[str], exit_step: Tensor
) -> StepRecords:
    meter = Meter(len(video_ids))
    videos = make_videos(meter)

    def spent() -> dict[str, npt.NDArray[np.int64]]:
        return {name: meter.macs(name).copy() for name in meter.components}

    with meter:
        seen = run_all_steps(method, videos, spent)
    names = tuple(meter.components)
    zero = np.zeros(len(video_ids), dtype=np.int64)
    sums = np.stack(
        [np.stack([mark.get(n, zero) for n in names], -1) for mark in seen.spent], axis=1
    )
    deltas = np.diff(sums, axis=1, prepend=0)
    frames, last, pixels = (np.stack(one, axis=1) for one in zip(*seen.opened, strict=True))
    return StepRecords(
        video_ids=np.array(video_ids, dtype=np.str_),
        scores=seen.scores.numpy(),
        exit_values=seen.exit_values.numpy(),
        exit_step=exit_step.numpy(),
        frames_opened=frames,
        last_opened=last,
        pixels_fed=pixels,
        components=names,
        step_macs=deltas[:, 0::2],
        exit_macs=deltas[:, 1::2],
        positions=seen.order.numpy(),
    )


def _single_step(
    prediction: Prediction,
    executed: dict[str, npt.NDArray[np.int64]],
    videos: Videos,
    video_ids: list[str],
) -> StepRecords:
    names = tuple(executed)
    macs = np.stack([executed[name] for name in names], axis=-1)[:, None]
    frames, last, pixels = _opened(videos)
    return StepRecords(
        video_ids=np.array(video_ids, dtype=np.str_),
        scores=prediction.scores.float().cpu().numpy()[:, None],
        exit_values=np.full((len(video_ids), 1), np.nan, dtype=np.float32),
        exit_step=np.ones(len(video_ids), dtype=np.int64),
        frames_opened=frames[:, None],
        last_opened=last[:, None],
        pixels_fed=pixels[:, None],
        components=names,
        step_macs=macs,
        exit_macs=np.zeros_like(macs),
    )


def _assert_same_cost(steps: StepRecords, executed: dict[str, npt.NDArray[np.int64]]) -> None:
    derived = steps.macs_by_component()
    for index, name in enumerate(steps.components):
        counted = executed.get(name, np.zeros(steps.num_videos, dtype=np.int64))
        if not np.array_equal(derived[:, index], counted):
            worst = int(np.abs(derived[:, index] - counted).argmax())
            raise AssertionError(
                f"component '{name}' of video {steps.video_ids[worst]}: "
                f"{counted[worst]} MACs were executed, the steps add up to {derived[worst, index]}"
            )


def _rows(state: Any, rows: Tensor) -> Any:
    return tree_map(
        lambda leaf: leaf[rows.to(leaf.device)] if isinstance(leaf, Tensor) else leaf, state
    )
