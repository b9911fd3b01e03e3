import numpy as np
import pytest

from benchmark.data.frames.recipe import SamplingRecipe
from benchmark.errors import BenchmarkError
from benchmark.files.writing import digest_of


@pytest.mark.parametrize("num_frames", [1, 2, 9, 10, 96, 250])
@pytest.mark.parametrize("positions", [2, 10, 16, 24])
def test_positions_are_those_of_the_released_loader(num_frames, positions):
    released = np.clip(np.linspace(0, num_frames, positions).astype(int), 0, num_frames - 1)
    grid = SamplingRecipe(positions, None).source_frames(num_frames, 25.0)
    assert grid.tolist() == released.tolist()


@pytest.mark.parametrize(
    ("fps", "num_frames", "source_fps", "expected"),
    [
        (1, 100, 25.0, [0, 25, 50, 75]),
        (1, 101, 25.0, [0, 25, 50, 75, 100]),
        (10, 3, 10.0, [0, 1, 2]),
        (20, 3, 10.0, [0, 0, 1, 1, 2, 2]),
        (1, 5, 25.0, [0]),
        (2, 90, 29.97, [0, 14, 29, 44, 59, 74, 89]),
    ],
)
def test_fps_takes_one_frame_each_interval(fps, num_frames, source_fps, expected):
    grid = SamplingRecipe(None, fps).source_frames(num_frames, source_fps)
    assert grid.tolist() == expected


@pytest.mark.parametrize(
    ("skip_start_s", "source_fps", "first"),
    [(0.0, 25.0, 0), (0.04, 25.0, 1), (0.04, 19.82, 1), (0.041, 25.0, 2), (99.0, 25.0, 9)],
)
def test_frames_of_the_skipped_start_are_never_sampled(skip_start_s, source_fps, first):
    recipe = SamplingRecipe(4, None, skip_start_s=skip_start_s)
    grid = recipe.source_frames(10, source_fps)
    assert (grid[0], grid[-1], len(grid)) == (first, 9, 4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"positions": None, "fps": None}, "exactly one of"),
        ({"positions": 8, "fps": 1.0}, "exactly one of"),
        ({"positions": 0, "fps": None}, "'positions' is 0"),
        ({"positions": None, "fps": 0.0}, "'fps' is 0"),
        ({"positions": 8, "fps": None, "short_side": 0}, "'short_side' is 0"),
        ({"positions": 8, "fps": None, "skip_start_s": -1.0}, "'skip_start_s' is -1"),
    ],
)
def test_a_recipe_that_means_nothing_is_an_error(settings, message):
    with pytest.raises(BenchmarkError, match=message):
        SamplingRecipe(**settings)


def test_positions_are_counted_without_the_grids():
    num_frames, fps = np.array([1, 5, 90, 101, 250]), np.array([25.0, 25.0, 29.97, 19.82, 10.0])
    for recipe in (
        SamplingRecipe(7, None),
        SamplingRecipe(None, 1.0),
        SamplingRecipe(None, 20.0, skip_start_s=0.3),
    ):
        grids = [recipe.source_frames(*of) for of in zip(num_frames.tolist(), fps, strict=True)]
        assert recipe.num_positions(num_frames, fps).tolist() == [len(grid) for grid in grids]


def test_digests_of_raw_stores_are_those_of_old():
    raw = {"positions": 4, "fps": None, "short_side": 32, "skip_start_s": 0.0}
    assert SamplingRecipe(4, None, 32).facts() == raw
    coded = SamplingRecipe(4, None, 32, scaling="fit", jpeg_quality=90).facts()
    assert coded == {**raw, "scaling": "fit", "jpeg_quality": 90}
    assert digest_of(SamplingRecipe(None, 5).facts()) == digest_of(
        SamplingRecipe(None, 5.0).facts()
    )


def test_the_grid_of_a_constant_rate_is_the_same_by_counting_and_by_time():
    draw = np.random.default_rng(0)
    rates = (5.0, 12.5, 19.82, 23.976024, 24.0, 25.0, 29.97003, 30.0, 59.94006, 60.0)
    for _ in range(2000):
        num_frames, rate = int(draw.integers(1, 700)), float(draw.choice(rates))
        skipped = float(draw.choice([0, 0.04, 0.3, 2]))
        for grid in (
            SamplingRecipe(int(draw.integers(1, 40)), None, skip_start_s=skipped),
            SamplingRecipe(None, float(draw.choice([0.5, 1, 2, 5, 20])), skip_start_s=skipped),
        ):
            by_time = grid.source_frames(num_frames, rate, np.arange(num_frames) / rate)
            assert by_time.tolist() == grid.source_frames(num_frames, rate).tolist()


def test_positions_of_a_varying_rate_are_spread_over_time_and_not_over_frames():
    times_s = np.concatenate([np.arange(50) / 50, 1 + np.arange(10)])  # a fast second, ten slow
    rate = 59 / times_s[-1]
    grid = SamplingRecipe(11, None).source_frames(60, rate, times_s)
    assert (np.diff(grid) >= 0).all()
    assert (grid[0], grid[-1]) == (0, 59)
    assert (grid >= 50).sum() == 10  # of eleven moments one second apart
    skipped = SamplingRecipe(11, None, skip_start_s=1.0).source_frames(60, rate, times_s)
    assert skipped.min() == 50
