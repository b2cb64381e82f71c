"""Where does real data lie that no test may demand?  Beside the checkout, or in the cache."""

from pathlib import Path

import pytest

from experiments.datasets.pinned import data_root

BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data"


def imagenet_samples() -> Path:
    """Returns the folder of the thousand ImageNet samples, or skips the test."""
    return _found("imagenet-samples")


def squeezenet_npz() -> Path:
    """Returns SqueezeNet's decoded weights, or skips the test."""
    return _found("squeezenet-v1.0-imagenet.npz")


def _found(name: str) -> Path:
    places = (BESIDE / name, data_root() / name)
    for place in places:
        if place.exists():
            return place
    pytest.skip(f"needs {name}, which lies neither in {BESIDE} nor in the cache {data_root()}")
