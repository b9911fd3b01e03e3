"""Verdicts on synthetic results whose truth is known."""

import math
from functools import cache

import numpy as np
import pytest
from scipy.stats import binom, ttest_1samp

from benchmark.evaluation.bootstrap import resamples
from benchmark.reporting.claims.hypotheses import (
    AllOf,
    AnyOf,
    Comparison,
    comparisons,
    decisive,
    holds,
    number_needed,
    p_value,
)
from benchmark.reporting.claims.quantities import Parts, Quantity
from benchmark.reporting.claims.sample_size import needed, power_of
from benchmark.reporting.claims.verdicts import holm, judge

NUM_VIDEOS, NUM_SEEDS = 80, 5


@cache
def weights_of(num_videos):
    return resamples(num_videos, 200, 0).astype(np.float64)


def measured(rng, truth, *, videos=1.0, seeds=0.0, both=1.0, size=(NUM_VIDEOS, NUM_SEEDS)):
    """Return what an experiment gives, with these variances of a video, a seed, and one in both."""
    num_videos, num_seeds = size
    rows = truth + rng.normal(0, math.sqrt(videos), num_videos)
    rows = rows + rng.normal(0, math.sqrt(seeds), (num_seeds, 1))
    rows = rows + rng.normal(0, math.sqrt(both), (num_seeds, num_videos))
    replicates = rows @ weights_of(num_videos).T / num_videos
    return Quantity(rows.mean(axis=1), replicates, num_videos, 1e-9)


def compared(quantity, bound=0.0, above=True):
    return Comparison("one less other", "points", quantity, bound, above, ("a", "b"))


def known(mean, deviation=1.0, above=True, bound=0.0):
    """Return a comparison with an exact mean, whose uncertainty is over videos only."""
    spread = np.random.default_rng(0).normal(size=1000)
    spread = deviation * (spread - spread.mean()) / spread.std()
    return compared(Quantity(np.array([mean]), mean + spread[None], 1000, 1e-9), bound, above)


NULL_FAMILIES = {
    "videos": {"videos": 1.0, "both": 0.0},
    "videos and both": {"videos": 1.0, "both": 1.0},
    "seeds too": {"videos": 1.0, "both": 0.5, "seeds": 0.01},
}


@pytest.mark.parametrize("variances", NULL_FAMILIES.values(), ids=NULL_FAMILIES)
def test_false_positives_keep_the_stated_rate_of_a_family(variances):
    """Twelve claims on their bounds; four of them have a part that holds beyond doubt."""
    rng, num_families, num_wrong = np.random.default_rng(1), 250, 0
    for _ in range(num_families):
        family = {str(i): compared(measured(rng, 0.0, **variances)) for i in range(12)}
        for name in ("0", "1", "2", "3"):
            family[name] = AllOf((family[name], known(50.0)))
        verdicts = judge(family).values()
        num_wrong += any(verdict.name != "inconclusive" for verdict in verdicts)
    assert binom.sf(num_wrong - 1, num_families, 0.05) > 0.005  # 250 families: at most 22
    assert num_wrong > 0


def test_false_positives_on_both_sides():
    rng, names = np.random.default_rng(2), []
    for _ in range(2000):
        names.append(judge({"only": compared(measured(rng, 0.0))})["only"].name)
    for side in ("reproduced", "contradicted"):
        assert names.count(side) == pytest.approx(0.025 * 2000, abs=25)


@pytest.mark.parametrize("vary", ["videos", "seeds"])
def test_power_is_as_computed(vary):
    """An experiment of the size that a small one asked for decides as often as was said."""
    rng = np.random.default_rng(3)
    truth, level, variances = 0.35, 0.0125, {"videos": 1.0, "both": 1.0, "seeds": 0.02}
    if vary == "seeds":
        truth, variances = 0.5, {"videos": 1.0, "both": 1.0, "seeds": 0.3}
    parts = Parts(
        videos=variances["videos"] / NUM_VIDEOS,
        seeds=variances["seeds"] / NUM_SEEDS,
        both=variances["both"] / (NUM_VIDEOS * NUM_SEEDS),
        both_seen=variances["both"] / (NUM_VIDEOS * NUM_SEEDS),
        num_videos=NUM_VIDEOS,
        num_seeds=NUM_SEEDS,
        num_resamples=200,
    )
    number = int(needed(parts, truth, level, 0.8, vary))
    assert number > (NUM_VIDEOS if vary == "videos" else NUM_SEEDS)
    size = (number, NUM_SEEDS) if vary == "videos" else (NUM_VIDEOS, number)
    decided = [
        compared(measured(rng, truth, **variances, size=size)).p("for") <= level for _ in range(800)
    ]
    assert np.mean(decided) == pytest.approx(0.8, abs=0.05)
    assert power_of(parts, truth, level, *size) == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize(
    ("mean", "bound", "above", "name"),
    [
        (9.0, 0.0, True, "reproduced"),
        (-9.0, 0.0, True, "contradicted"),
        (-9.0, 0.0, False, "reproduced"),
        (9.0, 0.0, False, "contradicted"),
        (-1.0, -9.0, True, "reproduced"),
        (-1.0, 9.0, True, "contradicted"),
        (1.0, 0.0, True, "inconclusive"),
        (-1.0, 0.0, True, "inconclusive"),
    ],
)
def test_the_verdict_follows_the_direction_and_the_bound(mean, bound, above, name):
    verdict = judge({"only": known(mean, above=above, bound=bound)})["only"]
    assert verdict.name == name
    assert (verdict.videos_needed > 1000) == (name == "inconclusive")


