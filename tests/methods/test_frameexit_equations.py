"""FrameExit against a plain reading of its equations: one video, one frame, one gate at a time."""

import itertools
import math

import numpy as np
import pytest
import torch

from benchmark.sampling import visiting_order
from benchmark.seeds import derive_seed, video_keys

POOLINGS = ("max", "average", "lstm", "attention")
ORDERS = ("coarse_to_fine", "released", "sequential", "random")
GATES = ("paper", "released")
T = 10
# Of 21 stored frames: 0 to 21 in nine equal parts, cut off, at most 20.
CANDIDATES = [0, 2, 4, 7, 9, 11, 14, 16, 18, 20]
LISTS = {
    "coarse_to_fine": [4, 0, 9, 2, 6, 1, 3, 5, 7, 8],
    "released": [5, 0, 9, 2, 7, 4, 6, 3, 8, 1],
    "sequential": list(range(10)),
}


class PlainFrameExit:
    """The equations in numpy's double precision, with another model's weights."""

    def __init__(self, method):
        self.weights = {k: v.detach().double().numpy() for k, v in method.state_dict().items()}
        self.params, self.multi = method.params, method.task.multi_label

    def visits(self, video_id, order, seed):
        if order == "random":
            keys = video_keys([video_id])
            return visiting_order("random", T, keys, derive_seed(seed, "frame order"))[0].tolist()
        return LISTS[order]

    def frame_head(self, features):
        return np.maximum(self.norm("head.1", slice(None), self.linear("head.0", features)), 0)

    def pooled(self, frames):
        """Eq. 3, from all frames so far."""
        if self.params.pooling == "max":
            return np.array([max(frame[i] for frame in frames) for i in range(len(frames[0]))])
        if self.params.pooling == "average":
            return sum(frames) / len(frames)
        if self.params.pooling == "attention":
            parts = [np.split(self.linear("pooling.project", f), 3) for f in frames]
            query = parts[-1][0]
            agreement = [math.exp(query @ key / math.sqrt(len(query))) for _, key, _ in parts]
            mixed = sum(a * value for a, (_, _, value) in zip(agreement, parts, strict=True))
            return frames[-1] + mixed / sum(agreement)
        hidden = cell = np.zeros_like(frames[0])
        w = self.weights
        for frame in frames:
            total = w["pooling.lstm.weight_ih_l0"] @ frame + w["pooling.lstm.bias_ih_l0"]
            total = total + w["pooling.lstm.weight_hh_l0"] @ hidden + w["pooling.lstm.bias_hh_l0"]
            let_in, forget, new, let_out = np.split(total, 4)
            cell = sigmoid(forget) * cell + sigmoid(let_in) * np.tanh(new)
            hidden = sigmoid(let_out) * np.tanh(cell)
        return hidden

    def logits(self, t, z):
        return (
            self.weights["classifiers.weight"][t - 1] @ z + self.weights["classifiers.bias"][t - 1]
        )

    def scores(self, t, z):
        logits = self.logits(t, z)
        return sigmoid(logits) if self.multi else softmax(logits)

    def gate(self, t, before, z):
        """g_t(z_{t-1}, z_t), its value before the threshold; g_1 sees z_1 only."""
        w, b = self.weights["gates.project.weight"][t - 1, 0], self.weights["gates.project.bias"]
        total = w[:64] @ self.branch(t, z) + b[t - 1, 0]
        return sigmoid(total if t == 1 else total + w[64:] @ self.branch(t, before))

    def branch(self, t, z):
        for number, layer in enumerate(("first", "second")):
            z = self.weights[f"gates.{layer}.weight"][t - 1] @ z
            z = z + self.weights[f"gates.{layer}.bias"][t - 1]
            if self.params.gate == "released":
                units = slice((t - 1) * len(z), t * len(z))
                z = self.norm(f"gates.norms.{number}", units, z)
            z = np.maximum(z, 0)
        return z

    def norm(self, name, units, values):
        get = {k: self.weights[f"{name}.{k}"][units] for k in ("weight", "bias")}
        mean, var = (self.weights[f"{name}.running_{k}"][units] for k in ("mean", "var"))
        return (values - mean) / np.sqrt(var + 1e-5) * get["weight"] + get["bias"]

    def linear(self, name, values):
        return self.weights[f"{name}.weight"] @ values + self.weights[f"{name}.bias"]

    def accumulated(self, stored, visits):
        """z_1 to z_T of a video with stored features `[L, D]`."""
        frames = [self.frame_head(stored[CANDIDATES[visit]]) for visit in visits]
        return [self.pooled(frames[:t]) for t in range(1, T + 1)]

    def exit_value(self, t, z):
        if t == 1 and self.params.gate == "released":
            return float(self.scores(1, z[0]).max() > self.params.first_step_confidence)
        return self.gate(t, z[t - 2], z[t - 1])

    def loss_of(self, t, z, target):
        """Cross-entropy, or binary cross-entropy averaged over the classes."""
        if not self.multi:
            return -math.log(softmax(self.logits(t, z))[int(target)])
        p = sigmoid(self.logits(t, z))
        return float(np.mean([bce(p[c], target[c]) for c in range(len(p))]))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    return np.exp(x) / np.exp(x).sum()


def bce(p, label):
    return -math.log(p) if label else -math.log(1 - p)


