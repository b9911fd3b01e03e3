"""A small world in memory: videos that are easy to learn, tiny networks, both kinds of features.

Frames are noise plus a patch that tells the class, in all frames of a video or in some, and where
it shows, it sounds. A role with 'clip' in its name is given clips, one with 'sound' listens.
Sources stand in for the feature store and for networks on stored frames; they note what they hand
out, and carry the labels, so that a method which helps itself to either is seen.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from benchmark.contract import NetworkInfo, Task
from benchmark.cost.counter import MacCounter
from benchmark.cost.meter import Meter
from benchmark.errors import BenchmarkError
from benchmark.sampling import clip_positions
from benchmark.seeds import derive_seed, video_keys
from benchmark.training.batches import TrainingSet
from benchmark.videos import Videos

__all__ = ["MemorySource", "TinyNetwork", "World", "make_world"]

NUM_TRAIN, NUM_TEST = 16, 12
SHORTEST, LONGEST = 12, 20
SIDE, CLIP_FRAMES, HEAD_UNITS = 12, 4, 16
BANDS = 6
_CPU = torch.device("cpu")


class TinyNetwork(nn.Module):
    """One layer, on frames or clips, `[N, (L,) S, S, 3]` uint8, or on sound, `[N, 6]` float32."""

    body: nn.Module

    def __init__(self, role: str) -> None:
        super().__init__()
        self.is_audio = "sound" in role
        if self.is_audio:
            self.num_frames, self.size, self.num_features = 0, 0, 8
            self.body = nn.Linear(BANDS, self.num_features)
            return
        self.num_frames = CLIP_FRAMES if "clip" in role else 1
        self.size = SIDE if role == "backbone" else SIDE - 4
        kind = nn.Conv2d if self.num_frames == 1 else nn.Conv3d
        num_maps = 4 if role == "backbone" else 6
        self.body = kind(3, num_maps, 4, stride=4)
        self.num_features = num_maps * (self.size // 4) ** 2

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the features of frames, clips or sound: `[N, D]`."""
        inputs = inputs.to(next(self.parameters()).device)
        if self.is_audio:
            heard: Tensor = self.body(inputs)
            return heard
        scaled = inputs.float() / 64 - 2
        features: Tensor = self.body(scaled.movedim(-1, 1)).flatten(1)
        return features

    def info(self) -> NetworkInfo:
        """Return what a method is told of it."""
        clip = (self.num_frames,) if self.num_frames > 1 else ()
        shape = (BANDS,) if self.is_audio else (*clip, self.size, self.size, 3)
        blank = torch.zeros((1, *shape), dtype=torch.float32 if self.is_audio else torch.uint8)
        with torch.inference_mode(), MacCounter() as counter:
            self(blank)
        return NetworkInfo(self.num_features, self.num_frames, self.size, counter.total)


