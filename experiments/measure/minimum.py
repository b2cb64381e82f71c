"""What does a record keep of an exact minimum?  Read by processes of exact work: without torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from experiments.run.proofs import Proof, Proofs
from polytope import LPResult, LPStatus


@dataclass(frozen=True, kw_only=True)
class Minimum:
    """The exact minimum of a unit's pre-activation over a set.

    Attributes:
        unit: the unit.
        status: "optimal", "unbounded", "empty" or "undecided".
        value: of the minimum.
        is_vertex: whether the minimiser was proved a vertex.
        reason: why it is undecided.
        certificate: of the minimum.
    """

    unit: int
    status: str
    value: Fraction | None
    is_vertex: bool
    reason: str
    certificate: Proof | None

    @classmethod
    def of(cls, unit: int, result: LPResult, certificate: Proof | None) -> "Minimum":
        """What a record keeps of a result whose certificate was kept."""
        return cls(
            unit=unit,
            status=result.status.name.lower(),
            value=result.value,
            is_vertex=result.is_vertex,
            reason=result.reason,
            certificate=certificate,
        )


def solved(results: Mapping[int, LPResult]) -> dict[int, NDArray[np.float64]]:
    """Returns unit -> minimiser rounded to float64 (d,), for the units that were proved."""
    return {
        unit: result.point_float()
        for unit, result in results.items()
        if result.status is LPStatus.OPTIMAL
    }


def minima(results: Mapping[int, LPResult], proofs: Proofs, name: str) -> tuple[Minimum, ...]:
    """Returns what a record keeps of the minima of units, certificates kept under "NAME-UNIT"."""
    return tuple(
        Minimum.of(unit, result, proofs.keep(f"{name}-{unit}", result.certificate))
        for unit, result in results.items()
    )
