"""Lists with class numbers: each class is known beyond doubt, or the list is refused."""

import pytest

from benchmark.config.datasets import KineticsVideos
from benchmark.data.manifest.checks import Faults
from benchmark.data.published.class_names import read_class_file
from benchmark.data.published.kinetics import list_kinetics
from benchmark.data.published.video_files import VideoFiles
from benchmark.errors import BenchmarkError

NUMBERED = "1 ApplyEyeMakeup\n2 ApplyLipstick\n3 Archery\n"
PLAIN = "ApplyEyeMakeup\nApplyLipstick\nArchery\n"
UCF_TRAIN = (
    "ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi 1\nApplyLipstick/v_ApplyLipstick_g08_c01.avi 2\n"
)
UCF_TEST = "ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01.avi\nArchery/v_Archery_g01_c01.avi\n"
UCF = [
    ("v_ApplyEyeMakeup_g01_c01", "ApplyEyeMakeup", "val"),
    ("v_ApplyEyeMakeup_g08_c01", "ApplyEyeMakeup", "train"),
    ("v_ApplyLipstick_g08_c01", "ApplyLipstick", "train"),
    ("v_Archery_g01_c01", "Archery", "val"),
]


def _listing(folder, train, val, classes):
    for name, text in (("train.txt", train), ("val.txt", val), ("classInd.txt", classes)):
        (folder / name).write_text(text, encoding="utf-8")
    names = {"train": "train.txt", "val": "val.txt", "classes": "classInd.txt"}
    source = KineticsVideos(root=str(folder), **names)
    return list_kinetics(folder, source, VideoFiles.below(folder))


def _videos(listing):
    rows = listing.rows
    return list(zip(rows["video_id"], rows["labels"], rows["split"], strict=True))


@pytest.mark.parametrize(
    "classes",
    [
        NUMBERED,
        NUMBERED.replace(" ", "\t").replace("\n", "\r\n"),
        "ApplyEyeMakeup,1\nApplyLipstick,2\nArchery,3\n",
        "3 Archery\n1 ApplyEyeMakeup\n2 ApplyLipstick\n",
        "\ufeff" + NUMBERED,
    ],
    ids=["ucf101", "tabs", "numbers last", "other order", "mark"],
)
def test_ucf101s_own_lists_are_read_by_the_numbers_of_its_class_file(tmp_path, classes):
    listing = _listing(tmp_path, UCF_TRAIN, UCF_TEST, classes)
    assert listing.classes == ("ApplyEyeMakeup", "ApplyLipstick", "Archery")
    assert _videos(listing) == UCF


@pytest.mark.parametrize(
    ("form", "suffix"),
    [("{folder}/{name} 300 {number}", ""), ("{folder}/{name}.avi {number}", ".avi"),
     ("data/kinetics400/videos_train/{folder}/{name}.mp4 {number}", ".mp4"),
     ("{folder}/{name}.mp4;300;{number}", ".mp4"), ("{name} 300 {number}", "")],
)  # fmt: skip
def test_lists_that_count_from_0_are_read_by_the_lines_of_a_plain_class_file(
    tmp_path, form, suffix
):
    classes = PLAIN.split()
    lines = [
        form.format(folder=name, name=f"clip {number} of {name}", number=number)
        for number, name in enumerate(classes)
    ]
    listing = _listing(tmp_path, "\n".join(lines[:2]), "\n".join(lines[2:]), PLAIN)
    assert _videos(listing) == [
        (f"clip {number} of {name}", name, "train" if number < 2 else "val")
        for number, name in enumerate(classes)
    ]


SHIFTED = {
    "lists from 1, names from 0": (UCF_TRAIN, PLAIN, "count from 1, those of classInd.txt from 0"),
    "lists from 0, names from 1": (
        UCF_TRAIN.replace(" 1", " 0").replace(" 2", " 1"),
        NUMBERED,
        "count from 0, those of classInd.txt from 1",
    ),
}


@pytest.mark.parametrize(("train", "classes", "message"), SHIFTED.values(), ids=SHIFTED)
def test_numbers_and_folders_that_disagree_by_one_are_a_single_error(
    tmp_path, train, classes, message
):
    with pytest.raises(BenchmarkError) as caught:
        _listing(tmp_path, train, UCF_TEST, classes)
    said = str(caught.value)
    assert said.startswith(f"{tmp_path}/train.txt:1: the class numbers here {message}")
    assert "Fix: begin each line of classInd.txt with its number in the list" in said
    assert "\n" not in said
    # The fix that is named is one.
    start = 1 if classes == PLAIN else 0
    names = PLAIN.split()
    mended = "".join(f"{number} {name}\n" for number, name in enumerate(names, start))
    assert _videos(_listing(tmp_path, train, UCF_TEST, mended)) == UCF


FAULTS = {
    "another folder": (
        UCF_TRAIN + "Archery/x.avi 1\n",
        NUMBERED,
        "train.txt:3: the class's number",
    ),
    "no such number": (
        UCF_TRAIN + "Archery/x.avi 4\n",
        NUMBERED,
        "no class has the number 4: there",
    ),
    "neither": ("x.avi\n", NUMBERED, "train.txt:1: is not 'PATH FRAMES CLASS', 'PATH CLASS', or"),
    "words": ("Archery/v of words\n", NUMBERED, "train.txt:1: is not 'PATH FRAMES CLASS'"),
    "negative": (UCF_TRAIN + "Archery/x.avi -1\n", NUMBERED, "train.txt:3: is not 'PATH FRAMES"),
    "perhaps from 1": ("a.avi 1\nb.avi 2\n", PLAIN, "train.txt: no line has the class number 0"),
    "one name twice": (
        "Archery/1/x.avi 3\nArchery/2/x.avi 3\n",
        NUMBERED,
        "train.txt:2: another line has a video 'x' in another folder",
    ),
    "some lines numbered": (
        UCF_TRAIN,
        NUMBERED + "Biking\n",
        "classInd.txt:4: 'Biking' has no class number, other lines have",
    ),
    "a header": (
        UCF_TRAIN,
        "id,name\n" + NUMBERED,
        "classInd.txt:1: 'id,name' has no class number",
    ),
    "a number twice": (UCF_TRAIN, NUMBERED + "3 Biking\n", "the class number 3 stands there twice"),
    "a name twice": (UCF_TRAIN, NUMBERED + "4 archery\n", "the class 'archery' stands there twice"),
}


@pytest.mark.parametrize(("train", "classes", "message"), FAULTS.values(), ids=FAULTS)
def test_a_list_that_leaves_a_doubt_is_refused(tmp_path, train, classes, message):
    val = "c.avi 2\n" if message.startswith("train.txt: no line") else UCF_TEST
    with pytest.raises(BenchmarkError) as caught:
        _listing(tmp_path, train, val, classes)
    assert message in str(caught.value)


def test_names_that_begin_with_a_number_are_names(tmp_path):
    path = tmp_path / "classes.txt"
    path.write_text("100 metres\nhigh jump\n-1\nlong jump\n")
    faults = Faults(path)
    found = read_class_file(path, faults)
    faults.raise_any()
    assert found.classes == ("100 metres", "high jump", "-1", "long jump")
    assert not found.is_numbered
