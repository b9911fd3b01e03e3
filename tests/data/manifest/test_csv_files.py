"""Each form of a CSV gives the same videos, or one error that says what to mend."""

import pytest

from benchmark.data.manifest.checks import Faults
from benchmark.data.manifest.csv_files import read_csv_columns
from benchmark.data.manifest.listing import Columns, list_csv, list_folders
from benchmark.errors import BenchmarkError

ROWS = [
    ["path", "label", "split"],
    ["0.mp4", "Putting something, somewhere [and back]", "train"],
    ["1.mp4", "NA", "val"],
    ["2.mp4", "null", "train"],
    ["3.mp4", "Añejo", "train"],
    ["4.mp4", "-1", "val"],
]


def _text(separator=",", end="\n"):
    lines = [
        separator.join(f'"{cell}"' if separator in cell else cell for cell in row) for row in ROWS
    ]
    return end.join(lines) + end


FORMS = {
    "plain": _text().encode(),
    "byte order mark": _text().encode("utf-8-sig"),
    "utf-16": _text().encode("utf-16"),
    "carriage returns": _text(end="\r").encode(),
    "both": _text(end="\r\n").encode(),
    "semicolons": _text(";").encode(),
    "tabs": _text("\t").encode(),
    "spaces after commas": _text(", ").replace('"Putting', ' "Putting').encode(),
    "spaces around cells": _text().replace("NA,val", " NA , val ").encode(),
    "commas at the end": _text(end=",\n").encode(),
    "commas behind rows only": _text(end=",,\n").replace("split,,", "split").encode(),
    "blank lines": ("\n\n" + _text(end="\n\n")).encode(),
    "rows of separators": (_text() + ",,\n").encode(),
    "no end of line": _text().rstrip().encode(),
}


def _listed(folder, content, columns=None, **settings):
    (folder / "labels.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    columns = columns or Columns(split="split")
    given = {"single": True, "classes": None, "num_folds": 1} | settings
    return list_csv(folder / "labels.csv", columns, root=folder, **given)


@pytest.mark.parametrize("content", FORMS.values(), ids=FORMS)
def test_every_form_of_a_csv_gives_the_same_videos(tmp_path, content):
    listing = _listed(tmp_path, content)
    assert listing.rows[["path", "labels", "split"]].values.tolist() == ROWS[1:]
    assert listing.classes == tuple(sorted(row[1] for row in ROWS[1:]))


HEAD = "path,label,split\n"
FAULTS = {
    "latin-1": (_text().encode("latin-1"), "labels.csv:5: is not UTF-8"),
    "empty": ("", "labels.csv: is empty"),
    "header only": (HEAD, "labels.csv: no videos"),
    "doubled column": (
        "path,label,label,split\n0.mp4,a,b,val\n",
        "the column 'label' stands twice",
    ),
    "no header": ("0.mp4,a,train\n", "labels.csv:1: no column 'label'"),
    "two separators": ("path;label,split\n", "labels.csv:1: the header holds ',' and ';'"),
    "comment": (
        "# mine\n" + HEAD + "0.mp4,a,val\n",
        "labels.csv:2: the row has 3 fields, the header has 1",
    ),
    "comma without quotes": (HEAD + "0.mp4,a, b,val\n", "labels.csv:2: the row has 4 fields"),
    "short row": (HEAD + "\n0.mp4,a\n", "labels.csv:3: the row has 2 fields, the header has 3"),
    "quotes within": (HEAD + '0.mp4,"say "hi"",val\n', "labels.csv:2: the row that begins here"),
    "open quote": (
        HEAD + '0.mp4,a,val\n1.mp4,"open,val\n2.mp4,b,train\n',
        "labels.csv:3: the row that begins here",
    ),
}


@pytest.mark.parametrize(("content", "message"), FAULTS.values(), ids=FAULTS)
def test_a_csv_that_would_be_misread_is_refused(tmp_path, content, message):
    with pytest.raises(BenchmarkError) as caught:
        _listed(tmp_path, content)
    assert message in str(caught.value)


def test_lines_of_rows_are_right_behind_a_cell_of_several_lines(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text('path,label\n\n0.mp4,"a\nb"\n1.mp4,c\n')
    table = read_csv_columns(path, ["path"], Faults(path), fix="")
    assert table is not None
    assert table.places.tolist() == [f"{path}:3", f"{path}:5"]
    assert table.rows["label"].tolist() == ["a\nb", "c"]


COMPOSED, DECOMPOSED = "\u00fcben", "u\u0308ben"


@pytest.mark.parametrize(
    ("first", "second", "how"),
    [
        (COMPOSED, DECOMPOSED, "characters that look the same"),
        ("run", "ru\u200bn", "characters that look the same"),
        ("high jump", "high\u00a0jump", "characters that look the same"),
        ("run", "Run", "small and capital letters"),
    ],
    ids=["composed", "invisible", "space", "case"],
)
def test_labels_that_nobody_can_tell_apart_are_an_error(tmp_path, first, second, how):
    content = HEAD + f"0.mp4,{first},train\n1.mp4,{second},val\n"
    with pytest.raises(BenchmarkError) as caught:
        _listed(tmp_path, content)
    said = str(caught.value)
    assert f"differ only in {how}" in said
    assert ascii(second) in said
    for split, label in (("train", first), ("val", second)):
        (tmp_path / "videos" / split / label).mkdir(parents=True)
        (tmp_path / "videos" / split / label / "0.mp4").touch()
    with pytest.raises(BenchmarkError, match=f"differ only in {how}"):
        list_folders(tmp_path / "videos", single=True, classes=None, num_folds=1)


def test_listed_classes_may_differ_in_capital_letters_and_explain_other_forms(tmp_path):
    content = HEAD + "0.mp4,run,train\n1.mp4,Run,val\n"
    assert _listed(tmp_path, content, classes=["Run", "run"]).classes == ("Run", "run")
    content = HEAD + f"0.mp4,run,train\n1.mp4,{DECOMPOSED},val\n"
    with pytest.raises(BenchmarkError) as caught:
        _listed(tmp_path, content, classes=[COMPOSED, "run"])
    what = f"the label {DECOMPOSED!a} differs from the class {COMPOSED!a} only in"
    assert f"labels.csv:3: {what}" in str(caught.value)


def test_groups_that_nobody_can_tell_apart_are_an_error(tmp_path):
    content = f"path,label,camera\n0.mp4,a,{COMPOSED}\n1.mp4,b,{DECOMPOSED}\n"
    with pytest.raises(BenchmarkError, match=r"the groups .* differ only in characters"):
        _listed(tmp_path, content, Columns(group="camera"), num_folds=2)
