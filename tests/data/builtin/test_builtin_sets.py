"""The sets are what their documentation says, read by brute force."""

from collections import Counter
from itertools import combinations

import pytest

from benchmark.data.builtin.plan import plan_video
from benchmark.data.builtin.sets import CUES, GLYPHS, SCENES, SETS, get_set
from benchmark.errors import BenchmarkError

SINGLE = [name for name, one in SETS.items() if not one.multi_label]


def test_an_unknown_set_gets_a_suggestion():
    with pytest.raises(
        BenchmarkError, match=r"no built-in video set 'shrot' \(did you mean 'short'"
    ):
        get_set("shrot")


@pytest.mark.parametrize(
    ("name", "num_classes", "num_frames", "duration_s"),
    [("long", 20, 96, 48), ("short", 20, 60, 10), ("multi", 34, 48, 8)],
)
def test_sizes(name, num_classes, num_frames, duration_s):
    one = SETS[name]
    assert len(set(one.classes)) == num_classes
    assert (one.num_frames, one.num_frames / one.fps) == (num_frames, duration_s)
    assert len(set(one.cues)) == 14
    assert sum(tier.twentieths for tier in one.tiers) == 20


@pytest.mark.parametrize("name", SINGLE)
def test_each_glyph_is_in_four_classes_and_each_class_has_distractors(name):
    classes = SETS[name].evidence.values()
    assert set(Counter(glyph for pair in classes for glyph in pair).values()) == {4}
    assert {len(_harmless(name, pair)) for pair in classes} == {3, 4}


@pytest.mark.parametrize("name", SINGLE)
def test_less_than_the_pair_never_leaves_a_single_class(name):
    """Even an observer who knows which of the glyphs seen is the distractor is left in doubt."""
    for pair in SETS[name].evidence.values():
        for distractor in [None, *_harmless(name, pair)]:
            for num_seen in (0, 1):
                for seen in combinations(pair, num_seen):
                    possible = [
                        other
                        for other in SETS[name].evidence.values()
                        if other >= set(seen)
                        and (distractor is None or distractor in _harmless(name, other))
                    ]
                    assert len(possible) >= 2


@pytest.mark.parametrize("name", SETS)
def test_difficulty_and_classes_are_dealt_in_exact_shares(name):
    one = SETS[name]
    plans = [plan_video(one, 0, "train", index) for index in range(400)]
    for first in range(0, 400, 20):
        tiers = Counter(plan.truth.difficulty for plan in plans[first : first + 20])
        assert tiers == {tier.name: tier.twentieths for tier in one.tiers}
    if not one.multi_label:
        pairs = Counter((plan.truth.labels[0], plan.truth.difficulty) for plan in plans)
        assert pairs == {
            (label, tier.name): tier.twentieths for label in one.classes for tier in one.tiers
        }


@pytest.mark.parametrize("name", SETS)
def test_plans_keep_the_promises_of_their_tier(name):
    one, tiers = SETS[name], {tier.name: tier for tier in SETS[name].tiers}
    num_distracted = Counter()
    for index in range(400):
        plan = plan_video(one, 3, "val", index)
        truth, tier = plan.truth, tiers[plan.truth.difficulty]
        covers = {
            cue: sum(stop - start for start, stop in ranges) / one.num_frames
            for cue, ranges in truth.intervals.items()
        }
        assert set(covers) <= set(CUES)
        assert [cue for cue in covers if cue in SCENES] == [plan.scene]
        assert covers.pop(plan.scene) == 1
        for cue, cover in covers.items():
            low, high = (1 / 3, 1 / 2) if cue in truth.distractors else tier.cover
            assert low - 0.51 / one.num_frames <= cover <= high + 0.51 / one.num_frames
        relevant = set(covers) - set(truth.distractors)
        assert one.num_glyphs[0] <= len(relevant) <= one.num_glyphs[1]
        assert truth.sounding is None or truth.sounding in relevant
        num_distracted[truth.difficulty] += bool(truth.distractors)
        corners = {sprite.corner_px(f, 96) for sprite in plan.sprites for f in (0, 50, 95)}
        assert all(0 <= value <= 64 - 18 and value % 2 == 0 for c in corners for value in c)
    hard = sum(plan_video(one, 3, "val", i).truth.difficulty == "hard" for i in range(400))
    assert num_distracted["hard"] == (0 if one.multi_label else hard)


@pytest.mark.parametrize("name", SETS)
def test_a_video_has_exactly_the_labels_whose_evidence_it_shows(name):
    for index in range(200):
        truth = plan_video(SETS[name], 1, "train", index).truth
        shown = set(truth.intervals)
        expected = {label for label in SETS[name].classes if set(label.split("+")) <= shown}
        assert set(truth.labels) == expected
        assert SETS[name].multi_label or len(expected) == 1


def test_a_plan_depends_on_seed_split_and_index_only():
    def plan(seed, split, index):
        return plan_video(SETS["long"], seed, split, index)

    assert plan(0, "train", 7) == plan(0, "train", 7)
    others = [plan(1, "train", 7), plan(0, "val", 7), plan(0, "train", 27)]
    assert len({str(other.truth.intervals) for other in [*others, plan(0, "train", 7)]}) == 4


def _harmless(name, pair):
    classes = set(SETS[name].evidence.values())
    return [
        glyph
        for glyph in GLYPHS
        if glyph not in pair and all(frozenset((glyph, one)) not in classes for one in pair)
    ]
