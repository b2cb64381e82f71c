"""What dimension has the set at one position?  Zero where it is the target alone, else within time.

This module starts without torch, as does the process of its own that a dimension is asked in.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.run.limited import in_time
from experiments.run.proofs import Proof, Proofs
from polytope import Certificate, CollisionPolytope, Nonnegative

#: Most time for the dimension of a position's set that is no single point.
DIMENSION_SECONDS = 60.0


@dataclass(frozen=True, eq=False)
class PositionLayer:
    """The layer as one position sees it: weight (N, d), bias (N,) and target (d,), float32."""

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    target: NDArray[np.float32]

    def polytope(self) -> CollisionPolytope:
        """Returns the target's set at x >= 0."""
        return CollisionPolytope.from_layer(
            self.weight, self.bias, self.target, domain=Nonnegative()
        )


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """A dimension with its proof, or why there is none."""

    value: int | None
    reason: str
    proof: Proof | None


@dataclass(frozen=True)
class _Given:
    layer: PositionLayer
    folder: Path
    name: str


def limited_dimension(
    polytope: CollisionPolytope, layer: PositionLayer, folder: Path, name: str
) -> Dimension:
    """Returns the dimension of a position's set, its certificate kept.

    Args:
        polytope: of the layer.
        layer: of the position.
        folder: the run folder.
        name: of the certificate, before "-single" or "-dimension".
    """
    single = only_point(polytope)
    if single is not None:
        proof = Proofs(folder).keep(f"{name}-single", single)
        return Dimension(value=0, reason="", proof=proof)
    found = in_time(_dimension, _Given(layer, folder, name), seconds=DIMENSION_SECONDS)
    return next(iter(found.items), Dimension(value=None, reason=found.reason, proof=None))


def _dimension(given: _Given) -> Iterator[Dimension]:
    """The dimension, in a process of its own: some programs want thousands of exact pivots."""
    found = given.layer.polytope().dimension()
    proof = Proofs(given.folder).keep(f"{given.name}-dimension", found.certificate)
    yield Dimension(value=found.value, reason=found.reason, proof=proof)


def only_point(polytope: CollisionPolytope) -> Certificate | None:
    """Returns the proof that the target at x >= 0 collides with itself only; None without one.

    Let Z be the target's zeros.  If the sum over Z has the maximum 0 over the set, every x of the
    set is 0 on Z.  If the target attains it as a vertex, d constraints tight there have rank d:
    equalities, bounds of Z, and ties, of which there must be none.  All of them are tight at x as
    well, so x is the target.  Solving this program takes far fewer pivots than the dimension.
    """
    target = polytope.layer.target_vector
    if target is None or polytope.ties:
        return None
    found = polytope.minimize([0 if value else -1 for value in target.numerators])
    at_target = found.point is not None and list(found.point) == list(target)
    return found.certificate if found.value == 0 and found.is_vertex and at_target else None
