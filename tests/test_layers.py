"""Both losses on both kinds of labels, against their closed forms."""

import numpy as np
import pytest
import torch

from benchmark.contract import Task
from benchmark.layers import classification_loss, probabilities

LOGITS = torch.tensor([[[1.0, -2.0, 0.5], [0.0, 3.0, -1.0]], [[2.0, 0.0, 1.0], [-1.0, 1.0, 1.5]]])
ONE, SEVERAL = torch.tensor([2, 0]), torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])


def _softmax(x):
    return np.exp(x) / np.exp(x).sum(-1, keepdims=True)


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("targets", [ONE, SEVERAL], ids=["one", "several"])
@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy"])
def test_losses_have_their_closed_forms(loss, targets):
    logits = LOGITS.numpy().astype(np.float64)
    hot = np.eye(3)[ONE.numpy()] if targets.ndim == 1 else targets.numpy()
    hot = hot[:, None]
    if loss == "cross_entropy":  # each label of a video has an equal share
        expected = -(hot / hot.sum(-1, keepdims=True) * np.log(_softmax(logits))).sum(-1)
    else:
        yes = _sigmoid(logits)
        expected = -(hot * np.log(yes) + (1 - hot) * np.log(1 - yes)).mean(-1)
    np.testing.assert_allclose(classification_loss(LOGITS, targets, loss), expected, rtol=1e-5)


def test_one_label_costs_the_same_however_it_is_written():
    hot = torch.eye(3)[ONE]
    for loss in ("cross_entropy", "binary_cross_entropy"):
        one, several = (classification_loss(LOGITS, t, loss) for t in (ONE, hot))
        torch.testing.assert_close(one, several)


def test_scores_follow_the_loss():
    logits = LOGITS.numpy()
    np.testing.assert_allclose(probabilities(LOGITS, "cross_entropy"), _softmax(logits), rtol=1e-5)
    np.testing.assert_allclose(
        probabilities(LOGITS, "binary_cross_entropy"), _sigmoid(logits), rtol=1e-5
    )


@pytest.mark.parametrize(
    ("multi", "stated", "loss"),
    [
        (False, None, "cross_entropy"),
        (True, None, "binary_cross_entropy"),
        (True, "cross_entropy", "cross_entropy"),
        (False, "binary_cross_entropy", "binary_cross_entropy"),
    ],
)
def test_a_task_has_the_loss_of_its_labels_unless_the_profile_names_one(multi, stated, loss):
    assert Task(("a", "b"), multi, 4, 8, stated_loss=stated).loss == loss
