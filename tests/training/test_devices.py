"""Methods train, predict and are audited on another device as on the CPU, to the last bit."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest
import torch
import torch.distributed as dist
from lightning_fabric import Fabric
from lightning_fabric.accelerators import CPUAccelerator
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from lightning_fabric.strategies import SingleDeviceStrategy
from torch import nn

from benchmark.checks.other_device import other_device
from benchmark.checks.subject import SEED, Subject, schedule_of
from benchmark.evaluation.predict import audit_run, predict_videos, prediction_seed
from benchmark.experiment.layout import RunKey
from benchmark.files.repository import REPOSITORY
from benchmark.training.distributed import processes
from benchmark.training.distributed.processes import GlobalBatchNorm
from benchmark.training.fit import fit
from benchmark.training.trainer import Trainer

NAMES = sorted(path.parent.name for path in REPOSITORY.glob("methods/*/method.yaml"))


class _Anywhere(CPUAccelerator):
    """What Lightning asks of a device that needs nothing to be set up."""

    def setup_device(self, device):
        del device


def _fabric_on(device):
    strategy = SingleDeviceStrategy(device=device, accelerator=_Anywhere())
    return Fabric(strategy=strategy, plugins=[LightningEnvironment()])


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def fused(monkeypatch):
    """Let an optimiser take its step in one kernel there too: PyTorch has a list of devices."""
    optimizer = sys.modules["torch.optim.optimizer"]
    kinds = ["cpu", other_device().type]
    monkeypatch.setattr(optimizer, "_get_fused_kernels_supported_devices", lambda: kinds)


@pytest.mark.usefixtures("fused")
@pytest.mark.parametrize("name", NAMES)
def test_a_stage_ends_in_the_same_weights(name, methods):
    subject = Subject(methods[name], methods)
    if subject.is_control:
        pytest.skip("it trains nothing")
    ended = []
    for device in (torch.device("cpu"), other_device()):
        world = subject.world.moved_to(device)
        method = subject.build(subject.params()).to(device)
        videos = world.training_set(world.sources(stored=False))
        for stage in method.stages:
            finetuned = [world.networks[r] for r in stage.finetunes if r in world.networks]
            fabric, schedule = _fabric_on(device), schedule_of(stage, 2)
            fit(method, stage, videos, schedule, SEED, finetuned=finetuned, fabric=fabric)
        whole = nn.ModuleDict({"method": method, **world.networks})
        assert {tensor.device for tensor in whole.state_dict().values()} == {device}
        ended.append({name: tensor.cpu() for name, tensor in whole.state_dict().items()})
    assert [n for n in ended[0] if not torch.equal(ended[0][n], ended[1][n])] == []
    assert ended[0].keys() == ended[1].keys()


@pytest.mark.parametrize("finetune", [False, True])
def test_a_run_and_its_audit(small_plan, tmp_path, finetune):
    plan, key = small_plan(finetune), RunKey("long", "frameexit", "default", 0)
    rows, faults = [], []
    for device in (torch.device("cpu"), other_device()):
        trainer = Trainer(plan, key.dataset, key.method, device=device)
        trainer.folder = tmp_path  # the second finds what the first trained
        trained = trainer.get(key.variant, key.seed, 0)
        assert {parameter.device for parameter in trained.method.parameters()} == {device}
        ids = trainer.data.fold(0)[1]
        rows.append(predict_videos(trainer.data, trained, ids, prediction_seed(key)))
        faults += audit_run(trainer, key, rows[-1])
        trainer.forget_features([key.seed])  # else they would be found too
    assert faults == []
    here, there = rows
    np.testing.assert_allclose(there.scores, here.scores, atol=1e-6)
    assert (there.exit_step == here.exit_step).all()
    assert (there.macs() == here.macs()).all()


def test_batch_norm_over_all_processes(tmp_path):
    dist.init_process_group("gloo", f"file://{tmp_path}/meet", rank=0, world_size=1)
    try:
        with GlobalBatchNorm():
            here, there = _after_batch_norm(torch.device("cpu")), _after_batch_norm(other_device())
    finally:
        dist.destroy_process_group()
    for first, second in zip(here, there, strict=True):
        torch.testing.assert_close(second, first, rtol=0, atol=0)


def _after_batch_norm(device):
    torch.manual_seed(0)
    inputs, norm = torch.randn(6, 3, 4).to(device).requires_grad_(), nn.BatchNorm1d(3).to(device)
    output = norm(inputs)
    output.pow(3).sum().backward()
    state = [output, inputs.grad, norm.weight.grad, norm.running_mean, norm.running_var]
    return [tensor.detach().cpu() for tensor in state]


def test_cuda_computes_float32_in_float32_and_repeats_itself(monkeypatch):
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "put back afterwards")
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG")
    flags = [
        (torch.backends.cuda.matmul, "allow_tf32"),
        (torch.backends.cudnn, "allow_tf32"),
        (torch.backends.cudnn, "benchmark"),
        (torch.backends.cudnn, "deterministic"),
        (torch.utils.deterministic, "fill_uninitialized_memory"),
    ]
    before = [getattr(*flag) for flag in flags]
    strict = torch.are_deterministic_algorithms_enabled()
    warns = torch.is_deterministic_algorithms_warn_only_enabled()
    try:
        processes._make_repeatable(torch.device("cpu"))
        assert [getattr(*flag) for flag in flags] == before
        processes._make_repeatable(torch.device("cuda", 0))
        assert [getattr(*flag) for flag in flags] == [False, False, False, True, False]
        assert torch.is_deterministic_algorithms_warn_only_enabled()
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    finally:
        for flag, value in zip(flags, before, strict=True):
            setattr(*flag, value)
        torch.use_deterministic_algorithms(strict, warn_only=warns)
