import numpy as np
import pytest
import torch

from experiments.measure.sampling import Verdict, classify, judge, probabilities, weights


class Linear(torch.nn.Module):
    """Logits are the inputs."""

    def forward(self, x):
        return x


@pytest.mark.parametrize("scheme", ["uniform", "stick"])
def test_weights_are_convex_and_seeded(scheme):
    drawn = weights(scheme, samples=500, points=5, seed=1)
    assert drawn.shape == (500, 5)
    assert (drawn >= 0).all()
    assert drawn.sum(axis=1) == pytest.approx(np.ones(500))
    assert (drawn == weights(scheme, samples=500, points=5, seed=1)).all()
    assert (drawn != weights(scheme, samples=500, points=5, seed=2)).any()


def test_the_schemes_have_their_means():
    uniform = weights("uniform", samples=20_000, points=5, seed=0).mean(axis=0)
    assert uniform == pytest.approx(np.full(5, 0.2), abs=0.01)
    stick = weights("stick", samples=20_000, points=5, seed=0).mean(axis=0)
    assert stick == pytest.approx([1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 16], abs=0.01)


def test_probabilities_and_classes():
    points = np.array([[0.0, 0.0], [0.0, np.log(3)]])
    assert probabilities(Linear(), points) == pytest.approx(np.array([[0.5, 0.5], [0.25, 0.75]]))
    assert classify(Linear(), points)[1] == Verdict(winner=1, confidence=pytest.approx(0.75))


def test_success_is_the_share_in_the_wanted_class():
    # Between (1, 0) and (0, 1) the class is 0 exactly where the first weight is the larger.
    vertices = np.array([[1.0, 0.0], [0.0, 1.0]])
    found = judge(Linear(), vertices, 0, samples=4000, seed=3)["uniform"]
    assert found.success == pytest.approx(0.5, abs=0.03)
    assert found.winner_confidence > 0.5 > found.target_class_confidence - 0.02
    everywhere = judge(Linear(), vertices[[0, 0]], 0, samples=10, seed=3)["stick"]
    assert everywhere.success == 1
    assert everywhere.target_class_confidence == pytest.approx(1 / (1 + np.exp(-1)))
