"""Pretraining of the small network on the built-in train split: 'which cues does a frame show?'.

It stands where ImageNet stands for the paper's backbones: it teaches what a glyph looks like, never
which glyphs make a class. Only frames of training videos are read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmark.backbones.registry import Backbone
from benchmark.config.learning import Pretraining
from benchmark.config.networks import Network
from benchmark.data.builtin.truth import Truth
from benchmark.data.frames.store import FrameStore
from benchmark.files.sealed_tensors import save_sealed_tensors
from benchmark.sampling import clip_positions
from benchmark.seeds import derive_seed

__all__ = ["pretrain"]


def pretrain(
    network: Network,
    schedule: Pretraining,
    sets: Sequence[tuple[FrameStore, dict[str, Truth], Sequence[str]]],
    weights_file: Path,
    progress: Callable[[int, int], None] | None = None,
    *,
    device: torch.device | None = None,
) -> list[float]:
    """Train a network to name the cues that are visible in a frame or a clip; store its body.

    Args:
        network: to train.
        schedule: of the training.
        sets: for each built-in set its stored frames, the generator's record, and the ids of its
            training videos.
        weights_file: safetensors file to write.
        progress: called with (steps done, steps in all).
        device: to train on; the CPU by default.

    Returns:
        the mean loss of each epoch.
    """
    seed = derive_seed("pretraining", network.size, network.num_features, schedule)
    torch.manual_seed(seed)
    draw = np.random.default_rng(seed)
    backbone = Backbone(network).train().to(device)
    samples = [(store, truth[v], v) for store, truth, ids in sets for v in ids]
    head = nn.Linear(network.num_features, samples[0][1].visible([0]).shape[1]).to(device)
    parameters = [*backbone.parameters(), *head.parameters()]
    optimiser = torch.optim.Adam(parameters, lr=schedule.learning_rate, fused=True)
    per_video = max(1, schedule.frames_per_video // network.num_frames)
    per_batch = max(1, schedule.batch_size // schedule.frames_per_video)
    batches = -(-len(samples) // per_batch)
    plan = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, schedule.learning_rate, total_steps=batches * schedule.epochs
    )
    losses = []
    for epoch in range(schedule.epochs):
        total = 0.0
        for number, chosen in enumerate(np.array_split(draw.permutation(len(samples)), batches)):
            inputs, visible = _batch([samples[i] for i in chosen], per_video, network, draw)
            loss = F.binary_cross_entropy_with_logits(head(backbone(inputs)), visible.to(device))
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            plan.step()
            total += loss.item()
            if progress:
                progress(epoch * batches + number + 1, schedule.epochs * batches)
        losses.append(total / batches)
    save_sealed_tensors(weights_file, backbone.body.state_dict())
    return losses


def _batch(
    samples: Sequence[tuple[FrameStore, Truth, str]],
    per_video: int,
    network: Network,
    draw: np.random.Generator,
) -> tuple[Tensor, Tensor]:
    """Return inputs of random frames or clips, and which cues are visible in each."""
    size, num_frames, inputs, visible = network.size, network.num_frames, [], []
    for store, truth, video in samples:
        length = store.num_positions(video)
        starts = np.sort(draw.integers(length, size=per_video))
        positions = clip_positions(starts, num_frames, length)
        inputs.append(store.frames(video, positions.ravel().tolist(), size))
        shown = truth.visible(store.source_frames(video)[positions.ravel()].tolist())
        visible.append(shown.reshape(*positions.shape, -1).any(axis=1))
    frames = torch.from_numpy(np.concatenate(inputs))
    return (
        frames if num_frames == 1 else frames.view(-1, num_frames, *frames.shape[1:]),
        torch.from_numpy(np.concatenate(visible)).float(),
    )
