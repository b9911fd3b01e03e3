"""Spectrograms show which tone sounds, and when."""

import numpy as np
import pytest

from benchmark.data.builtin.sound import TONES_HZ
from benchmark.data.sound.decoding import RATE_HZ
from benchmark.data.sound.log_mel import LOG_MEL_SHAPE, WINDOW_SAMPLES, log_mel

_TIMES = (np.arange(WINDOW_SAMPLES) - WINDOW_SAMPLES // 2) / RATE_HZ


def _tone(frequency_hz):
    return np.round(6000 * np.sin(2 * np.pi * frequency_hz * _TIMES)).astype(np.int16)


def _centre_of_band(band):
    """Return a band's middle in Hz: 40 equal steps of HTK's mel scale from 125 to 7,500 Hz."""
    low, high = (2595 * np.log10(1 + f / 700) for f in (125, 7500))
    return 700 * (10 ** ((low + (band + 1) * (high - low) / 41) / 2595) - 1)


@pytest.mark.parametrize("band", range(5, 40, 7))
def test_a_tone_is_loudest_in_its_band(band):
    spectrogram = log_mel(_tone(_centre_of_band(band))[None])[0]
    assert spectrogram.shape == LOG_MEL_SHAPE == (101, 40)
    assert spectrogram.dtype == np.float32
    assert (spectrogram.argmax(axis=1) == band).all()


def test_silence_is_the_logarithm_of_the_offset():
    silent = log_mel(np.zeros((2, WINDOW_SAMPLES), dtype=np.int16))
    np.testing.assert_allclose(silent, np.log(0.01), rtol=1e-6)
    assert log_mel(np.zeros((0, WINDOW_SAMPLES), dtype=np.int16)).shape == (0, *LOG_MEL_SHAPE)


@pytest.mark.parametrize("centisecond", [-50, -17, 0, 50])
def test_a_click_stands_in_the_column_of_its_moment(centisecond):
    window = np.zeros((1, WINDOW_SAMPLES), dtype=np.int16)
    window[0, WINDOW_SAMPLES // 2 + centisecond * RATE_HZ // 100] = 30000
    loudness = log_mel(window)[0].sum(axis=1)
    assert loudness.argmax() == 50 + centisecond


def test_a_magnitude_is_that_of_the_plain_transform():
    """One column against numpy: 400 samples, a periodic Hann window, triangles over 512 points."""
    window = np.random.default_rng(3).integers(-8000, 8000, WINDOW_SAMPLES).astype(np.int16)
    middle = window[WINDOW_SAMPLES // 2 - 200 : WINDOW_SAMPLES // 2 + 200] / 32768
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    magnitudes = np.abs(np.fft.rfft(middle * hann, 512))
    edges = np.array([_centre_of_band(band) for band in range(-1, 41)])
    bins = np.arange(257) * RATE_HZ / 512
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    filters = np.maximum(0, np.minimum(rising, falling))
    expected = np.log(filters @ magnitudes + 0.01)
    np.testing.assert_allclose(log_mel(window[None])[0, 50], expected, atol=1e-4)


def test_a_window_is_the_same_in_any_company():
    windows = np.random.default_rng(0).integers(-9000, 9000, (40, WINDOW_SAMPLES), dtype=np.int16)
    together = log_mel(windows)
    for chosen in ([7], [39, 0], list(range(0, 40, 3))):
        assert (log_mel(windows[chosen]) == together[chosen]).all()


def test_the_built_in_tones_are_told_apart():
    heard = log_mel(np.stack([_tone(frequency) for frequency in TONES_HZ.values()]))
    assert len({int(s.mean(axis=0).argmax()) for s in heard}) == len(TONES_HZ)
