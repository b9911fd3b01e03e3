"""Several processes train as one does: same global batch, same weights up to rounding."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file

from benchmark.config.load import validate
from benchmark.errors import BenchmarkError, MachineError
from benchmark.experiment.layout import Layout
from benchmark.experiment.plan import make_plan
from benchmark.training.distributed.request import StageRequest, train_together
from benchmark.training.train_all import train_all
from benchmark.training.trainer import Trainer

TOLERANCE = 1e-8
"""In double precision, after 14 steps of Adam that moved weights by up to 0.14; 1.4e-10 is seen.

In float32 the same steps differ by up to 0.04: Adam divides gradients that should be zero, such as
those of a bias before batch norm, by their own rounding.
"""


@pytest.fixture
def trainer(small_plan, tmp_path):
    """Return a function that makes a trainer for a number of processes on this machine."""

    def make(devices: int, method: str = "frameexit") -> Trainer:
        content = small_plan(True).config.model_dump(mode="json", exclude_none=True)
        content["compute"] = {"devices": devices}
        if method == "arnet":
            tiny = {"network": "tiny_cnn", "weights": "random"}
            content["networks"] = dict.fromkeys(("medium", "small", "light"), tiny)
        content["training"] |= {"precision": "64-true", "epochs_scale": 0.2, "batch_size": 10}
        made = Trainer(make_plan(validate(content, "small")), "long", method)
        made.folder = tmp_path / f"processes{devices}"
        return made

    return make


@pytest.mark.parametrize(("method", "num_stages"), [("frameexit", 2), ("arnet", 3)])
def test_two_processes_end_in_the_weights_of_one(trainer, method, num_stages):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    one, two = (trainer(number, method).get("default", 0, 0) for number in (1, 2))
    torch.set_num_threads(threads)
    assert [path.name for path in one.checkpoints] == [path.name for path in two.checkpoints]
    assert len(one.checkpoints) == num_stages
    for here, there in zip(one.checkpoints, two.checkpoints, strict=True):
        expected, found = load_file(here), load_file(there)
        assert found.keys() == expected.keys()
        for name, tensor in expected.items():
            torch.testing.assert_close(found[name], tensor, atol=TOLERANCE, rtol=0, msg=name)
    losses = [[line["loss"] for line in trained.log] for trained in (one, two)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-6)
    assert losses[0][0] > losses[0][6]  # it learned something


def test_the_cause_of_a_process_that_fails_is_said(trainer, tmp_path):
    made = trainer(2)
    request = StageRequest(
        config=made.plan.config,
        dataset="long",
        method="frameexit",
        variant="default",
        number=5,
        seed=0,
        fold=0,
        folder=tmp_path,
    )
    with pytest.raises(BenchmarkError, match=r"trains with others: rank \d: IndexError"):
        train_together(request)
    assert list(tmp_path.glob("request-*")) == []


def test_a_damaged_file_ends_the_job_and_is_no_result_of_the_method(trainer):
    made = trainer(2)
    (shard,) = Layout.of(made.plan.config).frames("long").glob("shard-*.bin")
    whole = shard.read_bytes()
    shard.write_bytes(bytes(len(whole)))  # only the processes that train read frames
    try:
        with pytest.raises(MachineError, match=rf"rank \d: {shard}: .*changed.* Fix: delete this"):
            train_all(made, [0])
    finally:
        shard.write_bytes(whole)
