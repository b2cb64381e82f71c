"""Which small data?  scikit-learn's digits on their leading components, or two moons.

The 1,797 images of 8 x 8 pixels (UCI, "Optical Recognition of Handwritten Digits") come with
scikit-learn, an optional extra.  The moons are drawn here, by numpy.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polytope.errors import InputError
from polytope.files import sha256_bytes

SETS = ("digits", "moons")
MOST_DIMENSIONS = 10
#: Share of the points that train; the others, the last ones, test.
_TRAINING = 0.8
_GREY = 16  # levels of scikit-learn's digits
_MOONS, _NOISE = 1_000, 0.1


@dataclass(frozen=True, eq=False)
class SmallData:
    """Points with labels in few dimensions.

    Attributes:
        name: of `SETS`.
        points: (n, d) float32; the network's inputs, which are taken exactly as they are.
        labels: (n,) int64.
        n_train: the first so many train, the others test.
        basis: (pixels, d) float64 orthonormal columns, of which the points are coordinates around
            `mean`; None for points that are no images.
        mean: (pixels,) float64, or None.
        variance: share of the training images' variance that the coordinates keep.
        sha256: of points and labels.
    """

    name: str
    points: NDArray[np.float32]
    labels: NDArray[np.int64]
    n_train: int
    basis: NDArray[np.float64] | None
    mean: NDArray[np.float64] | None
    variance: float
    sha256: str

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return int(self.labels.max()) + 1

    @property
    def test_points(self) -> NDArray[np.float32]:
        """Test points (n_test, d)."""
        return self.points[self.n_train :]

    @property
    def test_labels(self) -> NDArray[np.int64]:
        """Labels (n_test,) of the test points."""
        return self.labels[self.n_train :]

    def bounds(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Returns the least and largest value (d,) of every coordinate over all points."""
        return self.points.min(axis=0), self.points.max(axis=0)

    def images(self, points: NDArray[np.floating]) -> NDArray[np.float64] | None:
        """Returns the images (n, pixels) that points (n, d) stand for; None where there are none.

        Pixels are not cut off at black and white.
        """
        if self.basis is None or self.mean is None:
            return None
        return np.asarray(points @ self.basis.T + self.mean)


def load_small(name: str, *, dimension: int, seed: int) -> SmallData:
    """Returns a data set.

    Args:
        name: of `SETS`.
        dimension: d, the leading principal components of the training images that are kept; 2 for
            the moons.
        seed: of the moons.

    Raises:
        InputError: another name, a dimension that the set does not have, or "digits" without
            scikit-learn.
    """
    if name == "digits":
        return _digits(dimension)
    if name == "moons":
        return _moons(dimension, seed)
    raise InputError(f"set: expected one of {', '.join(SETS)}, got {name!r}")


def _digits(dimension: int) -> SmallData:
    if not 2 <= dimension <= MOST_DIMENSIONS:
        raise InputError(f"dimension: expected 2 to {MOST_DIMENSIONS}, got {dimension}")
    try:
        from sklearn.datasets import load_digits
    except ImportError as problem:
        raise InputError(
            "set: the digits come with scikit-learn, which is not installed: "
            "pip install 'collision-polytopes[digits]', or take --set moons"
        ) from problem
    images, labels = load_digits(return_X_y=True)
    images = images / _GREY
    n_train = int(_TRAINING * len(images))
    mean = images[:n_train].mean(axis=0)
    _, values, rows = np.linalg.svd(images[:n_train] - mean, full_matrices=False)
    basis = rows[:dimension].T
    # The sign of a component is arbitrary: its largest entry is made positive.
    largest = np.abs(basis).argmax(axis=0)
    basis = basis * np.sign(basis[largest, range(dimension)])
    points = ((images - mean) @ basis).astype(np.float32)
    kept = float((values[:dimension] ** 2).sum() / (values**2).sum())
    return _data(
        "digits",
        points,
        labels.astype(np.int64),
        n_train=n_train,
        basis=basis,
        mean=mean,
        variance=kept,
    )


def _moons(dimension: int, seed: int) -> SmallData:
    """Two interleaved half circles with noise."""
    if dimension != 2:
        raise InputError(f"dimension: expected 2 for the moons, got {dimension}")
    rng = np.random.default_rng(seed)
    angle, labels = rng.uniform(0, np.pi, _MOONS), rng.integers(0, 2, _MOONS)
    upper = np.column_stack([np.cos(angle), np.sin(angle)])
    points = np.where(labels[:, None] == 0, upper, [1, 0.5] - upper)
    points = (points + _NOISE * rng.standard_normal(points.shape)).astype(np.float32)
    return _data("moons", points, labels, n_train=int(_TRAINING * _MOONS))


def _data(
    name: str,
    points: NDArray[np.float32],
    labels: NDArray[np.int64],
    *,
    n_train: int,
    basis: NDArray[np.float64] | None = None,
    mean: NDArray[np.float64] | None = None,
    variance: float = 1.0,
) -> SmallData:
    return SmallData(
        name=name,
        points=points,
        labels=labels,
        n_train=n_train,
        basis=basis,
        mean=mean,
        variance=variance,
        sha256=sha256_bytes(points.tobytes() + labels.tobytes()),
    )
