"""Each video pays for its own path, and the charges add up to what was executed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from benchmark.cost.counter import MacCounter
from benchmark.cost.meter import Meter
from benchmark.errors import BenchmarkError

NUM_FRAMES = 4
BACKBONE = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
GATE, CLASSIFIER = nn.Linear(4, 1), nn.Linear(4, 5)
MACS = {"backbone": 6 * 6 * 4 * 27, "gate": 4, "other": 20}


def leave_one_by_one(meter: Meter, rows: Tensor, exits: Tensor) -> None:
    """Run frames of `rows` until each video's exit; what runs last is in no named part."""
    for step in range(1, NUM_FRAMES + 1):
        staying = rows[exits[rows] >= step]
        if len(staying):
            with meter.charge("backbone", staying):
                features = BACKBONE(torch.randn(len(staying), 3, 8, 8))
                with meter.charge("gate", staying):
                    GATE(features)
    meter.active_rows = rows
    CLASSIFIER(torch.randn(len(rows), 4))


@given(st.lists(st.integers(1, NUM_FRAMES), min_size=1, max_size=6), st.integers(1, 6))
@settings(deadline=None, max_examples=30)
def test_each_video_pays_for_its_own_path_in_any_batch(exits: list[int], batch: int) -> None:
    meter, rows = Meter(len(exits)), torch.arange(len(exits))
    with torch.inference_mode(), MacCounter() as executed:
        for some in rows.split(batch):
            with meter:
                leave_one_by_one(meter, some, torch.tensor(exits))
    steps = np.array(exits)
    assert meter.components == ("backbone", "gate", "other")
    assert meter.macs("backbone").tolist() == (steps * MACS["backbone"]).tolist()
    assert meter.macs("gate").tolist() == (steps * MACS["gate"]).tolist()
    assert meter.macs("other").tolist() == [MACS["other"]] * len(exits)
    assert meter.total().sum() == executed.total
    assert meter.total().dtype == np.int64


def test_a_video_with_several_frames_pays_for_each() -> None:
    meter = Meter(3)
    with torch.no_grad(), meter, meter.charge("backbone", [2, 0, 2]):
        BACKBONE(torch.randn(3, 3, 8, 8))
    assert meter.macs("backbone").tolist() == [MACS["backbone"], 0, 2 * MACS["backbone"]]


def test_known_costs_are_added_without_running_anything() -> None:
    meter = Meter(3)
    meter.add("backbone", torch.tensor([1, 1, 2]), 10**10)
    assert meter.macs("backbone").tolist() == [0, 2 * 10**10, 10**10]
    assert meter.total().tolist() == [0, 2 * 10**10, 10**10]
    assert meter.macs("head").tolist() == [0, 0, 0]


@contextmanager
def charged(meter: Meter, component: str, rows: list[int]) -> Iterator[None]:
    with torch.no_grad(), meter, meter.charge(component, rows):
        yield


def test_unequal_split_is_an_error_that_names_the_component() -> None:
    message = r"component 'gate' executed 12 MACs.* 5 batch"
    with pytest.raises(BenchmarkError, match=message), charged(Meter(2), "gate", [0, 1, 0, 1, 0]):
        GATE(torch.randn(3, 4))
    meter = Meter(2)
    meter.active_rows = []
    message = r"component 'other' executed 12 MACs.* 0 batch"
    with pytest.raises(BenchmarkError, match=message), torch.no_grad(), meter:
        GATE(torch.randn(3, 4))


def test_work_outside_is_split_over_the_videos_that_were_active() -> None:
    meter = Meter(3)
    with torch.no_grad(), meter:
        GATE(torch.randn(3, 4))
        meter.active_rows = [1]
        GATE(torch.randn(5, 4))
    assert meter.macs("other").tolist() == [4, 24, 4]


def test_failure_inside_a_charge_is_reported_as_it_is_and_charges_nothing_later() -> None:
    meter = Meter(2)
    with pytest.raises(RuntimeError, match="shapes cannot be mult"), charged(meter, "gate", [0, 1]):
        GATE(GATE(torch.randn(3, 4)))
    with charged(meter, "gate", [0]):
        GATE(torch.randn(1, 4))
    assert meter.total().tolist() == [4, 0]
