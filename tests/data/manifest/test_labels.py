"""Targets made for a batch are those of a dense table, however the batch is drawn."""

import numpy as np
import pandas as pd
import pytest
import torch

from benchmark.data.manifest import labels as labels_module
from benchmark.data.manifest.labels import encode_labels

CLASSES = ("action/run", "action/swim", "object/ball", "scene/beach")
CELLS = ["action/run", "scene/beach|action/swim|object/ball", "object/ball", "action/swim"]


@pytest.fixture(params=[1, 3, 1 << 16], ids="{} at once".format)
def _cells_at_once(request, monkeypatch):
    monkeypatch.setattr(labels_module, "_CELLS_AT_ONCE", request.param)


def encoded(cells, *, multi_label=True):
    return encode_labels(pd.Series(cells, dtype="str"), CLASSES, multi_label=multi_label)


@pytest.mark.usefixtures("_cells_at_once")
@pytest.mark.parametrize("rows", [[0, 1, 2, 3], [2, 1, 1, 0], [3], []], ids=str)
def test_a_batch_of_several_labels_is_rows_of_a_dense_table(rows):
    dense = torch.tensor([[name in cell.split("|") for name in CLASSES] for cell in CELLS]).float()
    batch = encoded(CELLS)[torch.tensor(rows, dtype=torch.int64)]
    assert batch.dtype == torch.float32
    assert torch.equal(batch, dense[rows])


@pytest.mark.usefixtures("_cells_at_once")
def test_a_batch_of_single_labels_is_class_indices():
    made = encoded(["scene/beach", "action/run", "object/ball"], multi_label=False)
    batch = made[torch.tensor([2, 0, 0])]
    assert (batch.dtype, batch.tolist()) == (torch.int64, [2, 3, 3])
    assert len(made) == 3


@pytest.mark.usefixtures("_cells_at_once")
def test_labels_that_are_no_class_are_found():
    cells = ["action/run", "action/run|sene/beach", "", "object/ball|", "scene/beach"]
    assert encoded(cells).unknown().tolist() == [False, True, True, True, False]


def test_many_random_cells_agree_with_a_plain_reading():
    draw = np.random.default_rng(3)
    chosen = [draw.permutation(4)[: draw.integers(1, 5)].tolist() for _ in range(500)]
    made = encoded(["|".join(CLASSES[c] for c in row) for row in chosen])
    order = draw.permutation(500)
    batch = made.targets(order)
    for row, number in zip(batch, order, strict=True):
        assert np.flatnonzero(row).tolist() == sorted(chosen[number])
