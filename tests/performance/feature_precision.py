"""Compares float32 with bfloat16 feature extraction, in one run: time a frame, and what changes.

    python tests/performance/feature_precision.py [network] [frames]

The harness extracts in float32; it would use bfloat16 only where that is at least as fast and
changes no decision. Random weights and noise are the hardest case for the second condition, real
frames an easier one, so the printed share is a lower bound of what would agree.
"""

from __future__ import annotations

import sys
import time

import torch
from torch import nn

from benchmark.backbones.registry import Backbone, network_named


def main() -> None:
    """Time both precisions on the same frames, alternating, and compare a classifier's answers."""
    name = sys.argv[1] if len(sys.argv) > 1 else "tf_efficientnet_lite0"
    num_frames = int(sys.argv[2]) if len(sys.argv) > 2 else 32
    torch.manual_seed(0)
    network = network_named(name)
    backbone, classifier = Backbone(network).eval(), nn.Linear(network.num_features, 20)
    shape = (num_frames, network.size, network.size, 3)
    frames = torch.randint(0, 256, shape, dtype=torch.uint8)
    seconds: dict[bool, list[float]] = {False: [], True: []}
    answers = {}
    with torch.inference_mode():
        for repeat in range(7):
            for half in (False, True):
                start = time.perf_counter()
                with torch.autocast("cpu", torch.bfloat16, enabled=half):
                    features = backbone(frames)
                if repeat:  # the first pair warms up
                    seconds[half].append(time.perf_counter() - start)
                answers[half] = classifier(features).argmax(-1)
    for half, label in ((False, "float32"), (True, "bfloat16")):
        times = sorted(seconds[half])
        print(
            f"{name} {label}: {1e3 * times[len(times) // 2] / num_frames:.2f} ms a frame (median)"
        )
    print(f"same answer for {(answers[False] == answers[True]).float().mean():.1%} of the frames")


if __name__ == "__main__":
    main()
