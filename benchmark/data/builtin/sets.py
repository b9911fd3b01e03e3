"""The three built-in video sets: what is shown, what it is called, how hard it is, and why.

The paper's claims are about videos in which one frame is often not enough and most frames are
not needed. Here that is a construction, so the right answer to 'when could one know?' is on
record. A *cue* is something visible in a frame: one of ten glyphs (five shapes in two colours)
or one of four scenes (the background's texture). A *label* is defined by its *evidence*, a set
of cues; a video has exactly those labels whose whole evidence it shows at some time.

Classes. Twenty pairs of glyphs: glyph i with glyphs i + 1 and i + 2, modulo ten, the glyphs
ordered shape by shape. So each glyph is part of exactly four classes and one glyph leaves four
classes possible, for all glyphs alike; some pairs share the shape, some the colour, some
neither, so neither can be ignored. A distractor is a glyph that forms no class with either
glyph of the pair; each class has three or four such glyphs. As long as a part of the pair is
unseen, at least two classes stay possible, even for one who knows which glyph distracts.

| set | stands for | frames | labels | glyphs |
| --- | --- | --- | --- | --- |
| long | ActivityNet-1.3: long, untrimmed, mAP | 96 at 2 fps (48 s) | one of 20 pairs | 2 |
| short | Mini-Kinetics: trimmed clips, top-1 | 60 at 6 fps (10 s) | one of 20 pairs | 2 |
| multi | HVU: many tags of several kinds, mAP | 48 at 6 fps (8 s) | 34 tags | 2 to 4 |

Lengths are divisible by most of the paper's T (4, 8, 16) and at least three times its largest
T, so that 'where to look' is a choice. The tags of `multi` are ten glyphs (objects), the twenty
pairs (concepts) and four scenes; in the other sets the scene is a nuisance that says nothing.

Frames are 64 x 64: decord cannot read widths of 33 to 48 or 65 to 72 (it takes the padding of a
row for a fourth colour), and 64 needs no padding with any decoder. Glyphs are 18 to 24 pixels,
so they stay legible when a method resizes to 48 and become hard at 32.

Difficulty is the share of the video in which each glyph of the pair shows (independently drawn
and placed; the shorter of presence and absence is one window at a random place):

| tier | long | short | multi | why |
| --- | --- | --- | --- | --- |
| easy | 40 %: 0.85 to 0.95 | 50 %: 0.85 to 0.95 | 40 %: 0.85 to 0.95 | nearly every frame tells |
| medium | 35 %: 1/3 to 1/2 | 35 %: 0.6 to 0.8 | 35 %: 1/3 to 1/2 | a few frames tell |
| hard | 25 %: 1/8 to 3/16 | 15 %: 1/3 to 1/2 | 25 %: 1/8 to 3/16 | two moments to be found |

The shares and the windows of `long` are those of the probe in which the construction was first
tried (2 or 3 of 16 positions are 1/8 to 3/16). The lower bound of 1/8 makes every window longer
than a tenth of the video: ten evenly spread frames meet all cues, four need not. `short` is
milder since trimmed clips show their action most of the time. A distractor, in a window of 1/3
to 1/2, is in half of the easy and medium videos and in all hard ones (short moments *among
distractors*). Classes and tiers are dealt, not drawn: see `plan.py`.

Sound. In 80 % of the videos one glyph of those shown, never a distractor, rings while it is
visible, with its shape's tone. Sound alone tells where to look and the shape of one glyph, never
the class; with a glyph seen elsewhere it can. In the other 20 % there is only noise, so that a
method must not rely on it.

No parameter was chosen, or changed, to make an effect of the paper appear.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from benchmark.errors import BenchmarkError, did_you_mean

__all__ = [
    "COLOURS",
    "CUES",
    "DISTRACTOR_COVER",
    "FRAME_SIZE_PX",
    "GLYPHS",
    "SCENES",
    "SETS",
    "SHAPES",
    "SOUND_CHANCE",
    "Tier",
    "VideoSet",
    "get_set",
]

FRAME_SIZE_PX = 64
SHAPES = ("disc", "square", "triangle", "cross", "ring")
COLOURS = ("red", "blue")
GLYPHS = tuple(f"{colour}_{shape}" for shape in SHAPES for colour in COLOURS)
SCENES = ("plain", "bands", "bars", "checks")
CUES = (*GLYPHS, *SCENES)
DISTRACTOR_COVER = (1 / 3, 1 / 2)
SOUND_CHANCE = 0.8


@dataclass(frozen=True)
class Tier:
    """One grade of difficulty.

    Attributes:
        name: 'easy', 'medium' or 'hard'.
        twentieths: how many of every 20 videos belong to it.
        cover: least and greatest share of the video in which each glyph shows.
        distractor_chance: chance of a third, irrelevant glyph (single-label sets only).
    """

    name: str
    twentieths: int
    cover: tuple[float, float]
    distractor_chance: float


@dataclass(frozen=True)
class VideoSet:
    """One built-in set.

    Attributes:
        evidence: label to the cues that, all seen, establish it; its order is that of `classes`.
        num_glyphs: least and greatest number of glyphs in a video, distractors not counted.
        fps: frames a second, constant.
        num_frames: frames of every video.
    """

    name: str
    stands_for: str
    multi_label: bool
    fps: int
    num_frames: int
    num_glyphs: tuple[int, int]
    tiers: tuple[Tier, ...]
    evidence: Mapping[str, frozenset[str]]

    @property
    def classes(self) -> tuple[str, ...]:
        """Return all labels in the order of a score vector."""
        return tuple(self.evidence)

    @property
    def cues(self) -> tuple[str, ...]:
        """Return all cues in the order of the columns of `Truth.visible`."""
        return CUES

    def labels_of(self, cues: frozenset[str]) -> tuple[str, ...]:
        """Return the labels whose whole evidence is among these cues."""
        return tuple(label for label, needed in self.evidence.items() if needed <= cues)


def _tiers(*rows: tuple[int, float, float]) -> tuple[Tier, ...]:
    names, distractor_chances = ("easy", "medium", "hard"), (0.5, 0.5, 1.0)
    return tuple(
        Tier(name, twentieths, (low, high), chance)
        for name, chance, (twentieths, low, high) in zip(
            names, distractor_chances, rows, strict=True
        )
    )


_PAIRS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        f"{first}+{second}": frozenset((first, second))
        for number, first in enumerate(GLYPHS)
        for second in (GLYPHS[(number + step) % len(GLYPHS)] for step in (1, 2))
    }
)
_TAGS: Mapping[str, frozenset[str]] = MappingProxyType(
    {cue: frozenset((cue,)) for cue in GLYPHS}
    | dict(_PAIRS)
    | {cue: frozenset((cue,)) for cue in SCENES}
)
_UNTRIMMED = _tiers((8, 0.85, 0.95), (7, 1 / 3, 1 / 2), (5, 1 / 8, 3 / 16))
_TRIMMED = _tiers((10, 0.85, 0.95), (7, 0.6, 0.8), (3, 1 / 3, 1 / 2))

SETS: Mapping[str, VideoSet] = MappingProxyType(
    {
        one.name: one
        for one in (
            VideoSet("long", "ActivityNet-1.3", False, 2, 96, (2, 2), _UNTRIMMED, _PAIRS),
            VideoSet("short", "Mini-Kinetics", False, 6, 60, (2, 2), _TRIMMED, _PAIRS),
            VideoSet("multi", "HVU", True, 6, 48, (2, 4), _UNTRIMMED, _TAGS),
        )
    }
)


def get_set(name: str) -> VideoSet:
    """Return a built-in set by name.

    Raises:
        BenchmarkError: if there is no such set.
    """
    if name not in SETS:
        raise BenchmarkError(
            f"no built-in video set '{name}'{did_you_mean(name, SETS)}",
            fix=f"use one of {', '.join(SETS)}",
        )
    return SETS[name]
