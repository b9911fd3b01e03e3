"""Markdown as the tables' writers spell it becomes headings, text and tables."""

from dataclasses import replace

from benchmark.reporting.report.html_table import Cell
from benchmark.reporting.report.markdown import linked, read_markdown
from benchmark.reporting.tables.formats import to_list

RECORDS = [{"row": "a|b & <c>", "value": 1.25}, {"row": "**bold**", "value": -0.5}]


def parsed():
    return read_markdown("### Title\n\n" + to_list("Some *text*.", RECORDS, decimals=2))


def test_what_is_written_comes_back():
    text, table = parsed()
    assert "<em>text</em>" in text.text
    assert table.table.heads == ("row", "value")
    assert [[cell.text for cell in row] for row in table.table.rows] == [
        ["a|b & <c>", "1.25"],
        ["bold", "-0.50"],
    ]
    assert [row[1].order for row in table.table.rows] == ["1.25", "-0.50"]


def test_markup_of_the_text_is_escaped():
    assert "<c>" not in str(parsed()[1].table.rows[0][0].content)


def test_only_the_first_heading_is_left_out():
    blocks = read_markdown("### Title\n\n#### Part\n\ntext\n")
    assert [block.heading for block in blocks] == ["Part", ""]


def test_links_are_asked_for_by_table_and_row():
    text = to_list("one", RECORDS, 1) + "\n" + to_list("two", RECORDS[:1], 1)
    asked = []

    def link(number, row, cells):
        asked.append((number, row))
        return (replace(cells[0], link=f"#{number}/{row}"), *cells[1:])

    tables = [block.table for block in linked(read_markdown(text), link) if block.table]
    assert asked == [(0, 0), (0, 1), (1, 0)]
    assert [[row[0].link for row in table.rows] for table in tables] == [["#0/0", "#0/1"], ["#1/0"]]


def test_a_cell_of_text_is_its_own_text():
    assert Cell("1 < 2").text == "1 < 2"
