"""What counting costs: ResNet-50 at 224, batch 8, counted and uncounted in pairs.

Not collected by pytest, since no test may depend on a clock. Run it alone on the machine:
`python tests/performance/counting_overhead.py`. On a busy machine read the processor time, which
other programs disturb less.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable

import torch
import torchvision

from benchmark.cost.meter import Meter

NUM_WARM_UP = 2
GOAL_PERCENT = 2.0
CLOCKS: dict[str, Callable[[], float]] = {"wall": time.perf_counter, "processor": time.process_time}


def seconds(run: Callable[[], None]) -> dict[str, float]:
    start = {name: clock() for name, clock in CLOCKS.items()}
    run()
    return {name: clock() - start[name] for name, clock in CLOCKS.items()}


def measure(batch: int, size: int, num_pairs: int) -> float:
    """Print what counting adds to a batch of frames; return the median in wall seconds."""
    network = torchvision.models.resnet50(weights=None).eval()
    frames, meter = torch.randn(batch, 3, size, size), Meter(batch)

    def uncounted() -> None:
        network(frames)

    def counted() -> None:
        with meter, meter.charge("backbone", range(batch)):
            network(frames)

    pairs = []
    with torch.inference_mode():
        for pair in range(num_pairs + NUM_WARM_UP):
            order = [uncounted, counted] if pair % 2 else [counted, uncounted]
            taken = {run: seconds(run) for run in order}  # neither gains from its place
            pairs.append((taken[uncounted], taken[counted]))
    gmac = meter.total()[0] / (num_pairs + NUM_WARM_UP) / 1e9
    print(f"ResNet-50 at {size}, batch {batch}, {gmac:.3f} GMAC a frame, {num_pairs} pairs")
    for clock in CLOCKS:
        report(clock, [(plain[clock], slow[clock]) for plain, slow in pairs[NUM_WARM_UP:]])
    return statistics.median(slow["wall"] - plain["wall"] for plain, slow in pairs[NUM_WARM_UP:])


def report(clock: str, pairs: list[tuple[float, float]]) -> None:
    low, median, high = statistics.quantiles([100 * (c / p - 1) for p, c in pairs], n=4)
    fastest = 100 * (min(c for _, c in pairs) / min(p for p, _ in pairs) - 1)
    print(
        f"  {clock} time: {1000 * statistics.median(p for p, _ in pairs):.1f} ms uncounted; "
        f"overhead {median:+.2f} % (quartiles {low:+.2f} to {high:+.2f}), of the fastest "
        f"{fastest:+.2f} %"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(f"{platform.machine()}, {arguments.threads} threads; goal: at most {GOAL_PERCENT} %")
    measure(8, 224, arguments.pairs)
    print("the same ops on almost no data, where nothing hides what counting itself takes:")
    print(f"  {1000 * measure(1, 32, 5 * arguments.pairs):.2f} ms added a batch of any size")
