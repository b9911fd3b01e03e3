"""Draw a plan's frames, straight in the encoder's own pixel format.

H.264 stores brightness at full and colour at half resolution (yuv420p). Drawing in it saves
the conversion and makes the glyphs' edges fall on whole colour samples. Red and blue have the
same brightness, so colour must be read from colour; the background is grey and always brighter
than the glyphs, so a shape can be read from brightness alone.

Noise is of two kinds: grain that stands still, and flicker that is new in each frame. The
flicker is what the encoder spends its bits on, and what makes two frames of one scene differ.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from benchmark.data.builtin.plan import Sprite, VideoPlan
from benchmark.data.builtin.sets import FRAME_SIZE_PX

__all__ = ["GLYPH_YUV", "render_frames", "shape_mask"]

GLYPH_YUV = {"red": (84, 102, 205), "blue": (84, 198, 96)}  # BT.601: about #D12222 and #2250D6
_GRAIN, _FLICKER = 16, 12  # greatest deviation of brightness, uniform, of 219 steps
_TEXTURE_CONTRAST = 16
_SUPERSAMPLING = 4

_Plane = npt.NDArray[np.int16]


def render_frames(plan: VideoPlan, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Return all frames of a plan as yuv420p planes.

    Returns:
        uint8 [num_frames, 96, 64]: 64 rows of Y, 16 rows of U and 16 of V, as PyAV takes them.
    """
    n, side = plan.truth.num_frames, FRAME_SIZE_PX
    luma = np.repeat(_background(plan.scene, rng)[None], n, axis=0)
    tint = 128 + rng.integers(-6, 7, size=2)
    chroma = np.empty((2, n, side // 2, side // 2), dtype=np.int16)
    chroma[:] = tint[:, None, None, None]
    chroma += rng.integers(-4, 5, size=(2, 1, side // 2, side // 2), dtype=np.int16)
    for sprite in plan.sprites:
        _draw(sprite, plan, luma, chroma)
    luma += rng.integers(-_FLICKER, _FLICKER + 1, size=luma.shape, dtype=np.int8)
    planes = [luma, *(c.reshape(n, side // 4, side) for c in chroma)]
    frames: npt.NDArray[np.uint8] = np.concatenate(planes, axis=1, dtype=np.uint8, casting="unsafe")
    return frames


def _background(scene: str, rng: np.random.Generator) -> _Plane:
    """Return the still part of the picture's brightness: level, texture, grain; [64, 64]."""
    period = int(rng.integers(8, 13))
    phase = rng.integers(0, period, size=2)
    y, x = (((np.arange(FRAME_SIZE_PX) + p) % period < period / 2) * 2 - 1 for p in phase)
    flat = np.ones(FRAME_SIZE_PX, dtype=np.int64)
    texture = {
        "plain": np.outer(flat, flat) * 0,
        "bands": np.outer(y, flat),
        "bars": np.outer(flat, x),
        "checks": np.outer(y, x),
    }[scene]
    grain = rng.integers(-_GRAIN, _GRAIN + 1, size=texture.shape)
    level = rng.integers(150, 181)
    still: _Plane = (level + _TEXTURE_CONTRAST * texture + grain).astype(np.int16)
    return still


def _draw(sprite: Sprite, plan: VideoPlan, luma: _Plane, chroma: _Plane) -> None:
    """Paint one glyph over all frames in which it is visible, frames of one place at a time."""
    colour, shape = sprite.glyph.split("_")
    tone, *tint = GLYPH_YUV[colour]
    frames_at: dict[tuple[int, int], list[int]] = {}
    for start, stop in plan.truth.intervals[sprite.glyph]:
        for frame in range(start, stop):
            frames_at.setdefault(sprite.corner_px(frame, plan.truth.num_frames), []).append(frame)
    mask, half = (shape_mask(shape, sprite.size_px, block_px) for block_px in (1, 2))
    for (y, x), frames in frames_at.items():
        _blend(luma, frames, (y, x), mask, tone)
        for plane, value in zip(chroma, tint, strict=True):
            _blend(plane, frames, (y // 2, x // 2), half, value)


def _blend(
    plane: _Plane,
    frames: list[int],
    corner: tuple[int, int],
    mask: npt.NDArray[np.float32],
    value: int,
) -> None:
    (y, x), size = corner, len(mask)
    under = plane[frames, y : y + size, x : x + size]
    plane[frames, y : y + size, x : x + size] = under + np.rint(mask * (value - under))


@cache
def shape_mask(shape: str, size_px: int, block_px: int = 1) -> npt.NDArray[np.float32]:
    """Return how much of each block a shape covers.

    Args:
        shape: one of `SHAPES`.
        size_px: width and height of the glyph.
        block_px: 1 for brightness samples, 2 for colour samples.

    Returns:
        float32 [size_px / block_px, size_px / block_px] in 0..1, to be left unchanged.
    """
    num = size_px * _SUPERSAMPLING
    line = (np.arange(num) + 0.5) / num * 2 - 1
    y, x = np.meshgrid(line, line, indexing="ij")
    radius = np.hypot(y, x)
    inside = {
        "disc": radius <= 1,
        "square": np.maximum(abs(y), abs(x)) <= 0.88,
        "triangle": abs(x) <= (y + 1) / 2,
        "cross": np.minimum(abs(y), abs(x)) <= 0.3,
        "ring": (radius <= 1) & (radius >= 0.55),
    }[shape]
    factor = block_px * _SUPERSAMPLING
    blocks = inside.reshape(num // factor, factor, num // factor, factor)
    coverage: npt.NDArray[np.float32] = blocks.mean(axis=(1, 3), dtype=np.float32)
    return coverage
