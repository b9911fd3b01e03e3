"""The strip shows what the stored steps say of videos that a stated rule chose."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib import rc_context

from benchmark.reporting.figures.strip import choose_videos, draw_strip, shown_steps
from benchmark.reporting.figures.style import SETTINGS

CLASSES = ("apple", "pear", "plum")
FACTS = {
    "dataset": "films",
    "method": "ours",
    "class_name": "pear",
    "video_id": "v0001",
    "place": "easiest",
    "mean_exit_step": 1.5,
    "seed": 0,
}


@pytest.fixture
def run(make_bench, steps_of):
    """Six videos of two classes, four steps; each is answered rightly from step 3 on."""
    manifest = make_bench({"m": ("method", {"default": {}})}).manifest(
        "films", ["apple", "apple", "apple", "pear", "pear", "pear", "pear", "pear"], CLASSES
    )
    targets = manifest.targets(manifest.rows["video_id"].tolist())
    scores = np.full((8, 4, 3), 0.2)
    scores[:, :2, 2] = 0.6
    scores[np.arange(8), 2:, targets] = 0.7
    made = steps_of(manifest, np.array([2, 2, 3, 1, 4, 2, 4, 3]), scores)
    values = np.tile(np.array([0.1, 0.4, 0.6, np.nan], np.float32), (8, 1))
    return replace(made, exit_values=values, positions=np.tile([5, 0, 9, 2], (8, 1))), targets


def test_the_class_with_the_largest_spread_and_its_ends_are_chosen(run):
    steps, targets = run
    assert choose_videos([steps], targets, CLASSES) == (
        "pear",
        [(3, "easiest", 1.0), (5, "easiest", 2.0), (4, "hardest", 4.0), (6, "hardest", 4.0)],
    )


def test_the_exits_of_all_seeds_count(run):
    steps, targets = run
    other = replace(steps, exit_step=np.array([2, 2, 3, 4, 4, 4, 1, 1]))
    chosen = choose_videos([steps, other], targets, CLASSES)[1]
    assert chosen == [
        (7, "easiest", 2.0), (3, "easiest", 2.5), (5, "hardest", 3.0), (4, "hardest", 4.0),
    ]  # fmt: skip


def test_a_video_of_several_classes_counts_for_each(run):
    steps, targets = run
    many = np.eye(3)[targets]
    many[4, 0] = 1
    assert choose_videos([steps], many, CLASSES)[0] == "pear"
    many[3, 0] = 1
    assert choose_videos([steps], many[:, :1], CLASSES[:1])[1][0] == (3, "easiest", 1.0)


def test_each_step_is_told_as_it_was(run):
    steps, targets = run
    shown = shown_steps(steps, targets, 4, 3.0, FACTS)
    assert [one.step for one in shown] == [1, 2, 3, 4]
    assert [one.position for one in shown] == [5, 0, 9, 2]
    assert [one.exit_value for one in shown] == pytest.approx([0.1, 0.4, 0.6, None])
    assert [one.is_exit for one in shown] == [False, False, False, True]
    assert [one.is_correct for one in shown] == [False, False, True, True]
    assert [one.is_decidable for one in shown] == [False, False, True, True]
    assert {one.is_decidable for one in shown_steps(steps, targets, 4, None, FACTS)} == {None}
    never = shown_steps(steps, targets, 4, float("inf"), FACTS)
    assert not any(one.is_decidable for one in never)


def test_the_picture_says_where_it_stopped_and_how_it_answered(run, make_bench):
    steps, targets = run
    config = make_bench({}).config
    frames = np.zeros((4, 8, 8, 3), np.uint8)
    strips = [(shown_steps(steps, targets, row, 3.0, FACTS), frames) for row in (3, 4)]
    with rc_context(SETTINGS):
        figure, records = draw_strip(config, "title", strips, 0.5)
    below = [panel.get_xlabel() for panel in figure.axes]
    assert below[:4] == ["0.10\nstops: wrong", "0.40", "● 0.60", "● -"]
    assert below[4:] == ["0.10", "0.40", "● 0.60", "● -\nstops: right"]
    pale = [panel.images[0].get_alpha() for panel in figure.axes]
    assert pale == [1.0, 0.35, 0.35, 0.35, 1.0, 1.0, 1.0, 1.0]
    assert "Dot: by the videos' record" in figure.get_supxlabel()
    assert len(records) == 8


def test_without_a_run_the_picture_says_why(make_bench):
    config = make_bench({"m": ("method", {"default": {}})}).config
    figure, records = draw_strip(config, "", [], 0.5, "missing: no result")
    assert records == []
    assert figure.axes[0].texts[0].get_text() == "missing: no result"
