"""The known answers, against a plain reading of the record."""

import json
from dataclasses import replace

import numpy as np
import pytest

from benchmark.data.builtin.generated import write_record
from benchmark.data.builtin.plan import plan_video
from benchmark.data.builtin.sets import SETS
from benchmark.data.builtin.truth import Truth, load_truth
from benchmark.errors import BenchmarkError, DamagedFileError

EXAMPLE = Truth(
    video_id="v",
    set_name="short",
    split="val",
    labels=("red_disc+blue_disc",),
    difficulty="hard",
    num_frames=60,
    intervals={
        "red_disc": ((0, 5), (50, 60)),
        "blue_disc": ((10, 20),),
        "red_cross": ((0, 60),),
        "plain": ((0, 60),),
    },
    distractors=("red_cross",),
    sounding=None,
)


@pytest.mark.parametrize(
    ("frames", "step"),
    [
        ([], None),
        ([30], None),  # the distractor and the scene decide nothing
        ([0, 4, 59], None),  # one glyph of the pair, whenever
        ([10, 19], None),
        ([4, 10], 2),
        ([10, 4], 2),
        ([5, 20, 49, 9], None),  # each just outside
        ([30, 19, 30, 50, 0], 4),
        (range(60), 11),
    ],
)
def test_earliest_decidable_step(frames, step):
    assert EXAMPLE.earliest_decidable_step(frames) == step


def test_visible_columns_follow_the_cues():
    shown = EXAMPLE.visible([0, 15, 55, 15])
    cues = SETS["short"].cues
    assert shown.shape == (4, len(cues))
    assert [sorted(np.array(cues)[row]) for row in shown] == [
        ["plain", "red_cross", "red_disc"],
        ["blue_disc", "plain", "red_cross"],
        ["plain", "red_cross", "red_disc"],
        ["blue_disc", "plain", "red_cross"],
    ]


@pytest.mark.parametrize("frame", [-1, 60])
def test_a_frame_outside_the_video_is_refused(frame):
    with pytest.raises(IndexError, match="frames 0 to 59"):
        EXAMPLE.visible([0, frame])


@pytest.mark.parametrize("name", SETS)
def test_decidability_equals_a_brute_force_reading_of_the_json(name):
    rng = np.random.default_rng(0)
    steps = []
    for index in range(100):
        truth = plan_video(SETS[name], 5, "val", index).truth
        record = json.loads(truth.to_json())
        frames = rng.permutation(record["num_frames"])[:10].tolist()
        steps.append(truth.earliest_decidable_step(frames))
        assert steps[-1] == _brute_force(record, frames)
    assert len(set(steps)) > 4


@pytest.mark.parametrize("name", SETS)
def test_ten_evenly_spread_frames_always_decide(name):
    for index in range(400):
        truth = plan_video(SETS[name], 0, "val", index).truth
        frames = ((np.arange(10) + 0.5) * truth.num_frames / 10).astype(int)
        assert truth.earliest_decidable_step(frames) is not None


def _write(path, text):
    write_record(path.parent, [], {path.name: text})
    path.write_text(text)


def test_records_survive_a_file(tmp_path):
    truths = [plan_video(SETS[name], 0, "train", 3).truth for name in SETS]
    path = tmp_path / "truth.jsonl"
    _write(path, "".join(truth.to_json() + "\n" for truth in [*truths, EXAMPLE]))
    assert list(load_truth(path).values()) == [*truths, EXAMPLE]
    assert load_truth(path)["v"] != replace(EXAMPLE, difficulty="easy")


def test_all_broken_lines_are_named_at_once(tmp_path):
    path = tmp_path / "truth.jsonl"
    _write(path, f"{{}}\n{EXAMPLE.to_json()}\nnot json\n[1]\n")
    with pytest.raises(BenchmarkError) as caught:
        load_truth(path)
    assert [f"truth.jsonl:{line}" in str(caught.value) for line in (1, 2, 3, 4)] == [
        True,
        False,
        True,
        True,
    ]
    with pytest.raises(BenchmarkError, match="no such file"):
        load_truth(tmp_path / "missing.jsonl")


def test_a_changed_record_is_an_error(tmp_path):
    path = tmp_path / "truth.jsonl"
    _write(path, EXAMPLE.to_json() + "\n")
    path.write_text(path.read_text().replace("hard", "easy"))
    with pytest.raises(DamagedFileError, match=r"truth\.jsonl: the file is not the one that"):
        load_truth(path)


def _brute_force(record, frames):
    for step in range(1, len(frames) + 1):
        seen = {
            cue
            for cue, ranges in record["intervals"].items()
            for frame in frames[:step]
            if any(start <= frame < stop for start, stop in ranges)
        }
        if all(set(label.split("+")) <= seen for label in record["labels"]):
            return step
    return None
