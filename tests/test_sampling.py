"""Candidates and visiting orders, against the lists that FrameExit published or shipped."""

import numpy as np
import pytest

from benchmark.errors import BenchmarkError
from benchmark.sampling import ORDERS, coarse_to_fine, equally_spaced, visiting_order
from benchmark.seeds import video_keys

KEYS = video_keys([f"video{number}" for number in range(40)])

# FrameExit, Appendix A, Algorithm 1, run by hand (0-indexed).
PUBLISHED = {
    1: [0],
    2: [0, 1],
    3: [1, 0, 2],
    4: [1, 0, 3, 2],
    8: [3, 0, 7, 1, 5, 2, 4, 6],
    10: [4, 0, 9, 2, 6, 1, 3, 5, 7, 8],
    16: [7, 0, 15, 3, 11, 1, 5, 9, 13, 2, 4, 6, 8, 10, 12, 14],
}


@pytest.mark.parametrize(("count", "order"), PUBLISHED.items())
def test_the_published_rule_gives_the_known_lists(count, order):
    assert coarse_to_fine(count) == order


def test_the_released_list_of_ten_is_another_one():
    released = visiting_order("released", 10, KEYS, 0)
    assert (released == [5, 0, 9, 2, 7, 4, 6, 3, 8, 1]).all()
    with pytest.raises(BenchmarkError, match=r"T = 10 only, not for T = 8.*coarse_to_fine"):
        visiting_order("released", 8, KEYS, 0)


@pytest.mark.parametrize("count", range(1, 40))
def test_every_order_visits_each_candidate_once(count):
    for order in ORDERS:
        if order != "released" or count == 10:
            visits = visiting_order(order, count, KEYS, 7)
            assert visits.shape == (len(KEYS), count)
            assert (np.sort(visits, axis=1) == np.arange(count)).all()
    assert (visiting_order("sequential", count, KEYS, 7) == np.arange(count)).all()


def test_a_random_order_belongs_to_the_video_and_not_to_its_batch():
    whole = visiting_order("random", 10, KEYS, 3)
    assert len({tuple(row) for row in whole.tolist()}) > 35
    for chosen in ([5], [5, 6], [39, 5, 0, 17]):
        assert (visiting_order("random", 10, KEYS[chosen], 3) == whole[chosen]).all()
    assert (visiting_order("random", 10, KEYS, 4) != whole).any(axis=1).sum() > 35


def test_every_place_is_equally_likely_first():
    keys = video_keys([str(number) for number in range(5000)])
    first = np.bincount(visiting_order("random", 10, keys, 0)[:, 0], minlength=10)
    assert first.min() > 400  # 500 expected, deviation 21
    assert first.max() < 600


def test_an_unknown_order_is_explained():
    with pytest.raises(BenchmarkError, match="did you mean 'sequential'"):
        visiting_order("sequentiel", 10, KEYS, 0)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("length", "count", "positions"),
    [
        (100, 1, [49]),
        (1, 1, [0]),
        (100, 2, [0, 99]),
        (100, 5, [0, 25, 50, 75, 99]),
        (10, 10, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (24, 10, [0, 2, 5, 8, 10, 13, 16, 18, 21, 23]),
        (3, 10, [0, 0, 0, 1, 1, 1, 2, 2, 2, 2]),
        (1, 4, [0, 0, 0, 0]),
    ],
)
def test_candidates_are_the_released_loaders(length, count, positions):
    assert equally_spaced(np.array([length]), count).tolist() == [positions]


def test_candidates_follow_exact_arithmetic():
    """linspace(0, L, T), truncated, at most L - 1, computed here in whole numbers."""
    lengths = np.arange(1, 400)
    for count in range(2, 33):
        exact = lengths[:, None] * np.arange(count)[None] // (count - 1)
        assert (equally_spaced(lengths, count) == np.minimum(exact, lengths[:, None] - 1)).all()
