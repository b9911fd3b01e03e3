"""The audit against methods that cheat, each in its own way, and against honest ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import nn

from benchmark.contract import EarlyExit, Prediction, SinglePass, Stage, Task
from benchmark.evaluation.audit import Auditor
from benchmark.evaluation.early_exit import predict_steps
from benchmark.seeds import video_keys
from benchmark.videos import Videos

NUM, GRID, SIDE, FEATURES, CLASSES = 12, 5, 6, 8, 3
IDS = [f"video{i}" for i in range(NUM)]
TASK = Task(tuple("abc"), multi_label=False, num_features=FEATURES, head_units=4)


class World:
    """A backbone and frames; features from pixels, or from a store that was filled before."""

    def __init__(self, *, stored: bool) -> None:
        torch.manual_seed(1)
        self.backbone = nn.Conv2d(3, FEATURES, SIDE)
        self.frames = torch.randn(NUM, GRID, 3, SIDE, SIDE)
        self.size, self.num_frames, self.stored = SIDE, 1, stored
        with torch.inference_mode():
            self.bank = self._run(self.frames.flatten(0, 1)).view(NUM, GRID, FEATURES)

    def _run(self, frames):
        return self.backbone(frames).flatten(1)

    def features(self, videos, positions, meter, rows, component):
        num_frames = positions.shape[1]
        if self.stored:
            if meter is not None:
                meter.add(component, rows, num_frames * FEATURES * 3 * SIDE * SIDE)
            return self.bank[videos[:, None], positions]
        chosen = self.frames[videos[:, None], positions].flatten(0, 1)
        if meter is None:
            return self._run(chosen).view(-1, num_frames, FEATURES)
        with meter.charge(component, rows.repeat_interleave(num_frames)):
            return self._run(chosen).view(-1, num_frames, FEATURES)


@dataclass(frozen=True)
class NoParams:
    pass


class Honest(EarlyExit):
    Params = NoParams

    def __init__(self, task, params):
        super().__init__(task, params)
        self.head = nn.Linear(FEATURES, 4)
        self.gate = nn.Linear(4, 1)
        self.classifier = nn.Linear(4, CLASSES)

    num_steps = GRID
    stages = (Stage("all", (), 1, ()),)

    def loss(self, stage, videos):
        raise NotImplementedError

    def visit(self, videos):
        return torch.arange(GRID).repeat(len(videos), 1)

    def step(self, step, features, state, videos):
        with videos.component("head"):
            frame = self.head(features)
        return frame if state is None else torch.maximum(state, frame)

    def exit_value(self, step, state, videos):
        with videos.component("gate"):
            return self.gate(state)[:, 0].sigmoid()

    def classify(self, step, state, videos):
        with videos.component("classifier"):
            return self.classifier(state).softmax(-1)


class SkipsTheGateInBatches(Honest):
    def exit_value(self, step, state, videos):
        if len(videos) > 1:
            return (state.sum(-1) > 0).float()
        return super().exit_value(step, state, videos)


class OpensFramesUncharged(Honest):
    def step(self, step, features, state, videos):
        ahead = torch.full((len(videos), 1), GRID - 1)
        source = videos._sources["backbone"]
        peeked = source.features(videos._indices, ahead, None, videos._rows, "")[:, 0]
        return super().step(step, features + peeked, state, videos)


class ChargesItsNeighbour(Honest):
    def step(self, step, features, state, videos):
        with videos.select(torch.zeros(1, dtype=torch.long)).component("head"):
            frame = self.head(features)
        return frame if state is None else torch.maximum(state, frame)


class LooksAtItsNeighbours(Honest):
    def classify(self, step, state, videos):
        return super().classify(step, state + state.mean(0), videos)


class NamesItsWorkOther(Honest):
    def step(self, step, features, state, videos):
        frame = self.head(features)  # under no name: charged to 'other', and shown
        return frame if state is None else torch.maximum(state, frame)


class AllFrames(SinglePass):
    Params = NoParams
    stages = (Stage("all", (), 1, ()),)

    def __init__(self, task, params):
        super().__init__(task, params)
        self.classifier = nn.Linear(FEATURES, CLASSES)

    def loss(self, stage, videos):
        raise NotImplementedError

    def predict(self, videos):
        features = videos.features(torch.arange(GRID).repeat(len(videos), 1))
        with videos.component("classifier"):
            scores = self.classifier(features.mean(1)).softmax(-1)
        return Prediction(scores, torch.ones(len(videos), dtype=torch.long))


def made(kind):
    torch.manual_seed(2)
    return kind(TASK, NoParams()).eval()


def stored_rows(kind):
    world = World(stored=True)
    keys, lengths = video_keys(IDS), np.full(NUM, GRID)
    return predict_steps(
        made(kind),
        lambda meter: Videos({"backbone": world}, torch.arange(NUM), keys, lengths, 0, meter=meter),
        IDS,
    )


def faults_of(kind):
    videos = [(place, video, GRID) for place, video in enumerate(IDS)]
    return Auditor(made(kind), {"backbone": World(stored=False)}, videos, seed=0).faults(
        stored_rows(kind)
    )


@pytest.mark.parametrize("kind", [Honest, NamesItsWorkOther, AllFrames])
def test_honest_methods_agree_to_the_last_mac(kind):
    assert faults_of(kind) == []


def test_honest_videos_leave_at_different_steps():
    assert len(set(stored_rows(Honest).exit_step.tolist())) > 1


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (SkipsTheGateInBatches, "stops at step|executes"),
        (OpensFramesUncharged, "executes"),
        (LooksAtItsNeighbours, "scores that differ"),
    ],
)
def test_cheats_are_caught(kind, said):
    faults = faults_of(kind)
    assert faults
    assert any(word in fault for fault in faults for word in said.split("|"))


def test_charging_a_neighbour_is_caught():
    # The two passes of a prediction run meet other neighbours, so it may fail even earlier.
    with pytest.raises(AssertionError, match="steps add up to"):
        faults_of(ChargesItsNeighbour)


def test_reuse_between_passes_is_caught():
    class Remembers(Honest):
        seen: ClassVar[dict[tuple[bytes, int], torch.Tensor]] = {}

        def step(self, step, features, state, videos):
            key = (videos.keys.tobytes(), step)
            if key not in self.seen:
                self.seen[key] = super().step(step, features, state, videos)
            return self.seen[key]

    with pytest.raises(AssertionError, match="steps add up to"):
        stored_rows(Remembers)


def test_work_under_no_name_is_shown():
    steps = stored_rows(NamesItsWorkOther)
    assert steps.macs_by_component()[:, steps.components.index("other")].min() > 0
