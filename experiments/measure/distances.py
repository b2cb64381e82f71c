"""How far apart are images?  Mean l2 distances, in float64."""

import numpy as np
from numpy.typing import NDArray

BLOCK = 1000  # images against images at a time


def mean_pairwise(points: NDArray[np.floating]) -> float:
    """Returns the mean l2 distance over all pairs of points (n, d), n >= 2.

    >>> mean_pairwise(np.array([[0.0, 0.0], [3.0, 4.0]]))
    5.0
    """
    wide = np.asarray(points, dtype=np.float64)
    first, second = np.triu_indices(len(wide), k=1)
    return float(np.linalg.norm(wide[first] - wide[second], axis=1).mean())


def mean_image_distance(images: NDArray[np.uint8]) -> float:
    """Returns the mean l2 distance over all pairs of different images (n, d) of grey levels.

    Pixels are level/255.  Squared distances are sums of integers and exact in float64; only the
    square roots and their mean are rounded.

    >>> mean_image_distance(np.array([[0, 0], [255, 0], [0, 0]], dtype=np.uint8))
    0.6666666666666666
    """
    wide = images.astype(np.float64)
    squares = np.einsum("ij,ij->i", wide, wide)
    total = 0.0
    for start in range(0, len(wide), BLOCK):
        block = wide[start : start + BLOCK]
        rest = wide[start:]
        table = squares[start : start + BLOCK, None] + squares[None, start:] - 2 * (block @ rest.T)
        roots = np.sqrt(table)
        total += float(roots[:, len(block) :].sum())
        total += float(np.triu(roots[:, : len(block)], k=1).sum())
    return total / (len(wide) * (len(wide) - 1) / 2) / 255


def nearest_label(
    points: NDArray[np.floating], images: NDArray[np.uint8], labels: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Returns label and l2 distance of the nearest of the images (n, d) to each point (k, d)."""
    best = np.full(len(points), np.inf)
    found = np.zeros(len(points), dtype=np.uint8)
    wide = np.asarray(points, dtype=np.float64)
    own = np.einsum("ij,ij->i", wide, wide)
    for start in range(0, len(images), 10 * BLOCK):
        block = images[start : start + 10 * BLOCK].astype(np.float64) / 255
        table = own[:, None] + np.einsum("ij,ij->i", block, block)[None] - 2 * (wide @ block.T)
        place = table.argmin(axis=1)
        least = table[np.arange(len(wide)), place]
        better = least < best
        best = np.where(better, least, best)
        found = np.where(better, labels[start + place], found)
    return found, np.sqrt(best.clip(min=0))


PAIRS = "all pairs of different test images, pixels level/255, squared distances exact"
