"""The sound track: noise, and the tone of the sounding glyph's shape while it is visible.

To encode 48 s of sound takes ten times longer than the pictures beside it. AAC packets of
1,024 samples do not refer to each other (the decoder adds the overlapping halves of
neighbours), so a few are encoded once for each tone and put together anew for each video: an
ordinary AAC track. Every tone makes a whole number of turns in a packet, so that any two
packets of one tone join without a step.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from typing import Any

import av
import numpy as np

from benchmark.data.builtin.sets import SHAPES, get_set
from benchmark.data.builtin.truth import Truth

__all__ = ["BIT_RATE", "SAMPLE_RATE_HZ", "TONES_HZ", "sound_packets"]

SAMPLE_RATE_HZ = 16_000
BIT_RATE = 8_000
TONES_HZ = dict(zip(SHAPES, (500, 750, 1000, 1500, 2000), strict=True))
_TIME_BASE = Fraction(1, SAMPLE_RATE_HZ)
_SAMPLES = 1024  # in an AAC packet: 64 ms, and all tones are multiples of 16000 / 1024 Hz
_TONE_AMPLITUDE, _NOISE_AMPLITUDE = 0.2, 0.01

_NUM_KEPT, _NUM_SETTLING = 8, 6


def sound_packets(truth: Truth, rng: np.random.Generator) -> Iterator[av.Packet[Any]]:
    """Yield the AAC packets of a video, in order of time, without a stream."""
    video_set = get_set(truth.set_name)
    duration_samples = truth.num_frames * SAMPLE_RATE_HZ // video_set.fps
    num_packets = -(-duration_samples // _SAMPLES) + 1
    # The encoder's first packet only primes the overlap and lies before time 0.
    starts = (np.arange(num_packets) - 1) * _SAMPLES
    frames = (starts * video_set.fps // SAMPLE_RATE_HZ).clip(0, truth.num_frames - 1)
    rings = np.zeros(num_packets, dtype=np.bool_)
    tone = None
    if truth.sounding is not None:
        rings = truth.visible(frames)[:, video_set.cues.index(truth.sounding)]
        tone = TONES_HZ[truth.sounding.split("_")[1]]
    choices = rng.integers(0, _NUM_KEPT, size=num_packets)
    for start, ring, choice in zip(starts.tolist(), rings.tolist(), choices.tolist(), strict=True):
        packet = av.Packet(_bank(tone if ring else None)[choice])
        packet.time_base = _TIME_BASE
        packet.pts = packet.dts = start
        packet.duration = _SAMPLES
        yield packet


@cache
def _bank(tone_hz: int | None) -> tuple[bytes, ...]:
    """Encode a stretch of noise, with a tone or without, and keep packets from its middle."""
    num_samples = _SAMPLES * (_NUM_KEPT + 2 * _NUM_SETTLING)
    wave = np.random.default_rng(tone_hz or 0).uniform(-1, 1, num_samples) * _NOISE_AMPLITUDE
    if tone_hz is not None:
        turns = np.arange(num_samples) * tone_hz / SAMPLE_RATE_HZ
        wave += _TONE_AMPLITUDE * np.sin(2 * np.pi * turns)
    encoder = av.CodecContext.create("aac", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format = SAMPLE_RATE_HZ, "mono", "fltp"
    encoder.bit_rate, encoder.time_base = BIT_RATE, _TIME_BASE
    packets: list[bytes] = []
    for start in range(0, num_samples, _SAMPLES):
        block = wave[None, start : start + _SAMPLES].astype(np.float32)
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = SAMPLE_RATE_HZ, start
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    return tuple(packets[_NUM_SETTLING : _NUM_SETTLING + _NUM_KEPT])
