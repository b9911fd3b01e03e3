"""Log-mel spectrograms of a second of sound: what a network that listens is fed.

The size is that of Listen to Look (CVPR 2020): 40 bands, since its audio network halves them four
times and then expects three (`models/networks.py`: `freq_conv1x1` has 3 inputs), and 101 columns.
How its spectrograms were made was not released. Here they are made as VGGish makes its own
(`research/audioset/vggish/vggish_params.py` of tensorflow/models), but for the number of bands:
25 ms of sound a column, a column each 10 ms, magnitudes, HTK's mel scale from 125 to 7,500 Hz,
log(x + 0.01). Making them is free of cost, as decoding and resizing are: see `docs/cost.md`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.data.sound.decoding import RATE_HZ

__all__ = ["LOG_MEL_SHAPE", "WINDOW_SAMPLES", "log_mel"]

_NUM_BANDS, _LOWEST_HZ, _HIGHEST_HZ = 40, 125.0, 7500.0
_COLUMN_SAMPLES, _HOP_SAMPLES = RATE_HZ * 25 // 1000, RATE_HZ // 100
_FFT_SAMPLES = 512  # the next power of two
_LOG_OFFSET = 0.01
_NUM_COLUMNS = 101  # the middle one at the moment itself, the others up to half a second from it

LOG_MEL_SHAPE = (_NUM_COLUMNS, _NUM_BANDS)
WINDOW_SAMPLES = (_NUM_COLUMNS - 1) * _HOP_SAMPLES + _FFT_SAMPLES
"""Samples that a spectrogram is made of; its moment is in their middle."""


def log_mel(windows: npt.NDArray[np.int16]) -> npt.NDArray[np.float32]:
    """Return the log-mel spectrograms of some windows, each the same in any company.

    Args:
        windows: `[K, WINDOW_SAMPLES]`, at 16 kHz.

    Returns:
        `[K, 101, 40]`: time, then frequency from low to high.
    """
    import librosa  # noqa: PLC0415  (seconds, for jobs that hear nothing)

    num = len(windows)
    if not num:
        return np.zeros((0, *LOG_MEL_SHAPE), dtype=np.float32)
    magnitudes = np.abs(
        librosa.stft(
            windows.astype(np.float32) / 32768,
            n_fft=_FFT_SAMPLES,
            win_length=_COLUMN_SAMPLES,
            hop_length=_HOP_SAMPLES,
            center=False,
        )
    )
    by_bin = np.moveaxis(magnitudes, 1, 0).reshape(_FFT_SAMPLES // 2 + 1, num * _NUM_COLUMNS)
    bands = (_filters() @ by_bin).reshape(_NUM_BANDS, num, _NUM_COLUMNS)
    result: npt.NDArray[np.float32] = np.log(np.moveaxis(bands, 0, 2) + np.float32(_LOG_OFFSET))
    return np.ascontiguousarray(result)


@cache
def _filters() -> Any:
    """Return the mel filters: `[40, 257]`, sparse.

    A dense product would be a BLAS's, whose rounding depends on how many windows there are.
    """
    import librosa  # noqa: PLC0415
    from scipy.sparse import csr_array  # noqa: PLC0415

    return csr_array(
        librosa.filters.mel(
            sr=RATE_HZ,
            n_fft=_FFT_SAMPLES,
            n_mels=_NUM_BANDS,
            fmin=_LOWEST_HZ,
            fmax=_HIGHEST_HZ,
            htk=True,
            norm=None,
        )
    )
