"""AR-Net (Meng et al., ECCV 2020): a policy chooses each frame's resolution, or skips frames.

Facts from the paper and from its code, mengyuest/AR-Net (`ops/models_ada.py`, `main_base.py`,
`opts.py` and the training scripts).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from benchmark.contract import Prediction, SinglePass, Stage, Task
from benchmark.layers import (
    FrameHead,
    RecurrentCell,
    classification_loss,
    gumbel_noise,
    hard_choice,
    probabilities,
    sum_over_processes,
)
from benchmark.videos import Videos

HEAVY = ("backbone", "medium", "small")
"""Roles of the networks to choose from, dearest first; the policy's own is 'light'."""
SKIPS = (1, 2, 4)
"""Frames that an action drops: this one and those after it."""
OWN = len(HEAVY)
"""The action that takes the policy's own prediction, at no further cost."""
NUM_ACTIONS = len(HEAVY) + 1 + len(SKIPS)
FRAMES_TAKEN = (*(1 for _ in HEAVY), 1, *SKIPS)
"""By action, frames until the next decision."""
RESNET50_GFLOPS = 4.09


@dataclass(frozen=True)
class Params:
    """Parameters.

    Attributes:
        num_frames: of a video, the middles of as many segments.
        train_frames: the same in training, a random frame of each segment.
        decision: at test time 'sampled' from the policy, as the released code does, or 'argmax'.
        accuracy_weight: a of a * accuracy + (1 - a) * (cost + balance).
        balance_weight: of the distance of the actions' usage from uniform.
    """

    num_frames: int = 16
    train_frames: int = 16
    decision: Literal["sampled", "argmax"] = "sampled"
    accuracy_weight: float = 0.95
    balance_weight: float = 3.0


