"""Which pixels mean nothing?  Those that training never, or hardly ever, lights."""

import numpy as np
from numpy.typing import NDArray

RARE = 0.01  # of the training images


def lit_fraction(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Returns, for each pixel (d,), the fraction of the images (n, d) in which it is not 0."""
    share: NDArray[np.float64] = np.count_nonzero(images, axis=0) / len(images)
    return share


def control_masks(images: NDArray[np.uint8]) -> dict[str, NDArray[np.bool_]]:
    """Returns the pixels (d,) held fixed in each control: "never" lit, "rarely" lit.

    >>> masks = control_masks(np.array([[0, 1], [0, 0]], dtype=np.uint8))
    >>> masks["never"].tolist(), masks["rarely"].tolist()
    ([True, False], [True, False])
    """
    share = lit_fraction(images)
    return {"never": share == 0, "rarely": share < RARE}
