"""What does a record keep of an exact minimum?  Read by processes of exact work: without torch."""

from dataclasses import dataclass
from fractions import Fraction

from experiments.run.proofs import Proof
from polytope import LPResult


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
