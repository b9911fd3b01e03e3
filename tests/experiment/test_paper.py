import pytest
from pydantic import ValidationError

from benchmark.experiment.paper import TableSpec, load_paper
from benchmark.experiment.rows_of_tables import owners_of_rows
from benchmark.files.repository import REPOSITORY
from benchmark.methods.discovery import discover


@pytest.mark.parametrize(
    ("table", "key", "role", "numbers"),
    [
        ("table1", ("frameexit", "ResNet"), "long", (76.1, 26.1)),
        ("table1", ("frameexit", "EfficientNet"), "short", (75.3, 7.8)),
        ("table1", ("all_frames", "X3D-S"), "long", (87.4, 19.6)),
        ("table2", ("frameexit_1e-5", "ResNet"), "multi", (49.2, 18.7)),
        ("table3", ("train_random", "ResNet"), "long", (74.3, 26.7)),
        ("table4", ("no_pooling", "ResNet"), "long", (67.8, 27.6)),
        ("table5", ("t16", "ResNet"), "long", (76.1, 35.1)),
        ("table6", ("frameexit_7", "ResNet"), "long", (76.4, None)),
    ],
)
def test_the_papers_numbers(table, key, role, numbers):
    rows = {(row.id, row.group): row for row in load_paper().tables[table].rows}
    published = rows[key].published[role]
    assert (published.percent, published.gflops) == numbers


def test_every_table_and_figure_of_the_paper_is_there():
    paper = load_paper()
    assert [len(spec.rows) for spec in paper.tables.values()] == [13, 8, 5, 2, 4, 8]
    assert list(paper.figures) == ["figure3", "figure4", "figure5", "figure6"]
    assert [spec.id for spec in paper.tables.values()] == list(paper.tables)
    for curve in paper.figures["figure6"].curves:
        assert len(curve.gflops) == len(curve.percent)


@pytest.mark.parametrize("table", ["table3", "table4", "table5", "table6"])
def test_every_ablation_of_the_paper_is_a_variant_here(table):
    methods = discover([REPOSITORY / "methods"])
    assert {row.id for row in load_paper().tables[table].rows} <= set(
        owners_of_rows(methods, table)
    )


@pytest.mark.parametrize(
    ("row", "reference"), [("frameexit_3", "fixed_3"), ("fixed_3", None), ("unknown", None)]
)
def test_a_row_of_table_6_is_compared_with_its_own_budget(row, reference):
    assert load_paper().tables["table6"].reference_of(row) == reference


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reference": "b"}, r"unknown reference rows \['b'\]"),
        ({"roles": ["short"]}, r"numbers for roles \['long'\]"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(changes, message):
    row = {"id": "a", "label": "A", "group": "ResNet", "published": {"long": {"percent": 1.0}}}
    spec = {"id": "t", "title": "T", "caption": "C", "roles": ["long"], "rows": [row]}
    with pytest.raises(ValidationError, match=message):
        TableSpec.model_validate({**spec, **changes})
    with pytest.raises(ValidationError, match="stands twice"):
        TableSpec.model_validate({**spec, "rows": [row, row]})