class MemorySource:
    """A `FeatureSource` on frames in memory.

    Attributes:
        frames: `[N, P, 12, 12, 3]` uint8, all of them.
        sounds: `[N, P, 6]` float32, what sounds around each of them.
        targets: `[N]` labels: not a method's business, and permuted to see that it is not.
        handed: `[N, P]` bool, which frames went through the network.
    """

    def __init__(
        self,
        network: TinyNetwork,
        frames: Tensor,
        sounds: Tensor,
        lengths: npt.NDArray[np.int64],
        targets: Tensor,
        *,
        stored: bool,
    ) -> None:
        self.network, self.frames, self.sounds, self.targets = network, frames, sounds, targets
        self.size, self.num_frames = network.size, network.num_frames
        self.handed = np.zeros(frames.shape[:2], dtype=bool)
        self._lengths, self._bank, self._macs = lengths, None, network.info().macs
        if stored:
            all_videos = torch.arange(len(frames))
            step = max(1, self.num_frames)
            starts = torch.arange(0, frames.shape[1], step).repeat(len(frames), 1)
            with torch.inference_mode():
                self._bank = self._compute(all_videos, starts).cpu().clone()

    def features(
        self, videos: Tensor, starts: Tensor, meter: Meter | None, rows: Tensor, component: str
    ) -> Tensor:
        """See `benchmark.videos.FeatureSource`."""
        lengths = self._lengths[videos.numpy()][:, None]
        if ((starts.numpy() < 0) | (starts.numpy() >= lengths)).any():
            raise BenchmarkError("a frame was asked for that its video does not have")
        handed = clip_positions(starts.numpy(), self.num_frames, lengths[..., None])
        self.handed[videos.numpy()[:, None, None], handed] = True
        if self._bank is not None:
            if meter is not None:
                meter.add(component, rows, self._macs * starts.shape[1])
            return self._bank[videos[:, None], starts // max(1, self.num_frames)]
        each = rows.repeat_interleave(starts.shape[1])
        with meter.charge(component, each) if meter else nullcontext():
            return self._compute(videos, starts)

    def _compute(self, videos: Tensor, starts: Tensor) -> Tensor:
        if not len(videos):
            return torch.zeros(0, starts.shape[1], self.network.num_features)
        if self.network.is_audio:
            heard: Tensor = self.network(self.sounds[videos[:, None], starts].flatten(0, 1))
            return heard.view(*starts.shape, -1)
        lengths = self._lengths[videos.numpy()][:, None, None]
        positions = clip_positions(starts.numpy(), self.num_frames, lengths)
        chosen = self.frames[videos[:, None, None], torch.from_numpy(positions)]
        nearest = torch.arange(self.size) * SIDE // self.size
        inputs = chosen[:, :, :, nearest][:, :, :, :, nearest].flatten(0, 1)
        features: Tensor = self.network(inputs[:, 0] if self.num_frames == 1 else inputs)
        return features.view(*starts.shape, -1)


@dataclass(frozen=True)
class World:
    """Videos, their labels and networks; the first 16 are to train on, the others to test on.

    Attributes:
        frames: `[N, P, 12, 12, 3]` uint8.
        sounds: `[N, P, 6]` float32.
        lengths: `[N]` int64, frames that a video really has.
        targets: `[N]` class indices, or `[N, C]` 0/1.
        task: what a method is built for.
        networks: by role.
        device: of the networks, and of what a method gets; frames stay on the CPU.
    """

    frames: Tensor
    sounds: Tensor
    lengths: npt.NDArray[np.int64]
    targets: Tensor
    task: Task
    networks: Mapping[str, TinyNetwork]
    device: torch.device = _CPU

    @property
    def ids(self) -> list[str]:
        """The videos' names."""
        return [f"video{number}" for number in range(len(self.frames))]

    @property
    def train(self) -> list[int]:
        """Places of the videos to train on."""
        return list(range(NUM_TRAIN))

    @property
    def test(self) -> list[int]:
        """Places of the videos to test on."""
        return list(range(NUM_TRAIN, len(self.frames)))

    def sources(self, *, stored: bool) -> dict[str, MemorySource]:
        """Return new sources by role, that have handed out nothing yet."""
        return {
            role: MemorySource(
                network, self.frames, self.sounds, self.lengths, self.targets, stored=stored
            )
            for role, network in self.networks.items()
        }

    def training_set(self, sources: Mapping[str, MemorySource]) -> TrainingSet:
        """Return the videos to train on."""
        ids, chosen = self.ids[:NUM_TRAIN], slice(NUM_TRAIN)
        return TrainingSet(sources, ids, self.lengths[chosen], self.targets[chosen])

    def videos(
        self,
        places: Sequence[int],
        sources: Mapping[str, MemorySource],
        seed: int,
        meter: Meter | None = None,
        *,
        labelled: bool = False,
    ) -> Videos:
        """Return some of the videos as a method sees them: in prediction, or with their labels."""
        chosen = np.array(places, dtype=np.int64)
        keys = video_keys(self.ids)[chosen]
        indices = torch.from_numpy(chosen)
        return Videos(
            sources,
            indices,
            keys,
            self.lengths[chosen],
            seed,
            targets=self.targets[indices] if labelled else None,
            meter=meter,
            device=self.device,
        )

    def own_networks(self) -> World:
        """Return the same world with copies of its networks, to fine-tune."""
        return replace(self, networks=copy.deepcopy(dict(self.networks)))

    def moved_to(self, device: torch.device) -> World:
        """Return the same world with copies of its networks on a device."""
        networks = {role: net.to(device) for role, net in self.own_networks().networks.items()}
        return replace(self, networks=networks, device=device)

    def labelled(self, num_classes: int, *, multi_label: bool) -> World:
        """Return the same videos with random labels for another task."""
        draw = torch.Generator().manual_seed(num_classes)
        targets = torch.randint(num_classes, (len(self.frames),), generator=draw)
        if multi_label:
            also = torch.randint(num_classes, (len(self.frames),), generator=draw)
            targets = nn.functional.one_hot(torch.stack([targets, also], 1), num_classes).amax(1)
            targets = targets.float()
        names = tuple(f"class{number}" for number in range(num_classes))
        task = replace(self.task, classes=names, multi_label=multi_label)
        return replace(self, targets=targets, task=task)


def make_world(roles: Sequence[str]) -> World:
    """Make the world for a method that asks for networks of these roles; always the same one."""
    draw = np.random.default_rng(derive_seed("world of the checks"))
    num, side = NUM_TRAIN + NUM_TEST, SIDE // 2
    classes = draw.permutation(np.arange(num) % 3)
    frames = draw.integers(0, 160, (num, LONGEST, SIDE, SIDE, 3), dtype=np.uint8)
    shows = draw.random((num, LONGEST)) < draw.choice([1.0, 0.6, 0.3], (num, 1))
    for video, label in enumerate(classes):
        patch = frames[video, shows[video], :side, :, label]
        frames[video, shows[video], :side, :, label] = patch // 2 + 160
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(derive_seed("networks of the checks"))
        networks = {role: TinyNetwork(role).eval() for role in roles}
    infos = {role: network.info() for role, network in networks.items()}
    num_features = infos["backbone"].num_features if "backbone" in infos else 0
    names = ("left", "middle", "right")
    task = Task(names, False, num_features, HEAD_UNITS, infos)
    lengths = draw.integers(SHORTEST, LONGEST + 1, num).astype(np.int64)
    sounds = draw.random((num, LONGEST, BANDS), dtype=np.float32)
    sounds[np.arange(num), :, classes] += 2 * shows
    tensors = (torch.from_numpy(frames), torch.from_numpy(sounds))
    return World(*tensors, lengths, torch.from_numpy(classes), task, networks)
