"""Features of stored frames, computed on the spot: where weights change, and for the audit."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import numpy as np
import torch
from torch import Tensor

from benchmark.backbones.build import input_shape
from benchmark.backbones.registry import Backbone
from benchmark.backbones.views import CENTRE, View
from benchmark.cost.counter import MacCounter
from benchmark.cost.meter import Meter
from benchmark.data.frames.store import FrameStore
from benchmark.data.sound.log_mel import WINDOW_SAMPLES, log_mel
from benchmark.data.sound.store import SoundStore
from benchmark.sampling import clip_positions

__all__ = ["ComputedFeatures", "count_macs_per_input", "load_inputs"]


def load_inputs(
    store: FrameStore,
    backbone: Backbone,
    video: str,
    starts: Sequence[int],
    *,
    view: View = CENTRE,
    sound: SoundStore | None = None,
) -> Tensor:
    """Return a network's inputs that begin at these positions: `[K, *input_shape(network)]`."""
    num_frames, size = backbone.network.num_frames, backbone.network.size
    if backbone.network.is_audio:
        assert sound is not None, "it is opened for networks that listen"
        if starts and min(starts) < 0:
            raise IndexError(f"'{video}' has no position {min(starts)}")
        moments = store.moments_s(video)[np.array(starts, dtype=np.int64)]
        spectrograms = log_mel(sound.windows(video, moments, WINDOW_SAMPLES))
        return torch.from_numpy(spectrograms).unsqueeze(-1)
    if num_frames == 1:
        return torch.from_numpy(view.frames(store, video, starts, size))
    positions = clip_positions(np.array(starts), num_frames, store.num_positions(video))
    frames = view.frames(store, video, positions.ravel().tolist(), size)
    return torch.from_numpy(frames).view(len(starts), num_frames, size, size, 3)


def count_macs_per_input(backbone: Backbone) -> int:
    """Return the MACs that a network executes for one input."""
    blank = torch.zeros((1, *input_shape(backbone.network)), dtype=torch.uint8)
    training = backbone.training
    with torch.inference_mode(), MacCounter() as counter:
        backbone.eval()(blank)
    backbone.train(training)
    return int(counter.total)


class ComputedFeatures:
    """Features that a network computes from stored frames, or sound, when they are asked for.

    Args:
        backbone: the network, on the device that computes.
        store: the frames.
        video_ids: of the videos, in the order of their numbers.
        view: how inputs are cut from frames.
        sound: the sound, for a network that listens.
    """

    def __init__(
        self,
        backbone: Backbone,
        store: FrameStore,
        video_ids: Sequence[str],
        view: View = CENTRE,
        sound: SoundStore | None = None,
    ) -> None:
        self.backbone, self._store, self._video_ids = backbone, store, list(video_ids)
        self.size, self.num_frames = backbone.network.size, backbone.network.num_frames
        self._view, self._sound = view, sound

    def features(
        self, videos: Tensor, starts: Tensor, meter: Meter | None, rows: Tensor, component: str
    ) -> Tensor:
        """See `benchmark.videos.FeatureSource`."""
        if not len(videos):
            return torch.zeros(0, starts.shape[1], self.backbone.network.num_features)

        def load(pair: tuple[int, list[int]]) -> Tensor:
            video = self._video_ids[pair[0]]
            return load_inputs(
                self._store, self.backbone, video, pair[1], view=self._view, sound=self._sound
            )

        pairs = list(zip(videos.tolist(), starts.tolist(), strict=True))
        num_threads = min(torch.get_num_threads(), len(pairs))
        if num_threads > 1:  # decoding and resizing let other threads run
            with ThreadPoolExecutor(num_threads, "input", torch.set_num_threads, (1,)) as pool:
                inputs = list(pool.map(load, pairs))
        else:
            inputs = [load(pair) for pair in pairs]
        each = rows.repeat_interleave(starts.shape[1])
        with meter.charge(component, each) if meter else nullcontext():
            features: Tensor = self.backbone(torch.cat(inputs))
        return features.view(len(videos), starts.shape[1], -1)
