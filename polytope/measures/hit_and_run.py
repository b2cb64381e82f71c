"""How is a convex set sampled that nobody has listed?  Hit-and-run after rounding (Smith 1984).

From a point inside, the next is uniform on the chord in a random direction.  In coordinates in
which an inscribed ellipsoid is the unit ball, the walk forgets its start in about k^2 steps (Lovasz
1999 proves k^3 up to logarithms); many walks take turns at one matrix product.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

#: Walks side by side; more samples than walks are taken from the same walks, thinned.
_WALKS = 1024
#: The products with all rows are formed afresh after this many steps, against drift.
_REFRESH = 64
#: A slack that rounding made zero or less: the walk stays where it is or turns back.
_TINY = 1e-300


def default_burn_in(k: int) -> int:
    """Steps after which a walk in dimension k has forgotten its start."""
    return 100 + 10 * k * k


def default_thinning(k: int) -> int:
    """Steps between two samples of one walk in dimension k."""
    return 20 + 2 * k * k


class Sides(NamedTuple):
    """The set ``{z : normals z <= rhs}``: (m, k) and (m,)."""

    normals: np.ndarray
    rhs: np.ndarray


def walk(
    n: int,
    rows: Sides,
    *,
    rng: np.random.Generator,
    burn_in: int,
    thinning: int,
) -> np.ndarray:
    """Return n points (n, k) of a set that contains the unit ball.

    Each walk starts at a uniform point of the ball; up to 1,024 samples are ends of different
    walks, so independent.

    Args:
        n: how many points.
        rows: the set.
        rng: source of randomness.
        burn_in: steps before the first sample of a walk.
        thinning: steps between two samples of a walk.
    """
    normals, rhs = rows
    k = normals.shape[1]
    walks = min(n, _WALKS)
    z = rng.normal(size=(walks, k))
    z *= rng.random((walks, 1)) ** (1 / k) / np.linalg.norm(z, axis=1, keepdims=True)
    # The proposal of the ball is a float's: a point outside starts at the centre.
    z[(z @ normals.T > rhs).any(axis=1)] = 0.0
    out = []
    for turn in range(-(-n // walks)):
        _advance_inplace(z, rows, rng, burn_in if turn == 0 else thinning)
        out.append(z.copy())
    return np.concatenate(out)[:n]


def _advance_inplace(z: np.ndarray, rows: Sides, rng: np.random.Generator, steps: int) -> None:
    normals, rhs = rows
    for step in range(steps):
        if step % _REFRESH == 0:
            slack = rhs - z @ normals.T
        direction = rng.normal(size=z.shape)
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        slope = direction @ normals.T
        # 1 / reach along each row; the chord ends at the largest on either side.
        with np.errstate(over="ignore"):
            rates = slope / np.maximum(slack, _TINY)
        forward, backward = 1 / rates.max(axis=1), 1 / rates.min(axis=1)
        length = backward + rng.random(len(z)) * (forward - backward)
        z += length[:, None] * direction
        slack -= length[:, None] * slope