class Method(SinglePass):
    """A light network with an LSTM decides; the chosen networks' logits are averaged."""

    Params = Params
    action_gflops: Tensor
    frames_taken: Tensor

    def __init__(self, task: Task, params: Params) -> None:
        super().__init__(task, params)
        units = task.head_units
        self.heads = nn.ModuleDict(
            {role: FrameHead(task.networks[role].num_features, units) for role in HEAVY}
        )
        self.classifiers = nn.ModuleDict(
            {role: nn.Linear(units, task.num_classes) for role in HEAVY}
        )
        hidden = max(64, units // 8)  # 512 beside heads of 4096 units
        self.policy = RecurrentCell(task.networks["light"].num_features, hidden)
        self.choose = nn.Linear(hidden, NUM_ACTIONS)
        self.own = nn.Linear(hidden, task.num_classes)
        dearest = task.networks["backbone"].macs
        spent = [task.networks[role].macs / dearest for role in HEAVY]
        gflops = RESNET50_GFLOPS * torch.tensor([*spent, 0.0, *(0.0 for _ in SKIPS)])
        self.register_buffer("action_gflops", gflops, persistent=False)
        self.register_buffer("frames_taken", torch.tensor(FRAMES_TAKEN), persistent=False)

    @property
    def stages(self) -> Sequence[Stage]:
        """Each network alone, all together, then the networks again with the policy frozen."""
        return (
            Stage("alone", ("train_frames",), epochs=10, milestones=(5, 8), finetunes=HEAVY),
            Stage(
                "joint",
                ("accuracy_weight", "balance_weight"),
                epochs=35,
                milestones=(16, 30),
                finetunes=(*HEAVY, "light"),
            ),
            Stage("policy_frozen", (), epochs=10, milestones=(5, 8), finetunes=HEAVY),
        )

    def trainable(self, stage: str) -> Iterable[nn.Parameter]:
        """Return all parameters in the joint stage, those of the heads in the others."""
        if stage == "joint":
            return self.parameters()
        return [*self.heads.parameters(), *self.classifiers.parameters()]

    def loss(self, stage: str, videos: Videos) -> Tensor:
        """Return the classification loss, after the first stage with cost and balance."""
        assert videos.targets is not None
        positions = self._positions(videos, self.params.train_frames, training=True)
        logits = self._all_logits(videos, positions)
        if stage == "alone":
            return classification_loss(logits.flatten(1, 2), videos.targets, self.task.loss).mean()
        answers, usage = self._rollout(stage, videos, positions, logits)
        accuracy = classification_loss(answers[:, None], videos.targets, self.task.loss).mean()
        cost = usage.sum(1).mean(0) @ self.action_gflops / positions.shape[1]
        # A norm of means is no mean of norms: the batch as a whole decides.
        total = sum_over_processes(usage.sum((0, 1)))
        shares = total / total.detach().sum()
        balance = torch.linalg.vector_norm(shares - 1 / NUM_ACTIONS)
        weight = self.params.accuracy_weight
        return weight * accuracy + (1 - weight) * (cost + self.params.balance_weight * balance)

    def predict(self, videos: Videos) -> Prediction:
        """Look at the frames in order; run only what each video's actions ask for."""
        num, count = len(videos), self.params.num_frames
        positions = self._positions(videos, count, training=False)
        noise = self._noise(videos, count) * (self.params.decision == "sampled")
        hidden, cell = self.policy.start(num)
        total, taken = hidden.new_zeros(num, self.task.num_classes), hidden.new_zeros(num, 1)
        resumes = self.frames_taken.new_zeros(num)
        for step in range(count):
            rows = (resumes <= step).nonzero()[:, 0]
            awake = videos.select(rows)
            light = awake.features(positions[rows, step : step + 1], "light")[:, 0]
            with awake.component("policy"):
                state = hidden[rows], cell[rows]
                hidden[rows], cell[rows] = self.policy.advance(self.policy.project(light), state)
                action = (self.choose(hidden[rows]) + noise[rows, step]).argmax(-1)
            total[rows] += self._logits(awake, positions[rows, step], hidden[rows], action)
            taken[rows] += (action <= OWN).float()[:, None]
            resumes[rows] = step + self.frames_taken[action]
        unseen = (taken[:, 0] == 0).nonzero()[:, 0]  # every frame was skipped
        own = torch.full_like(unseen, OWN)
        view = videos.select(unseen)
        total[unseen] = self._logits(view, positions[unseen, 0], hidden[unseen], own)
        answer = probabilities(total / taken.clamp(1), self.task.loss)
        return Prediction(answer, torch.ones(num, dtype=torch.int64))

    def _logits(self, videos: Videos, positions: Tensor, hidden: Tensor, action: Tensor) -> Tensor:
        """Return what each video's action says about its frame: `[N, C]`, zeros for a skip.

        Args:
            videos: N videos.
            positions: `[N]`.
            hidden: `[N, H]`, the policy's state.
            action: `[N]`.
        """
        logits = hidden.new_zeros(len(videos), self.task.num_classes)
        for number, role in enumerate((*HEAVY, "own")):
            rows = (action == number).nonzero()[:, 0]
            if not len(rows):
                continue
            view = videos.select(rows)
            if role == "own":
                with view.component("policy"):
                    logits[rows] = self.own(hidden[rows])
                continue
            features = view.features(positions[rows, None], role)[:, 0]
            with view.component("head"):
                frame = self.heads[role](features)
            with view.component("classifier"):
                logits[rows] = self.classifiers[role](frame)
        return logits

    def _rollout(
        self, stage: str, videos: Videos, positions: Tensor, logits: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Play the policy with straight-through choices.

        Returns:
            the mean logits of the chosen networks `[N, C]`, and which action was taken at each
            frame, `[N, F, A]`, zero at frames that an earlier action skipped.
        """
        num, count = positions.shape
        temperature = 5 * torch.tensor(-0.045 * 50 * self._anneal(stage, videos)).exp().item()
        noise = self._noise(videos, count).unbind(1)
        light = self.policy.project(videos.features(positions, "light")).unbind(1)
        state, resumes = self.policy.start(num), self.frames_taken.new_zeros(num)
        actions, own = [], []
        for step in range(count):
            awake = resumes <= step
            new = self.policy.advance(light[step], state)
            held = awake[:, None]
            state = torch.where(held, new[0], state[0]), torch.where(held, new[1], state[1])
            choice = hard_choice(self.choose(state[0]), noise[step], temperature) * held
            resumes = torch.where(awake, step + self.frames_taken[choice.argmax(-1)], resumes)
            actions.append(choice)
            own.append(state[0])
        usage = torch.stack(actions, dim=1)
        every = torch.cat([logits, self.own(torch.stack(own, dim=1))[:, :, None]], dim=2)
        used = usage[..., : OWN + 1]
        answers = (every * used[..., None]).sum((1, 2)) / used.detach().sum((1, 2))[:, None].clamp(
            1
        )
        return answers, usage

    def _noise(self, videos: Videos, count: int) -> Tensor:
        noise = gumbel_noise(videos.random("actions", count * NUM_ACTIONS)).to(videos.device)
        return noise.view(len(videos), count, NUM_ACTIONS)

    def _anneal(self, stage: str, videos: Videos) -> float:
        """Return how far the temperature has fallen: over the joint stage, then no further."""
        return videos.progress if stage == "joint" else 1.0

    def _all_logits(self, videos: Videos, positions: Tensor) -> Tensor:
        """Return every network's logits at every frame: `[N, F, 3, C]`."""
        parts = []
        for role in HEAVY:
            features = videos.features(positions, role)
            frames = self.heads[role](features.flatten(0, 1))
            parts.append(self.classifiers[role](frames).view(*positions.shape, -1))
        return torch.stack(parts, dim=2)

    def _positions(self, videos: Videos, count: int, *, training: bool) -> Tensor:
        """Return a frame of each of `count` equal segments, random or in the middle: `[N, F]`."""
        places = torch.from_numpy(videos.random("segments", count)) if training else 0.5
        ends = torch.from_numpy(videos.num_inputs())[:, None]
        numbers = ((torch.arange(count) + places) / count * ends).long().clamp(max=ends - 1)
        return videos.starts(numbers).to(videos.device)
