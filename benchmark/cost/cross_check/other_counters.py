"""What the counters in common use report for the same network, op by op, in MACs.

They stand here to be compared with ours, never to fill a table: each of them silently reads zero
for something that video networks run (see docs/cost.md).
"""

from __future__ import annotations

import contextlib
import io
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping

import torch
from fvcore.nn import FlopCountAnalysis
from ptflops import get_model_complexity_info
from ptflops.aten_engine import FlopCounterMode as PtflopsMode
from ptflops.pytorch_engine import add_flops_counting_methods, is_supported_instance
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmark.cost.counter import MacCounter

__all__ = ["COUNTERS", "count_with_all"]

OpMacs = dict[str, int]


def _ours(network: nn.Module, clip: torch.Tensor) -> OpMacs:
    with torch.inference_mode(), MacCounter() as counter:
        network(clip)
    return dict(counter.by_op)


def _fvcore(network: nn.Module, clip: torch.Tensor) -> OpMacs:
    analysis = FlopCountAnalysis(network, clip)
    analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    with torch.no_grad():
        return {str(op): int(macs) for op, macs in analysis.by_operator().items()}


def _torch(network: nn.Module, clip: torch.Tensor) -> OpMacs:
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(clip)
    counts: Mapping[object, int] = counter.get_flop_counts().get("Global", {})
    return {str(op): flops // 2 for op, flops in counts.items()}


def _ptflops_aten(network: nn.Module, clip: torch.Tensor) -> OpMacs:
    counter = PtflopsMode(output_params=defaultdict(dict))
    with torch.no_grad(), counter:
        network(clip)
    return {str(op): int(macs) for op, macs in counter.flop_counts["Global"].items()}


def _ptflops_pytorch(network: nn.Module, clip: torch.Tensor) -> OpMacs:
    """Return the MACs by class of module; what it adds for functional calls is one more entry."""
    total, _ = get_model_complexity_info(
        network,
        tuple(clip.shape[1:]),
        backend="pytorch",
        as_strings=False,
        print_per_layer_stat=False,
    )
    with torch.no_grad(), contextlib.redirect_stdout(io.StringIO()):
        hooked = add_flops_counting_methods(network)
        hooked.start_flops_count(ost=io.StringIO(), verbose=False, ignore_list=[])
        hooked(clip)
    by_class: Counter[str] = Counter()
    for module in _counted_modules(network):
        by_class[type(module).__name__] += int(getattr(module, "__flops__", 0))
    hooked.stop_flops_count()
    by_class["functional calls"] = int(total or 0) - by_class.total()
    return {name: macs for name, macs in by_class.items() if macs}


def _counted_modules(module: nn.Module) -> Iterator[nn.Module]:
    # ptflops does not look into a module that it knows.
    if is_supported_instance(module):
        yield module
    else:
        for child in module.children():
            yield from _counted_modules(child)


COUNTERS: Mapping[str, Callable[[nn.Module, torch.Tensor], OpMacs]] = {
    "ours": _ours,
    "fvcore": _fvcore,
    "ptflops (pytorch)": _ptflops_pytorch,
    "ptflops (aten)": _ptflops_aten,
    "torch": _torch,
}


def count_with_all(network: nn.Module, size: tuple[int, ...]) -> dict[str, OpMacs]:
    """Return counter -> op -> MACs of one real run each, batch 1.

    Args:
        network: in evaluation mode.
        size: of one input, without the batch.
    """
    clip = torch.zeros(1, *size)
    return {name: count(network, clip) for name, count in COUNTERS.items()}
