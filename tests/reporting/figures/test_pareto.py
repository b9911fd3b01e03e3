import pytest

from benchmark.reporting.figures.pareto import on_front


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ([], []),
        ([(2.0, 80.0)], [True]),
        ([(2.0, 80.0), (3.0, 70.0), (4.0, 90.0)], [True, False, True]),
        ([(2.0, 80.0), (2.0, 80.0)], [True, True]),
        ([(2.0, 80.0), (2.0, 79.0)], [True, False]),
        ([(2.0, 80.0), (1.0, 80.0)], [False, True]),
    ],
)
def test_what_another_point_beats_is_off_the_front(points, expected):
    assert on_front(points) == expected
