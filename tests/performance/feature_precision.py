"""Compares float32 with bfloat16 features on a finished run: time, and which decisions change.

    python tests/performance/feature_precision.py --profile builtin --dataset long

The harness extracts in float32. It would use bfloat16 only where that is at least as fast and
changes no decision: no video's exit and no video's answer. Nothing here is asserted.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmark.evaluation.predict import predict_videos, prediction_seed
from benchmark.experiment.finished import read_resolved
from benchmark.experiment.layout import RunKey
from benchmark.experiment.plan import make_plan
from benchmark.training.trainer import Trainer


class InPrecision(nn.Module):
    """A backbone whose products run in bfloat16, or do not; its time is added up."""

    def __init__(self, backbone: nn.Module, *, half: bool) -> None:
        super().__init__()
        self.backbone, self.network, self.half = backbone, backbone.network, half
        self.seconds, self.num_frames = 0.0, 0

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        start = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.half):
            features: torch.Tensor = self.backbone(frames)
        self.seconds += time.perf_counter() - start
        self.num_frames += len(frames)
        return features


def main() -> None:
    """Predict the same videos in both precisions and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", default="builtin")
    parser.add_argument("--results", default="results")
    parser.add_argument("--dataset", default="long")
    parser.add_argument("--method", default="frameexit")
    parser.add_argument("--variant", default="default")
    parser.add_argument("--videos", type=int, default=400)
    args = parser.parse_args()
    torch.set_num_threads(1)
    plan = make_plan(read_resolved(Path(args.results) / args.profile / "config.json"))
    key = RunKey(args.dataset, args.method, args.variant, plan.config.seeds[0])
    trainer = Trainer(plan, key.dataset, key.method)
    trained = trainer.get(key.variant, key.seed, 0)
    ids = trainer.data.fold(0)[1][: args.videos]
    rows = {}
    for half in (False, True):
        networks = {
            role: InPrecision(network, half=half)
            for role, network in trainer.frozen_networks.items()
        }

        def computed(video_ids: Sequence[str], networks: Mapping[str, Any] = networks) -> Any:
            return trainer.data.computed(video_ids, networks)

        run = replace(trained, sources=computed)
        rows[half] = predict_videos(trainer.data, run, ids, prediction_seed(key), batch=32)
        for role, network in networks.items():
            spent = 1e3 * network.seconds / network.num_frames
            print(f"{role} {'bfloat16' if half else 'float32'}: {spent:.2f} ms a frame")
    exits = (rows[False].exit_step != rows[True].exit_step).sum()
    full, short = (rows[half].exit_scores() for half in (False, True))
    answers = (full.argmax(1) != short.argmax(1)).sum()
    print(f"of {len(ids)} videos {exits} exit elsewhere and {answers} are answered otherwise")
    print(f"scores differ by up to {abs(full - short).max():.2g}")


if __name__ == "__main__":
    main()
