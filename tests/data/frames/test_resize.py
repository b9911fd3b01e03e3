import subprocess
import sys
from fractions import Fraction

import av
import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from benchmark.data.frames.resize import centre_crop, fit_short_side, resize_short_side, rounded


@pytest.mark.parametrize(
    ("height", "width", "size", "expected"),
    [
        (240, 320, 224, (224, 298)),
        (320, 240, 224, (298, 224)),
        (48, 48, 32, (32, 32)),
        (48, 64, 96, (96, 128)),
        (292, 424, 224, (224, 325)),
        (64, 70, 64, (64, 70)),
    ],
)
def test_resizing_is_plain_bilinear_interpolation(height, width, size, expected):
    frames = np.random.default_rng(0).integers(0, 256, (2, height, width, 3), dtype=np.uint8)
    resized = resize_short_side(frames, size)
    # A colour at a time: of three at once torch rounds otherwise in one thread than in several.
    planes = torch.from_numpy(frames).permute(0, 3, 1, 2).reshape(-1, 1, height, width)
    exact = interpolate(planes.float(), expected, mode="bilinear", align_corners=False)
    assert resized.shape == (2, *expected, 3)
    exact = exact.view(2, 3, *expected).permute(0, 2, 3, 1).numpy()
    assert np.array_equal(resized, exact)
    assert resized.dtype == (np.uint8 if min(height, width) == size else np.float32)
    assert np.array_equal(rounded(resized), exact.round().astype(np.uint8))


def test_the_number_of_threads_changes_no_pixel():
    frames = np.random.default_rng(0).integers(0, 256, (4, 160, 213, 3), dtype=np.uint8)
    before = torch.get_num_threads()
    try:
        resized = {}
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            resized[threads] = resize_short_side(frames, 224)
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(resized[1], resized[2])
    assert np.array_equal(resized[1], resized[3])
    alone = [resize_short_side(frame[None], 224) for frame in frames]
    assert np.array_equal(np.concatenate(alone), resized[1])


def test_resizing_follows_the_half_pixel_rule():
    # Two pixels 0 and 100 to four: their centres lie at -0.25, 0.25, 0.75 and 1.25 of the old.
    frames = np.zeros((1, 2, 2, 3), np.uint8)
    frames[:, :, 1] = 100
    assert resize_short_side(frames, 4)[0, 0, :, 0].tolist() == [0, 25, 75, 100]


@pytest.mark.parametrize(
    ("height", "width", "size"),
    [
        (240, 320, 350),
        (320, 240, 350),
        (360, 640, 350),
        (719, 1281, 256),
        (350, 500, 350),
        (8, 9, 4),
    ],
)
def test_fitting_is_the_scale_filter_of_the_released_command(height, width, size):
    frame = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    graph = av.filter.Graph()
    nodes = [
        graph.add_buffer(width=width, height=height, format="rgb24", time_base=Fraction(1, 25)),
        graph.add("scale", f"{size}:{size}:force_original_aspect_ratio=increase:flags=bicubic"),
        graph.add("buffersink"),
    ]
    graph.link_nodes(*nodes).configure()
    graph.push(av.VideoFrame.from_ndarray(frame, format="rgb24"))
    expected = graph.pull().to_ndarray(format="rgb24")
    fitted = fit_short_side(frame, size)
    assert min(fitted.shape[:2]) == size
    assert np.array_equal(fitted, expected)


def test_the_crop_is_centred():
    frames = np.arange(6 * 9, dtype=np.uint8).reshape(1, 6, 9, 1).repeat(3, axis=3)
    assert np.array_equal(centre_crop(frames, 4), frames[:, 1:5, 2:6])


def test_reading_frames_does_not_import_torch():
    program = (
        "import sys, benchmark.data.frames.store, benchmark.data.frames.extract;"
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
