import numpy as np
import pytest
import torch

from experiments.images.measures import Accuracy, accuracy, describe_vertices, spread
from experiments.measure.judged import Aim
from experiments.measure.probe import Probe, Seen
from tests.examples.colours import RED, Bright, colour


@pytest.fixture
def probe():
    return Probe(Bright(), "layer", batch=3)


@pytest.fixture
def aim(probe):
    return Aim.of(probe.look(RED[None]))


def test_describing_vertices(probe, aim):
    seen = probe.look(torch.stack([colour(255, 51), colour(0, 255)]))
    first, second = describe_vertices(seen, aim, (1, 1))
    assert (first.winner, second.winner) == (0, 1)
    assert first.pre_activation == pytest.approx(-0.3)
    assert first.worst_active == 0
    assert second.worst_active == pytest.approx(1.0)
    assert second.worst_inactive == pytest.approx(0.5)


def test_distances_of_vertices():
    points = torch.stack([colour(0, 0), colour(3, 4)])
    found = spread(points, points[0].numpy(), points[1].numpy(), images=100.0)
    assert found.distance == pytest.approx(10.0)  # 5 at each of four pixels
    assert found.ratio == pytest.approx(0.1)
    assert found.from_target == pytest.approx([0, 10])
    assert found.from_start == pytest.approx([10, 0])
    assert found.from_mean == pytest.approx([5, 5])
    assert spread(points, points[0].numpy(), points[1].numpy(), images=None).ratio is None


def test_accuracy_counts_labelled_images_only():
    table = {0: [0.5, 0.3, 0.1, 0.06, 0.03, 0.01], 1: [0.01, 0.03, 0.06, 0.1, 0.3, 0.5]}

    class Fixed:
        batch = 2

        def images(self, points):
            rows = [table[int(point[0, 0, 0])] for point in points]
            yield Seen(None, torch.zeros(len(rows), 1), torch.tensor(rows))

    images = np.zeros((4, 1, 1, 3), np.uint8)
    images[:, 0, 0, 0] = [0, 1, 1, 0]
    found = accuracy(Fixed(), images, [0, 0, 1, None])
    assert found == Accuracy(images=3, top1=1 / 3, top5=2 / 3)
    assert accuracy(Fixed(), images, [None] * 4).top1 is None
