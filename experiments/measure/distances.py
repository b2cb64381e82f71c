"""How far apart are images?  Mean l2 distances, in float64."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polytope.errors import InputError

BLOCK = 10_000  # images against points at a time
_IMAGES = 2000  # images against images at a time
_FEATURES = 8192  # columns a product; 1,000 images of them are 66 MB in float64


def mean_pairwise(points: NDArray[np.floating]) -> float:
    """Returns the mean l2 distance over all pairs of points (n, d), n >= 2.

    >>> mean_pairwise(np.array([[0.0, 0.0], [3.0, 4.0]]))
    5.0
    """
    wide = np.asarray(points, dtype=np.float64)
    first, second = np.triu_indices(len(wide), k=1)
    return float(np.linalg.norm(wide[first] - wide[second], axis=1).mean())


def mean_image_distance(images: NDArray[np.uint8]) -> float:
    """Returns `mean_distance` of images (n, d) whose pixels are level/255.

    >>> mean_image_distance(np.array([[0, 0], [255, 0], [0, 0]], dtype=np.uint8))
    0.6666666666666666
    """
    return mean_distance(images) / 255


def mean_distance(images: NDArray[np.uint8]) -> float:
    """Returns the mean l2 distance over all pairs of different images (n, ...) in grey levels.

    The paper's "mean pairwise distance between images".  Squared distances are sums of integers
    below 2**53 and exact in float64; only the roots and their mean are rounded.  Time n**2 d.

    Raises:
        InputError: fewer than two images.

    >>> mean_distance(np.array([[0, 0], [3, 4], [0, 0]], dtype=np.uint8))
    3.3333333333333335
    """
    flat = images.reshape(len(images), -1)
    if len(flat) < 2:
        raise InputError(f"images: expected at least two for a mean distance, got {len(flat)}")
    sums = []
    for first in range(0, len(flat), _IMAGES):
        for second in range(first, len(flat), _IMAGES):
            left = flat[first : first + _IMAGES]
            right = left if first == second else flat[second : second + _IMAGES]
            roots = _distances(left, right)
            sums.append(float((np.triu(roots, k=1) if left is right else roots).sum()))
    return math.fsum(sums) / (len(flat) * (len(flat) - 1) / 2)


def _distances(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> NDArray[np.float64]:
    """All distances (m, n) between two blocks of images (m, d) and (n, d)."""
    products = np.zeros((len(left), len(right)))
    squares = np.zeros(len(left)), np.zeros(len(right))
    for start in range(0, left.shape[1], _FEATURES):
        one = left[:, start : start + _FEATURES].astype(np.float64)
        # The same array twice halves the work: numpy then calls syrk.
        two = one if left is right else right[:, start : start + _FEATURES].astype(np.float64)
        products += one @ two.T
        for total, block in zip(squares, (one, two), strict=True):
            total += np.einsum("ij,ij->i", block, block)
    return np.asarray(np.sqrt(squares[0][:, None] + squares[1][None] - 2 * products))


def nearest_label(
    points: NDArray[np.floating], images: NDArray[np.uint8], labels: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Returns label and l2 distance of the nearest of the images (n, d) to each point (k, d)."""
    best = np.full(len(points), np.inf)
    found = np.zeros(len(points), dtype=np.uint8)
    wide = np.asarray(points, dtype=np.float64)
    own = np.einsum("ij,ij->i", wide, wide)
    for start in range(0, len(images), BLOCK):
        block = images[start : start + BLOCK].astype(np.float64) / 255
        table = own[:, None] + np.einsum("ij,ij->i", block, block)[None] - 2 * (wide @ block.T)
        place = table.argmin(axis=1)
        least = table[np.arange(len(wide)), place]
        better = least < best
        best = np.where(better, least, best)
        found = np.where(better, labels[start + place], found)
    return found, np.sqrt(best.clip(min=0))


@dataclass(frozen=True, kw_only=True)
class ImageDistance:
    """The mean l2 distance of images, and over how many pairs of which."""

    mean_distance: float
    pairs: int
    which: str


def image_distance(images: NDArray[np.uint8]) -> ImageDistance:
    """Returns the mean l2 distance of test images (n, d) of grey levels, pixels level/255."""
    return ImageDistance(
        mean_distance=mean_image_distance(images),
        pairs=len(images) * (len(images) - 1) // 2,
        which="all pairs of different test images, pixels level/255, squared distances exact",
    )


@dataclass(frozen=True, kw_only=True)
class Distances:
    """How far some points are apart, in one space.

    Attributes:
        distance: mean l2 over their pairs.
        from_target: of each, l2.
        ratio: of the first to the distance of test images.
    """

    distance: float
    from_target: tuple[float, ...]
    ratio: float

    @classmethod
    def of(
        cls, points: NDArray[np.float64], target: NDArray[np.floating], images: float
    ) -> "Distances":
        """Those of two points (k, d) or more, beside the distance of images."""
        away = np.linalg.norm(points - np.asarray(target, dtype=np.float64), axis=1)
        distance = mean_pairwise(points)
        return cls(distance=distance, from_target=tuple(away.tolist()), ratio=distance / images)


@dataclass(frozen=True, kw_only=True)
class Move:
    """How far one point is from another."""

    l2: float
    linf: float

    @classmethod
    def between(cls, a: NDArray[np.floating], b: NDArray[np.floating]) -> "Move":
        """The lengths of a - b, in float64."""
        move = np.asarray(a, dtype=np.float64) - b
        return cls(l2=float(np.linalg.norm(move)), linf=float(np.abs(move).max()))
