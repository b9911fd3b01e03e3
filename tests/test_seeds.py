"""Randomness depends on names alone."""

import subprocess
import sys

import numpy as np
import pytest

from benchmark.seeds import derive_seed, uniform_per_video, video_keys


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a", "b"), ("b", "a")),
        (("ab",), ("a", "b")),
        (("a", 1), ("a", 11)),
        (("a",), ("a", "")),
        (("long", "frameexit", 0), ("long", "frameexit", 1)),
    ],
)
def test_each_part_and_its_place_matter(one, other):
    assert derive_seed(*one) != derive_seed(*other)
    assert 0 <= derive_seed(*one) < 2**63


def test_a_seed_is_the_same_in_another_process():
    code = "from benchmark.seeds import derive_seed; print(derive_seed('long', 'x', 3))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(said.stdout) == derive_seed("long", "x", 3)


def test_numbers_of_a_video_are_the_same_in_any_batch():
    keys = video_keys(list("abcdefgh"))
    whole = uniform_per_video(keys, 5, 12)
    assert (uniform_per_video(keys[[3]], 5, 12)[0] == whole[3]).all()
    assert (uniform_per_video(keys[::-1], 5, 12)[::-1] == whole).all()
    assert (uniform_per_video(keys, 5, 4) == whole[:, :4]).all()


def test_numbers_are_uniform_and_unrelated():
    keys = video_keys([str(number) for number in range(2000)])
    draws = uniform_per_video(keys, 1, 10)
    assert draws.min() >= 0
    assert draws.max() < 1
    shares = np.histogram(draws, bins=20, range=(0, 1))[0] / draws.size
    assert np.abs(shares - 0.05).max() < 0.005  # six standard deviations
    between = np.corrcoef(draws.T) - np.eye(10)
    other_seed = np.corrcoef(draws[:, 0], uniform_per_video(keys, 2, 1)[:, 0])[0, 1]
    assert np.abs(between).max() < 0.12
    assert abs(other_seed) < 0.12
