"""Decide all that one built-in video will show, before a pixel is drawn.

A plan depends on (set, seed, split, index) and on nothing else, so neither the number of
workers, nor an interruption, nor the size of a split changes any video.

Classes and tiers are dealt like cards rather than drawn: class = index mod 20, and the tier's
slot runs through a Latin square, so that every 20 videos hold every class once and the exact
shares of the tiers, and every 400 videos every combination of the two. A small split (24 videos)
is then as balanced as it can be, and no class is ever without a training video.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from benchmark.data.builtin.sets import (
    DISTRACTOR_COVER,
    FRAME_SIZE_PX,
    GLYPHS,
    SCENES,
    SOUND_CHANCE,
    Tier,
    VideoSet,
)
from benchmark.data.builtin.truth import Truth

__all__ = ["GLYPH_SIZES_PX", "Sprite", "VideoPlan", "plan_video", "video_rng"]

GLYPH_SIZES_PX = (18, 20, 24)
_QUADRANT_PX = FRAME_SIZE_PX // 2


@dataclass(frozen=True)
class Sprite:
    """One glyph's place: it glides on a line inside its own quadrant, so glyphs never overlap.

    Attributes:
        start_px: (y, x) of the upper left corner in the first frame.
        end_px: (y, x) in the last frame.
    """

    glyph: str
    size_px: int
    start_px: tuple[int, int]
    end_px: tuple[int, int]

    def corner_px(self, frame: int, num_frames: int) -> tuple[int, int]:
        """Return the (y, x) of the upper left corner; even, so that chroma samples align."""
        way = frame / (num_frames - 1)
        y, x = (
            2 * round((start + (end - start) * way) / 2)
            for start, end in zip(self.start_px, self.end_px, strict=True)
        )
        return y, x


@dataclass(frozen=True)
class VideoPlan:
    """All decisions about one video."""

    truth: Truth
    scene: str
    sprites: tuple[Sprite, ...]


def video_rng(purpose: str, seed: int, video_id: str) -> np.random.Generator:
    """Return the random numbers of one purpose ('plan', 'pixels', 'sound') for one video."""
    return np.random.default_rng([seed, *(zlib.crc32(k.encode()) for k in (purpose, video_id))])


def plan_video(video_set: VideoSet, seed: int, split: str, index: int) -> VideoPlan:
    """Return the plan of the video number `index` (from 0) of a split."""
    video_id = f"{video_set.name}_{split}_{index:05d}"
    rng = video_rng("plan", seed, video_id)
    tier = _deal_tier(video_set, index)
    scene = str(rng.choice(SCENES))
    if video_set.multi_label:
        low, high = video_set.num_glyphs
        shown = [str(cue) for cue in rng.permutation(GLYPHS)[: rng.integers(low, high + 1)]]
        distractors: list[str] = []
    else:
        label = video_set.classes[index % len(video_set.classes)]
        shown = sorted(video_set.evidence[label])
        distractors = _draw_distractors(video_set, frozenset(shown), tier, rng)
    n = video_set.num_frames
    intervals = {cue: _place(tier.cover, n, rng) for cue in shown}
    intervals |= {cue: _place(DISTRACTOR_COVER, n, rng) for cue in distractors}
    intervals[scene] = ((0, n),)
    truth = Truth(
        video_id=video_id,
        set_name=video_set.name,
        split=split,
        labels=video_set.labels_of(frozenset(intervals)),
        difficulty=tier.name,
        num_frames=n,
        intervals=intervals,
        distractors=tuple(distractors),
        sounding=str(rng.choice(shown)) if rng.random() < SOUND_CHANCE else None,
    )
    return VideoPlan(truth, scene, _place_sprites([*shown, *distractors], rng))


def _deal_tier(video_set: VideoSet, index: int) -> Tier:
    slots = [tier for tier in video_set.tiers for _ in range(tier.twentieths)]
    block, place = divmod(index, len(slots))
    # 7 and 3 have no factor in common with 20: each row and each column meets every slot once.
    return slots[(7 * place + 3 * block) % len(slots)]


def _draw_distractors(
    video_set: VideoSet, pair: frozenset[str], tier: Tier, rng: np.random.Generator
) -> list[str]:
    """Return no glyph or one that, with the pair on screen, completes no further class."""
    harmless = [
        glyph
        for glyph in GLYPHS
        if glyph not in pair and len(video_set.labels_of(pair | {glyph})) == 1
    ]
    return [str(rng.choice(harmless))] if rng.random() < tier.distractor_chance else []


def _place(
    cover: tuple[float, float], num_frames: int, rng: np.random.Generator
) -> tuple[tuple[int, int], ...]:
    """Return the frame ranges of a cue: the shorter of presence and absence is one window."""
    num_shown = round(rng.uniform(*cover) * num_frames)
    window = min(num_shown, num_frames - num_shown)
    start = int(rng.integers(0, num_frames - window + 1))
    if window == num_shown:
        return ((start, start + window),)
    around = ((0, start), (start + window, num_frames))
    return tuple((first, last) for first, last in around if first < last)


def _place_sprites(glyphs: list[str], rng: np.random.Generator) -> tuple[Sprite, ...]:
    sprites = []
    for glyph, quadrant in zip(glyphs, rng.permutation(4), strict=False):
        size = int(rng.choice(GLYPH_SIZES_PX))
        origin = np.array(divmod(int(quadrant), 2)) * _QUADRANT_PX
        start, end = origin + rng.integers(0, _QUADRANT_PX - size + 1, size=(2, 2))
        sprites.append(
            Sprite(glyph, size, (int(start[0]), int(start[1])), (int(end[0]), int(end[1])))
        )
    return tuple(sprites)
