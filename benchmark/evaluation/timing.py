"""Measured time of the methods: decoding and compute, one video at a time and in a batch.

Time belongs to a machine, so it stands in a table of its own, beside the machine's name, and never
among the MACs. The rule that calls this runs alone on the machine; nothing in it is asserted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
import numpy.typing as npt
import torch

from benchmark.data.sound.decoding import decode_sound
from benchmark.data.video_io.decoding import decode_frames
from benchmark.data.video_io.time_stamps import read_timeline
from benchmark.evaluation.audit import audit_sample
from benchmark.evaluation.early_exit import run_deployed
from benchmark.evaluation.rows import load_steps
from benchmark.experiment.layout import RunKey
from benchmark.experiment.plan import Plan
from benchmark.machine import provenance
from benchmark.seeds import video_keys
from benchmark.training.distributed.processes import device_of
from benchmark.training.trained import Trained
from benchmark.training.trainer import Trainer
from benchmark.videos import FeatureSource, Videos

__all__ = ["Timing", "time_runs", "timed_keys"]

_VIDEOS, _REPEATS = 16, 3


@dataclass(frozen=True)
class Timing:
    """Milliseconds a video, medians over a sample.

    Attributes:
        decode_ms: until the last frame that the method opens is decoded, from the video file, and
            all of the sound for one that listens; none where the file is gone.
        single_ms: from stored frames to the answer, batch 1.
        batched_ms: the same in one batch of all sampled videos.
        num_videos: in the sample.
        num_threads: of the numerical library.
    """

    dataset: str
    method: str
    variant: str
    decode_ms: float | None
    single_ms: float
    batched_ms: float
    num_videos: int
    num_threads: int
    processor: str


def timed_keys(plan: Plan, tables: Collection[str]) -> list[RunKey]:
    """Return the first seed's runs of some tables' rows that run a network of their own."""
    seed = plan.config.seeds[0]
    return [
        RunKey(dataset, method, variant, seed)
        for (dataset, method), variants in plan.variants.items()
        if not plan.is_control(method)
        for variant in variants
        if set(tables) & set(plan.methods[method].manifest.variants[variant].shown_in)
    ]


def time_runs(
    plan: Plan, keys: Sequence[RunKey], progress: Callable[[int, int], None]
) -> list[Timing]:
    """Time some runs, one after the other."""
    timings = []
    for number, key in enumerate(keys, 1):
        timings.append(_time_run(plan, key))
        progress(number, len(keys))
    return timings


def _time_run(plan: Plan, key: RunKey) -> Timing:
    trainer = Trainer(plan, key.dataset, key.method, device=device_of(plan.config.compute))
    trained = trainer.get(key.variant, key.seed, 0)
    ids = audit_sample(trainer.data.fold(0)[1], _VIDEOS)
    sources = trainer.data.computed(ids, trained.networks or trainer.frozen_networks)
    places = torch.arange(len(ids))
    singles = [places[i : i + 1] for i in range(len(ids))]
    lengths = trainer.data.lengths(ids)
    alone = list(_seconds(trained, sources, ids, lengths, singles))
    together = list(_seconds(trained, sources, ids, lengths, [places]))
    decoding = _decode_seconds(plan, trainer, key, ids)
    machine = provenance()["machine"]
    assert isinstance(machine, dict)
    return Timing(
        key.dataset,
        key.method,
        key.variant,
        None if decoding is None else 1e3 * decoding,
        1e3 * median(alone),
        1e3 * median(together) / len(ids),
        len(ids),
        torch.get_num_threads(),
        str(machine["processor"]),
    )


@torch.inference_mode()
def _seconds(
    trained: Trained,
    sources: Mapping[str, FeatureSource],
    ids: Sequence[str],
    lengths: npt.NDArray[np.int64],
    batches: Sequence[torch.Tensor],
) -> Iterator[float]:
    keys = video_keys(ids)
    for repeat in range(_REPEATS):
        for batch in batches:
            rows = batch.numpy()
            videos = Videos(
                sources, batch, keys[rows], lengths[rows], seed=0, device=trained.device
            )
            start = time.perf_counter()
            run_deployed(trained.method, videos).scores.cpu()  # a GPU is done when they are there
            if repeat:  # the first round warms up
                yield time.perf_counter() - start


def _decode_seconds(plan: Plan, trainer: Trainer, key: RunKey, ids: Sequence[str]) -> float | None:
    steps = load_steps(plan.layout.runs, key, answers_only=True)
    rows = {video: row for row, video in enumerate(steps.video_ids.tolist())}
    manifest = trainer.data.manifest
    facts = manifest.rows.set_index("video_id")[["path", "duration_s", "start_s"]]
    is_audio = plan.is_audio(key.method, key.variant)
    seconds = []
    for video in ids:
        path, row = manifest.root / facts["path"][video], rows[video]
        if not path.is_file():
            return None
        last = steps.last_opened[row, steps.exit_step[row] - 1]
        wanted = trainer.data.store.source_frames(video)[last : last + 1]
        timeline, reader = read_timeline(path), trainer.data.store.recipe.reader
        start = time.perf_counter()
        if last >= 0:
            decode_frames(path, timeline, wanted, reader=reader)
        if is_audio:
            decode_sound(path, facts["duration_s"][video], facts["start_s"][video])
        seconds.append(time.perf_counter() - start)
    return median(seconds)
