"""The re-derived literature says what is known about it."""

from __future__ import annotations

import csv

import pytest

from benchmark.cost.literature.table import LiteratureRow, write_table


def row(published: float | None, reason: str = "") -> LiteratureRow:
    return LiteratureRow("what", "source", published, "parts", 2 * 10**9, reason)


@pytest.mark.parametrize(
    ("case", "verdict"),
    [
        (row(2.039), "agrees"),
        (row(1.961, "a reason that is not needed"), "agrees"),
        (row(2.041, "a reason"), "a reason"),
        (row(1.5), "differs, reason unknown"),
        (row(None), "not published"),
    ],
)
def test_verdict(case: LiteratureRow, verdict: str) -> None:
    assert case.verdict == verdict


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], dict[str, str]]:
    csv_path, markdown_path = write_table(tmp_path_factory.mktemp("literature") / "tables")
    with csv_path.open() as lines:
        rows = {(line["what"], line["source"]): line for line in csv.DictReader(lines)}
    assert "1 GFLOP = 1e9 multiply-accumulates" in markdown_path.read_text().splitlines()[0]
    assert sum(line.startswith("|") for line in markdown_path.read_text().splitlines()) == (
        2 + len(rows)
    )
    return rows


@pytest.mark.parametrize(
    ("what", "source", "ratio", "verdict"),
    [
        ("ResNet-50 at 3x224x224", "FrameExit, section 4.1 and inference.py", 1.008, "agrees"),
        (
            "EfficientNet-B3 at 3x224x224",
            "FrameExit, section 4.1 and inference.py",
            1.870,
            "quoted for 300 px, fed 224",
        ),
        ("FrameExit, X3D-S, ActivityNet", "FrameExit, Table 1", 0.994, "agrees"),
        ("SCSampler, light network at 84", "AR-Net's table, 2.62 a frame", 1.006, "agrees"),
        ("MARL, 8 agents", "FrameExit, Figure 6", 1.000, "agrees"),
        ("AdaFocusV2, 16 frames, patches of 96", "AdaFocusV2, released code", 1.000, "agrees"),
    ],
)
def test_known_verdicts(
    table: dict[tuple[str, str], dict[str, str]],
    what: str,
    source: str,
    ratio: float,
    verdict: str,
) -> None:
    found = table[what, source]
    assert float(found["ratio"]) == pytest.approx(ratio, abs=0.002)
    assert found["verdict"] == verdict


def test_every_row_has_its_own_name_and_source(
    table: dict[tuple[str, str], dict[str, str]],
) -> None:
    assert all(line["source"] and line["computed from"] for line in table.values())
    titles = [line["what"] for line in table.values()]
    for method in ("AR-Net", "SCSampler", "AdaFrame", "LiteEval", "MARL", "ListenToLook"):
        assert any(title.startswith(method) for title in titles)
