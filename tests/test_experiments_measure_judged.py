import numpy as np
import pytest
import torch

from experiments.measure.judged import Aim, ball, judge_entered, judge_images
from experiments.measure.probe import Probe
from tests.examples.colours import RED, Bright, colour


@pytest.fixture
def probe():
    return Probe(Bright(), "layer", batch=3)


@pytest.fixture
def aim(probe):
    return Aim.of(probe.look(RED[None]))


def test_the_aim_and_its_errors(aim):
    assert (aim.first, aim.second) == (0, 1)
    assert aim.active.tolist() == [True, False]
    off, positive = aim.errors(torch.tensor([[0.25, 0.125], [0.5, -7.0]]))
    assert off.tolist() == [0.25, 0.0]
    assert positive.tolist() == [0.125, 0.0]


def test_combinations_inside_the_set_all_succeed_and_miss_nothing(probe, aim):
    vertices = torch.stack([colour(255, 0), colour(255, 100), colour(255, 120)])
    found = judge_images(probe, aim, vertices, samples=8, seed=0)
    for scheme in ("uniform", "stick"):
        one = found[scheme]
        assert (one.samples, one.success, one.second_class) == (8, 1.0, 0.0)
        assert one.worst_active < 1e-6
        assert one.worst_inactive == 0
        wanted = 1 / (1 + np.exp(-2))  # logits 2 and 0
        assert one.winner_confidence == pytest.approx(wanted, rel=1e-6)
        assert one.target_class_confidence == one.winner_confidence


def test_winner_and_target_class_differ_where_another_class_wins(probe, aim):
    vertices = torch.stack([colour(0, 255), colour(10, 255)])
    one = judge_images(probe, aim, vertices, samples=4, seed=0)["uniform"]
    assert (one.success, one.second_class) == (0.0, 1.0)
    assert one.winner_confidence == pytest.approx(1 - one.target_class_confidence)
    assert one.worst_active == pytest.approx(1.0, abs=0.05)  # -0.5 instead of 0.5
    assert one.worst_inactive == pytest.approx(0.5)


def test_the_layers_space_uses_the_same_weights(probe, aim):
    vertices = torch.stack([colour(255, 0), colour(0, 255)])
    entered = probe.look(vertices).entered
    # The layer reads means, so here both spaces are one up to rounding.
    pixels = judge_images(probe, aim, vertices, samples=50, seed=3)
    layer = judge_entered(probe, aim, entered, samples=50, seed=3)
    for scheme in ("uniform", "stick"):
        assert vars(layer[scheme]) == pytest.approx(vars(pixels[scheme]), abs=1e-6)


def test_the_ball_has_the_least_distance_as_radius_and_its_points_lie_on_it(probe, aim):
    vertices = torch.stack([colour(200, 0), colour(240, 0), colour(250, 0)])
    met = []
    images = probe.images
    probe.images = lambda points: met.append(points) or images(points)
    found = ball(probe, aim, vertices, samples=7, seed=1)
    assert found.radius == pytest.approx(10 * 2)  # the mean is 230, four pixels
    points = torch.cat(met)
    assert len(points) == found.samples == 7
    distance = (points.double() - colour(230, 0)).flatten(1).norm(dim=1)
    np.testing.assert_allclose(distance.numpy(), 20, rtol=1e-6)
    assert float(points.min()) < 0  # nothing is clipped
