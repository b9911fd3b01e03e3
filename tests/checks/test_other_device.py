"""The emulated device does what CUDA does, and refuses what CUDA refuses."""

import copy
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import nn

from benchmark.checks.other_device import other_device
from benchmark.cost.counter import MacCounter

DEVICE = other_device()
CPU = torch.device("cpu")
NAMES = {"np": np, "torch": torch, "F": nn.functional, "device": DEVICE}


def _given():
    """Return `x` on the device, `c`, `rows` and `number` on the CPU."""
    draw = torch.Generator().manual_seed(0)
    c = torch.randn(3, 4, generator=draw)
    return {**NAMES, "x": c.to(DEVICE), "c": c, "rows": torch.tensor([2, 0]), "number": c.sum()}


@pytest.mark.parametrize(
    "made",
    [
        "torch.zeros(3, 4, device=device)",
        "torch.arange(1, 7, 2, device=device)",
        "torch.full((2,), 3.0, device=device)",
        "torch.tensor([[1, 2]], device=device)",
        "torch.as_tensor(np.ones(3), device=device)",
        "torch.eye(3, device=device)",
        "torch.from_numpy(np.ones(3)).to(device)",
        "x.new_zeros(2)",
        "x.new_tensor([1.0])",
        "torch.ones_like(x)",
        "torch.zeros(2).to(x)",
        "x.double()",
        "x[rows]",
        "x[rows.to(device)]",
        "x[x > 0]",
        "x[torch.tensor([True, False, True])]",
        "x * 2 + number",
        "torch.where(x > 0, x, 1.0)",
        "x.masked_fill(x > 0, -1.0)",
        "x.index_put((rows,), number)",
        "x.copy_(c)",
        "(x @ x.T).softmax(-1)",
        "F.one_hot(x.argmax(-1), 4)",
        "F.cross_entropy(x, torch.zeros(3, dtype=torch.int64, device=device))",
        "F.max_pool3d(x.view(1, 1, 3, 2, 2), (3, 1, 1))",
    ],
)
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_what_is_made_there_stays_there(made, mode):
    with mode():
        given = _given()
        there, here = eval(made, given), eval(made, {**given, "x": given["c"], "device": CPU})
    assert (there.device, here.device) == (DEVICE, CPU)
    assert there.dtype == here.dtype
    torch.testing.assert_close(there.cpu(), here, rtol=0, atol=0)


@pytest.mark.parametrize(
    "mixed",
    [
        "x + c",
        "c * x.sum()",
        "c.add_(x)",
        "number.add_(x.sum())",
        "c[rows.to(device)]",
        "c[x > 0]",
        "x.index_put_((rows,), c[rows])",
        "x.gather(1, torch.zeros(3, 1, dtype=torch.int64))",
        "x.index_select(0, rows)",
        "torch.cat([x, c])",
        "torch.stack([x.sum(), number])",
        "torch.where(c > 0, x, x)",
        "x.masked_fill(c > 0, 1.0)",
        "torch.equal(x, c)",
        "x @ c.T",
        "F.linear(x, c)",
        "F.batch_norm(x, torch.zeros(4), torch.ones(4))",
        "F.cross_entropy(x, torch.zeros(3, dtype=torch.int64))",
    ],
)
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_what_mixes_it_with_the_cpu_is_refused(mixed, mode):
    with mode(), pytest.raises(RuntimeError, match="on the same device"):
        eval(mixed, _given())


def test_what_leaves_it_is_copied():
    given = _given()
    x, c = given["x"], given["c"]
    for refused in (x.numpy, lambda: np.asarray(x)):
        with pytest.raises(TypeError, match=r"Use Tensor\.cpu\(\)"):
            refused()
    assert torch.equal(x.cpu(), c)
    assert torch.equal(c.clone().copy_(x * 2), c * 2)
    assert x.tolist() == c.tolist()
    assert x.sum().item() == c.sum().item()
    assert np.array_equal(x.cpu().numpy(), c.numpy())
    assert bool((x > 9).any()) is False
    assert not x.is_cpu


def test_views_share_what_they_view():
    x = torch.zeros(3, 4, device=DEVICE)
    row, flat = x[1], x.view(-1)
    row.add_(1)
    x[:, 0] = 5
    flat[3] = 7
    x[torch.tensor([2])] += 2
    expected = [[5, 0, 0, 7], [5, 1, 1, 1], [7, 2, 2, 2]]
    assert x.tolist() == expected
    assert row.tolist() == expected[1]
    assert flat.tolist() == np.ravel(expected).tolist()
    assert x.unsqueeze_(0).shape == (1, 3, 4)


def test_a_resized_tensor_is_no_silent_fault():
    with pytest.raises((RuntimeError, NotImplementedError)):
        torch.empty(0, device=DEVICE).resize_(3)


def _network():
    torch.manual_seed(0)
    convolution = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(2))
    return nn.Sequential(convolution, nn.LSTM(9, 5, batch_first=True))


def test_a_network_moves_with_its_parameters_and_learns_the_same():
    inputs = torch.randn(2, 3, 5, 5, generator=torch.Generator().manual_seed(1))
    here, there = _network(), _network()
    before = list(there.parameters())
    there.to(DEVICE)
    assert all(new is old for new, old in zip(there.parameters(), before, strict=True))
    for network in (here, there, copy.deepcopy(there)):
        device = next(network.parameters()).device
        loss = network(inputs.to(device))[0].square().sum()
        loss.backward()
        for ours, theirs in zip(here.parameters(), network.parameters(), strict=True):
            assert isinstance(theirs, nn.Parameter)
            assert theirs.grad.device == device
            torch.testing.assert_close(theirs.grad.cpu(), ours.grad, rtol=0, atol=1e-6)
    with pytest.raises(RuntimeError, match="on the same device"):
        there(inputs)


def test_gradients_come_back_from_it():
    weight = torch.ones(3, requires_grad=True)
    (weight.to(DEVICE) * 2).sum().backward()
    assert weight.grad.tolist() == [2, 2, 2]
    x = torch.ones(2, 3, device=DEVICE, requires_grad=True)
    doubled = x * 2
    doubled[0].mul_(3)
    doubled.sum().backward()
    assert x.grad.tolist() == [[6] * 3, [2] * 3]


def test_threads_see_it_and_counters_count_it():
    linear = nn.Linear(4, 2).to(DEVICE)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: linear(torch.ones(3, 4).to(DEVICE))).result().device == DEVICE
    for mode in (torch.no_grad, torch.inference_mode):
        with mode(), MacCounter() as counter:
            linear(torch.ones(3, 4, device=DEVICE))
        assert counter.total == 3 * 4 * 2