def _videos_in_double(videos):
    return videos.features.double().numpy()


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("order", ORDERS)
def test_predictions_exits_and_values_follow_the_equations(
    build, run, memory_videos, *, order, pooling, gate
):
    videos = memory_videos(num=16)
    confidence = 0.5  # of five classes: some stop at once, others do not
    method = build(
        "frameexit", test_order=order, pooling=pooling, gate=gate, first_step_confidence=confidence
    )
    steps, plain = run(method, videos), PlainFrameExit(method)
    for n, stored in enumerate(_videos_in_double(videos)):
        z = plain.accumulated(stored, plain.visits(videos.ids[n], order, videos.seed))
        values = [plain.exit_value(t, z) for t in range(1, T)]
        fired = [t for t, value in enumerate(values, 1) if value > 0.5]
        assert steps.exit_step[n] == (fired[0] if fired else T)
        np.testing.assert_allclose(steps.exit_values[n, :-1], values, atol=1e-4)
        for t in range(1, T + 1):
            np.testing.assert_allclose(
                steps.scores[n, t - 1], plain.scores(t, z[t - 1]), atol=2e-5, rtol=1e-4
            )
    assert np.isnan(steps.exit_values[:, -1]).all()  # the last step needs no gate
    assert len(set(steps.exit_step.tolist())) > 3


@pytest.mark.parametrize(
    ("order", "pooling", "gate", "multi"),
    [
        *((o, p, "paper", False) for o, p in itertools.product(ORDERS, POOLINGS)),
        ("coarse_to_fine", "max", "released", False),
        ("coarse_to_fine", "average", "released", True),
        ("random", "average", "paper", True),
    ],
)
@pytest.mark.parametrize("beta", [1e-3, 0.3])
def test_both_losses_follow_the_equations(
    build, memory_videos, *, order, pooling, gate, multi, beta
):
    videos = memory_videos(num=12, multi=multi)
    method = build(
        "frameexit", train_order=order, pooling=pooling, gate=gate, beta=beta, multi=multi
    )
    plain = PlainFrameExit(method)
    losses, gate_losses, labels = [], [], []
    for n, stored in enumerate(_videos_in_double(videos)):
        z = plain.accumulated(stored, plain.visits(videos.ids[n], order, videos.seed))
        target = videos.targets[n].numpy()
        for t in range(1, T + 1):
            losses.append(plain.loss_of(t, z[t - 1], target))  # a term of Eq. 4
            labels.append(losses[-1] <= beta * math.exp(t / 2))  # Eq. 6
            value = plain.gate(t, z[t - 2] if t > 1 else None, z[t - 1])
            gate_losses.append(bce(value, labels[-1]))  # a term of Eq. 5
    assert method.loss("classifiers", videos.batch()).item() == pytest.approx(
        np.mean(losses), rel=1e-4
    )
    assert method.loss("gates", videos.batch()).item() == pytest.approx(
        np.mean(gate_losses), rel=1e-4
    )
    if beta == 0.3:
        assert {*labels} == {True, False}


def test_pseudo_labels_at_their_edge(build):
    import methods.frameexit.method as module

    beta = 0.01
    edge = torch.tensor([[beta * math.exp(t / 2) for t in range(1, T + 1)]], dtype=torch.float64)
    assert (module.exit_labels(edge * (1 - 1e-9), beta) == 1).all()
    assert (module.exit_labels(edge * (1 + 1e-9), beta) == 0).all()


def test_the_first_gate_sees_the_first_frame_only(build, run, memory_videos):
    videos, method = memory_videos(num=8), build("frameexit")
    steps, loss = run(method, videos), method.loss("gates", videos.batch())
    with torch.no_grad():
        method.gates.project.weight[0, :, 64:] += 1e3
    again = run(method, videos)
    assert (again.exit_values[:, :-1] == steps.exit_values[:, :-1]).all()
    assert method.loss("gates", videos.batch()) == loss
    with torch.no_grad():
        method.gates.project.weight[1, :, 64:] += 1
    assert (run(method, videos).exit_values[:, 1] != steps.exit_values[:, 1]).any()


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_a_frames_gradient_is_that_of_all_losses_that_saw_it(build, memory_videos, pooling):
    """Eq. 4: the first frame learns from all T classifiers, the last from its own alone."""
    videos, method = memory_videos(num=1), build("frameexit", pooling=pooling)
    videos.features.requires_grad_()
    method.loss("classifiers", videos.batch()).backward()
    plain, stored = PlainFrameExit(method), videos.features.detach().double().numpy()[0]
    visits, target = LISTS["coarse_to_fine"], videos.targets[0].numpy()

    def loss(changed, first=1):
        z = plain.accumulated(changed, visits)
        return sum(plain.loss_of(t, z[t - 1], target) for t in range(first, T + 1)) / T

    for step in (1, 4, T):
        position = CANDIDATES[visits[step - 1]]
        slopes = np.zeros((2, stored.shape[1]))
        for unit, (row, first) in itertools.product(range(stored.shape[1]), ((0, 1), (1, step))):
            more, less = stored.copy(), stored.copy()
            more[position, unit] += 1e-6
            less[position, unit] -= 1e-6
            slopes[row, unit] = (loss(more, first) - loss(less, first)) / 2e-6
        found = videos.features.grad[0, position].numpy()
        np.testing.assert_allclose(found, slopes[0], atol=1e-4)
        np.testing.assert_allclose(slopes[1], slopes[0], atol=1e-8)  # no earlier loss saw it
        assert step > 1 or np.abs(found).max() > 1e-3  # others may hold no maximum
    assert not videos.features.grad[0, 1].any()  # no candidate
