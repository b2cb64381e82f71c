"""What does an image look like?  Its nearest training images vote, and a network trained apart."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

NEIGHBOURS = 5
_BLOCK = 5_000  # training images at a time: 30 MB in float64


@dataclass(frozen=True, kw_only=True)
class Look:
    """What one image looks like.

    Attributes:
        neighbours: label that most of the five nearest training images (l2) have; of labels that
            are tied, the one whose image is nearest.
        convolutional: class by a convolutional network trained apart.
        network: class by the network in question.
    """

    neighbours: int
    convolutional: int
    network: int


def neighbour_votes(
    points: NDArray[np.floating], images: NDArray[np.uint8], labels: NDArray[np.uint8]
) -> NDArray[np.int64]:
    """Returns the vote of the nearest of the images (n, d), grey levels, for each point (k, d)."""
    wide = np.asarray(points, dtype=np.float64)
    best = np.full((len(wide), NEIGHBOURS), np.inf)
    found = np.zeros((len(wide), NEIGHBOURS), dtype=np.int64)
    for start in range(0, len(images), _BLOCK):
        block = images[start : start + _BLOCK].astype(np.float64) / 255
        # The squared distance, less the point's own length, which orders nothing.
        table = np.einsum("ij,ij->i", block, block)[None] - 2 * (wide @ block.T)
        table = np.concatenate([best, table], axis=1)
        more = np.broadcast_to(labels[start : start + _BLOCK], (len(wide), len(block)))
        known = np.concatenate([found, more], axis=1)
        order = np.argsort(table, axis=1, kind="stable")[:, :NEIGHBOURS]
        best, found = (np.take_along_axis(each, order, axis=1) for each in (table, known))
    return np.array([_vote(row) for row in found])


def _vote(labels: NDArray[np.int64]) -> int:
    """The most frequent label; of several, the one that comes first."""
    counts = [(labels == label).sum() for label in labels]
    return int(labels[int(np.argmax(counts))])


def classes(
    model: nn.Module, points: NDArray[np.floating], shape: tuple[int, ...]
) -> NDArray[np.int64]:
    """Returns a network's class of each point (k, d), rounded to float32."""
    with torch.no_grad():
        flat = torch.from_numpy(np.asarray(points, dtype=np.float32))
        found: NDArray[np.int64] = model(flat.reshape(-1, *shape)).argmax(dim=1).numpy()
    return found
