"""Cells sort by the numbers that they show."""

import pytest

from benchmark.reporting.report.html_table import Cell, HtmlTable, with_orders


def orders(*texts):
    made = with_orders(HtmlTable(("head",), tuple((Cell(text),) for text in texts)))
    return [row[0].order for row in made.rows]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("95.6 ± 0.3", "100.0"), ["95.6", "100.0"]),
        (("-4.0 [-5.0, -3.1]*", "+1.5 [0.8, 2.3]*"), ["-4.0", "+1.5"]),
        (("1,100 × 5", "600 × 5"), ["1100", "600"]),
        (("< 0.0001", "0.0024"), ["0.0001", "0.0024"]),
        (("1e-3", "1e-05"), ["1e-3", "1e-05"]),
        (("97.6", "not run here"), ["97.6", ""]),
        (("97.6", "", ""), ["97.6", "", ""]),
        (("AR-Net", "3D-ResNet18", "FrameExit"), [None, None, None]),
        (("", ""), [None, None]),
    ],
)
def test_a_column_of_numbers_sorts_as_numbers(texts, expected):
    assert orders(*texts) == expected


def test_a_table_without_rows_stays_as_it_is():
    assert with_orders(HtmlTable(("head",), ())) == HtmlTable(("head",), ())