def test_seeds_alone_give_the_t_test_of_their_values():
    values = np.array([0.3, 0.1, 0.6, 0.2, 0.4])
    quantity = Quantity(values, np.repeat(values[:, None], 50, axis=1), 1_000_000, 1e-9)
    expected = ttest_1samp(values, 0.05, alternative="greater")
    assert quantity.p_above(0.05) == pytest.approx(expected.pvalue)
    assert quantity.p_above(0.05) + quantity.p_below(0.05) == pytest.approx(1)
    assert quantity.interval == pytest.approx(ttest_1samp(values, 0).confidence_interval())


def test_a_perfect_tie_is_inconclusive_and_no_sample_would_decide_it():
    tie = Quantity(np.zeros(5), np.zeros((5, 200)), 1100, 100 / 1100)
    verdict = judge({"only": compared(tie)})["only"]
    assert (verdict.name, verdict.p, verdict.p_holm) == ("inconclusive", 1.0, 1.0)
    assert verdict.videos_needed == verdict.seeds_needed == math.inf
    assert verdict.seeds_needed_together == math.inf


@pytest.mark.parametrize(("num_videos", "name"), [(24, "inconclusive"), (1100, "reproduced")])
def test_equal_answers_on_few_videos_do_not_prove_equality(num_videos, name):
    """No resample of them differs, and yet the next video may."""
    same = Quantity(np.zeros(5), np.zeros((5, 200)), num_videos, 100 / num_videos)
    assert judge({"only": compared(same, bound=-2.4)})["only"].name == name


def test_one_seed_is_tested_over_videos_and_says_nothing_of_seeds():
    one = measured(np.random.default_rng(4), 0.15, size=(NUM_VIDEOS, 1))
    assert (one.parts.seeds, one.parts.both) == (0, 0)
    verdict = judge({"only": compared(one)})["only"]
    assert verdict.name == "inconclusive"
    assert math.isfinite(verdict.videos_needed)
    assert verdict.seeds_needed == math.inf


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_all_parts_must_hold_and_one_that_fails_refutes():
    strong, weak, against = known(4.0), known(1.0), known(-4.0)
    both = AllOf((strong, weak))
    assert p_value(both, "for") == weak.p("for")
    assert decisive(both, "for") is weak
    assert judge({"only": both})["only"].name == "inconclusive"
    refuted = AllOf((strong, against))
    assert p_value(refuted, "against") == 2 * against.p("against")
    assert (holds(refuted), decisive(refuted, "against")) == (False, against)
    assert judge({"only": refuted})["only"].name == "contradicted"


def test_one_part_that_holds_is_enough_and_all_must_fail_to_refute():
    strong, weak, against = known(4.0), known(-1.0), known(-4.0)
    either = AnyOf((strong, against))
    assert p_value(either, "for") == 2 * strong.p("for")
    assert (holds(either), decisive(either, "for")) == (True, strong)
    assert judge({"only": either})["only"].name == "reproduced"
    assert p_value(AnyOf((weak, against)), "against") == weak.p("against")
    nested = AllOf((either, AnyOf((against, against))))
    assert comparisons(nested) == [strong, against, against, against]
    assert judge({"only": nested})["only"].name == "contradicted"


def test_the_number_needed_is_that_of_the_hardest_part():
    strong, weak = known(2.0), known(1.0)
    numbers = [number_needed(x, "for", 0.025, 0.9, "videos") for x in (strong, weak)]
    assert number_needed(AllOf((strong, weak)), "for", 0.025, 0.8, "videos") == max(numbers)
    assert numbers[1] == pytest.approx(1000 * (1.96 + 1.2816) ** 2, rel=0.01)
    assert number_needed(AllOf((strong, known(-1.0))), "for", 0.025, 0.8, "videos") == math.inf
    halved = number_needed(strong, "for", 0.0125, 0.8, "videos")
    assert number_needed(AnyOf((strong, known(-1.0))), "for", 0.025, 0.8, "videos") == halved


def test_videos_cannot_decide_what_seeds_leave_open():
    parts = Parts(0.01, 1.0, 0.0, 0.0, 100, 5, 1000)
    assert needed(parts, 1.0, 0.01, 0.8, "videos") == math.inf
    assert 5 < needed(parts, 1.0, 0.01, 0.8, "seeds") < 100


def test_more_of_both_decides_where_neither_alone_does():
    parts = Parts(1.0, 1.0, 0.0, 0.0, 100, 5, 1000)
    assert needed(parts, 1.0, 0.01, 0.8, "videos") == math.inf
    assert needed(parts, 1.0, 0.01, 0.8, "seeds") == math.inf
    seeds = int(needed(parts, 1.0, 0.01, 0.8, "both"))
    assert power_of(parts, 1.0, 0.01, 20 * seeds, seeds) >= 0.8
    assert power_of(parts, 1.0, 0.01, 20 * (seeds - 1), seeds - 1) < 0.8
