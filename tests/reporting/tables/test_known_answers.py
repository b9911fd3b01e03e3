"""Known answers: one who sees perfectly stops exactly where the generator's record says.

The classifier and the gate here are perfect, everything else is the harness's own: frame grid,
visiting order, loop, stored steps, oracle control. An error of one frame in any of them shows.
"""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from benchmark.contract import EarlyExit, Task
from benchmark.data.builtin.plan import plan_video
from benchmark.data.builtin.sets import SETS
from benchmark.data.frames.recipe import SamplingRecipe
from benchmark.evaluation.early_exit import predict_steps
from benchmark.methods.loading import load_method
from benchmark.sampling import equally_spaced, visiting_order

NUM_VIDEOS = 80
GRIDS = {
    "24 positions": SamplingRecipe(24, None),
    "20 positions": SamplingRecipe(20, None),
    "2 a second": SamplingRecipe(None, 2.0),
    "after a second": SamplingRecipe(24, None, skip_start_s=1.0),
}


@dataclass(frozen=True)
class Params:
    order: str
    num_steps: int


class PerfectSight(EarlyExit):
    """Remembers every cue seen; a label scores the share of its evidence that was seen.

    The features are the cues visible in the frame. In a single-label set the gate stops when some
    label's evidence is complete; with several labels, when as much was seen as the record knows.
    """

    def __init__(self, video_set, params, num_cues_needed):
        super().__init__(Task(video_set.classes, video_set.multi_label, 0, 0), params)
        self.evidence = torch.tensor(
            [[cue in needed for cue in video_set.cues] for needed in video_set.evidence.values()],
            dtype=torch.float32,
        )
        self.num_needed = num_cues_needed

    stages = ()

    @property
    def num_steps(self):
        return self.params.num_steps

    def loss(self, stage, videos):
        raise AssertionError("not trained")

    def visit(self, videos):
        candidates = equally_spaced(videos.lengths, self.num_steps)
        visits = visiting_order(self.params.order, self.num_steps, videos.keys, videos.seed)
        return torch.from_numpy(np.take_along_axis(candidates, visits, axis=1))

    def step(self, step, features, state, videos):
        seen, wanted = (torch.zeros_like(features), None) if state is None else state
        if wanted is None:
            wanted = torch.tensor([self.num_needed[int(key)] for key in videos.keys])
        return torch.maximum(seen, features), wanted

    def exit_value(self, step, state, videos):
        seen, wanted = state
        if self.task.multi_label:
            return (seen.sum(1) >= wanted).float()
        return (self.classify(step, state, videos) == 1).any(dim=1).float()

    def classify(self, step, state, videos):
        with videos.component("sight"):
            known = state[0] @ self.evidence.T
        return known / self.evidence.sum(1)


def _videos(video_set, grid, memory_videos):
    """Return videos whose features are their records, and the records."""
    truths = [plan_video(video_set, 3, "val", index).truth for index in range(NUM_VIDEOS)]
    sources = [grid.source_frames(t.num_frames, video_set.fps) for t in truths]
    shown = np.stack([t.visible(s) for t, s in zip(truths, sources, strict=True)])
    made = type(memory_videos(num=1))(torch.from_numpy(shown).float())
    return made, truths, sources


def _targets(video_set, truths):
    hot = np.array([[name in t.labels for name in video_set.classes] for t in truths])
    return hot if video_set.multi_label else hot.argmax(axis=1)


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
@pytest.mark.parametrize("order", ["coarse_to_fine", "released", "sequential", "random"])
@pytest.mark.parametrize("name", SETS)
def test_perfect_sight_stops_at_the_recorded_step(memory_videos, methods, name, order, grid):
    video_set = SETS[name]
    videos, truths, sources = _videos(video_set, grid, memory_videos)
    keys = videos.batch().keys.tolist()
    needed = {key: len(truth.intervals) for key, truth in zip(keys, truths, strict=True)}
    for num_steps in [10] if order == "released" else [4, 10, 16]:
        method = PerfectSight(video_set, Params(order, num_steps), needed)
        steps = predict_steps(method, lambda meter: videos.batch(meter=meter), videos.ids)
        recorded = [
            truth.earliest_decidable_step(source[positions])
            for truth, source, positions in zip(truths, sources, steps.positions, strict=True)
        ]
        assert steps.exit_step.tolist() == [step or num_steps for step in recorded]
        targets = _targets(video_set, truths)
        decided = np.array([step is not None for step in recorded])
        right = (steps.exit_scores() == 1) == (
            targets if video_set.multi_label else np.eye(len(video_set.classes))[targets] == 1
        )
        assert right[decided].all()
        oracle = load_method(methods["oracle_exit"])(None)
        assert (oracle.exit_steps(steps, None, targets, 0) == steps.exit_step).all()
        if num_steps == 10:
            assert len(set(recorded)) > 2


@pytest.mark.parametrize("name", SETS)
def test_easy_videos_can_be_decided_earlier_than_hard_ones(memory_videos, name):
    _, truths, sources = _videos(SETS[name], GRIDS["24 positions"], memory_videos)
    visits = visiting_order("coarse_to_fine", 10, np.zeros(1, np.uint64), 0)[0]
    chosen = equally_spaced(np.array([24]), 10)[0][visits]
    steps = {tier: [] for tier in ("easy", "medium", "hard")}
    for truth, source in zip(truths, sources, strict=True):
        steps[truth.difficulty].append(truth.earliest_decidable_step(source[chosen]) or 11)
    assert np.mean(steps["easy"]) + 1 < np.mean(steps["hard"])
    assert np.mean(steps["easy"]) < np.mean(steps["medium"])
