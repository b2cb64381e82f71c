"""Which images a run takes, and which two of them are to collide."""

from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from experiments.datasets.images import Resize
from experiments.images.pictures import load_pictures
from experiments.run.progress import Progress
from polytope.errors import InputError

NAMES = ("a", "b", "n01443537_goldfish", "other")


@dataclass(frozen=True)
class Pair:
    target: str = "goldfish"
    start: str = "other"
    from_target: bool = False


@pytest.fixture
def folder(tmp_path):
    """Four images of one colour each: 10, 20, 30, 40 in red."""
    for number, name in enumerate(NAMES, start=1):
        levels = np.zeros((4, 4, 3), np.uint8)
        levels[..., 0] = 10 * number
        Image.fromarray(levels).save(tmp_path / f"{name}.png")
    return tmp_path


def load(folder, pair=None, **more):
    resize = Resize(height=2, width=3)
    return load_pictures(folder, pair or Pair(), resize, Progress(quiet=True), **more)


def test_the_pair_is_found_and_turned_to_what_the_network_takes(folder):
    found = load(folder)
    assert found.title == "4 images of a folder, squashed to 2 x 3, bilinear"
    assert found.pixels.shape == (4, 2, 3, 3)
    assert found.labels == (None, None, 1, None)
    assert (found.target.name, found.target.label) == ("n01443537_goldfish.png", 1)
    assert found.target.pixels.shape == (3, 2, 3)
    assert found.target.pixels.dtype == np.float32
    assert found.target.pixels[0].tolist() == [[30] * 3] * 2
    assert found.target.pixels[1:].max() == 0
    assert {name: each.name for name, each in found.starts.items()} == {"other": "other.png"}


def test_a_limit_keeps_the_pair(folder):
    found = load(folder, limit=1)
    assert found.pixels[:, 0, 0, 0].tolist() == [10, 30, 40]
    assert found.starts["other"].pixels[0, 0, 0] == 40
    assert found.sha256 != load(folder).sha256


def test_classes_that_are_not_the_networks_are_left_out(folder):
    found = load(folder, labelled=False)
    assert (found.labels, found.target.label) == ((None,) * 4, None)


def test_a_target_that_is_a_start_as_well(folder):
    found = load(folder, Pair(from_target=True))
    assert list(found.starts) == ["target", "other"]
    assert found.starts["target"] is found.target
    with pytest.raises(InputError, match=r"start: expected another image than the target, got a\."):
        load(folder, Pair("a", "a"))
    assert list(load(folder, Pair("a", "a", from_target=True)).starts) == ["target", "other"]
