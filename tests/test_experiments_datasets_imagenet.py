from pathlib import Path

import numpy as np
import pytest

from experiments.datasets import imagenet
from experiments.datasets.images import Resize, decode_image, list_images
from tests.examples import real_data


def test_the_listing_names_one_image_a_class():
    found = imagenet.samples_sha256()
    assert len(found) == 1000
    assert len({name.partition("_")[0] for name in found}) == 1000
    assert all(len(digest) == 64 for digest in found.values())
    assert list(found) == sorted(found)


def test_classes_by_name():
    paths = [Path("n01440764_tench.jpg"), Path("n15075141_x.png"), Path("n99999999_x.jpg")]
    assert imagenet.labels(paths) == (0, 999, None)
    assert imagenet.class_name(2) == "great white shark"


def test_which_samples():
    names = [Path(name) for name in imagenet.samples_sha256()]
    assert "own names" in imagenet.which_samples(names)
    assert "copies" in imagenet.which_samples([path.with_suffix(".jpg") for path in names])
    assert imagenet.which_samples(names[:3]) == "3 images of a folder"


@pytest.mark.data
def test_the_real_samples():
    paths = list_images(real_data.imagenet_samples())
    assert imagenet.labels(paths) == tuple(range(1000))
    image = decode_image(paths[1])
    assert min(image.shape[:2]) >= 200
    small = Resize(height=224, width=224).apply(image)
    assert np.ptp(small) > 100
