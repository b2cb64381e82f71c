from itertools import combinations

import numpy as np
import pytest

from experiments.measure import distances
from experiments.measure.distances import (
    mean_distance,
    mean_image_distance,
    mean_pairwise,
    nearest_label,
)
from polytope.errors import InputError


def images(count, seed=4):
    return np.random.default_rng(seed).integers(0, 256, (count, 20), dtype=np.uint8)


def test_mean_pairwise_against_the_definition():
    points = np.random.default_rng(0).random((6, 9))
    expected = np.mean([np.linalg.norm(a - b) for a, b in combinations(points, 2)])
    assert mean_pairwise(points) == pytest.approx(expected)


@pytest.mark.parametrize("count", [2, 6, 7, 13])
def test_mean_image_distance_by_blocks_against_the_definition(count, monkeypatch):
    monkeypatch.setattr(distances, "_IMAGES", 6)
    found = images(count)
    pairs = combinations(found.astype(float) / 255, 2)
    expected = np.mean([np.linalg.norm(a - b) for a, b in pairs])
    assert mean_image_distance(found) == pytest.approx(expected, rel=1e-12)


def test_mean_distance_against_the_definition(monkeypatch):
    points = np.random.default_rng(1).integers(0, 256, (13, 5, 4, 3), dtype=np.uint8)
    wide = points.reshape(13, -1).astype(float)
    expected = np.mean([np.linalg.norm(a - b) for a, b in combinations(wide, 2)])
    assert mean_distance(points) == pytest.approx(expected, rel=1e-14)
    monkeypatch.setattr(distances, "_FEATURES", 7)
    monkeypatch.setattr(distances, "_IMAGES", 4)
    assert mean_distance(points) == pytest.approx(expected, rel=1e-14)
    with pytest.raises(InputError, match="at least two for a mean distance, got 1"):
        mean_distance(points[:1])


def test_nearest_label_across_blocks(monkeypatch):
    monkeypatch.setattr(distances, "BLOCK", 1)
    known = images(25)
    labels = np.arange(25, dtype=np.uint8)
    points = known[[3, 24, 11]] / 255 + 1e-4
    label, distance = nearest_label(points, known, labels)
    assert label.tolist() == [3, 24, 11]
    assert distance == pytest.approx(np.full(3, 1e-4 * np.sqrt(20)), rel=1e-6)
