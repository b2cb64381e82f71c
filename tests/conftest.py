"""Shared fixtures: seeds, markers, real data where the cache folder holds it."""

import os
import random
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.examples.printed import Golden

if TYPE_CHECKING:
    from experiments.datasets.mnist import Mnist

# One BLAS thread makes float results reproducible, and small products faster.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the option that renews golden files."""
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write tests/golden/ from what the commands print, instead of comparing",
    )


@pytest.fixture(scope="session")
def golden(request: pytest.FixtureRequest) -> Golden:
    """The golden files of what commands print (tests/examples/printed.py)."""
    return Golden(update=request.config.getoption("--update-golden"))


@pytest.fixture(autouse=True)
def _seed_globals() -> None:
    """No test may depend on the order of tests, even where it forgets its own seed."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - the global state is what is being pinned


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips tests marked `gpu` where there is no CUDA device."""
    if item.get_closest_marker("gpu"):
        import torch

        if not torch.cuda.is_available():
            pytest.skip("needs a CUDA device")


@pytest.fixture(scope="session")
def mnist() -> "Mnist":
    """Real MNIST from the cache folder; mark tests that use it `data`."""
    from experiments.datasets.mnist import load_mnist
    from polytope.errors import DownloadError

    try:
        return load_mnist(download=False)
    except DownloadError as problem:
        pytest.skip(f"needs MNIST: {problem}")
