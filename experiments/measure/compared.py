"""How far is one point from an exact set, and from the exact minimum of its unit?"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from experiments.measure.minimum import Minimum
from experiments.measure.search import finite
from experiments.run.proofs import Proof, Proofs
from optimize import VertexComparison
from polytope import CollisionPolytope
from polytope.exact.rational import nearest_float


@dataclass(frozen=True, kw_only=True)
class Missed:
    """How far a point misses the rows of a set, exactly.

    Attributes:
        unit: the unit that it was to push down.
        found_value: the unit's pre-activation.
        worst_equality: largest |w_j x + b_j - z_j| over the active units.
        worst_inactive: largest positive pre-activation of an inactive unit, 0 if none.
        worst_domain: how far the point leaves the domain.
        smallest_tolerance: the least tolerance at which it collides, but for the domain.
    """

    unit: int
    found_value: Fraction
    worst_equality: Fraction
    worst_inactive: Fraction
    worst_domain: Fraction
    smallest_tolerance: Fraction


@dataclass(frozen=True, kw_only=True)
class Placed(Missed):
    """The same, and which rows it meets.

    Attributes:
        n_tight: constraints that hold with equality.
        is_vertex: whether it is a vertex of the set.
    """

    n_tight: int
    is_vertex: bool


@dataclass(frozen=True, kw_only=True)
class Compared(Placed):
    """The same beside the unit's exact minimum, and how far the point is from the set.

    Attributes:
        exact_value: the minimum; None without one.
        gap: found value less the minimum.
        relative_gap: |gap| / |minimum|; None without one or beyond the floats.
        distance_linf: to the set in the largest coordinate; None where it was not proved.
        distance_certificate: of that distance.
    """

    exact_value: Fraction | None
    gap: Fraction | None
    relative_gap: float | None
    distance_linf: Fraction | None
    distance_certificate: Proof | None


def miss(polytope: CollisionPolytope, point: Any, unit: int) -> Missed:
    """Holds a point (d,) against the rows of a set, in exact arithmetic."""
    found = polytope.residuals(point)
    return Missed(
        unit=unit,
        found_value=found.pre_activation[unit],
        worst_equality=found.worst_equality,
        worst_inactive=found.worst_inactive,
        worst_domain=found.worst_domain,
        smallest_tolerance=found.smallest_tolerance,
    )


def place(polytope: CollisionPolytope, point: Any, unit: int) -> Placed:
    """Returns the same, and which rows the point meets, which takes a rank."""
    tight = polytope.tight_constraints(point)
    missed = vars(miss(polytope, point, unit))
    return Placed(**missed, n_tight=tight.count, is_vertex=tight.is_vertex)


def compared(found: Iterable[VertexComparison], proofs: Proofs, name: str) -> tuple[Compared, ...]:
    """Returns what a record keeps of comparisons, each distance's certificate kept.

    Args:
        found: of `optimize.compare`.
        proofs: where certificates go.
        name: of the certificates, before "-UNIT".
    """
    return tuple(
        Compared(
            unit=each.unit,
            found_value=each.found_value,
            worst_equality=each.worst_equality,
            worst_inactive=each.worst_inactive,
            worst_domain=each.worst_domain,
            smallest_tolerance=each.smallest_tolerance,
            n_tight=each.n_tight,
            is_vertex=each.is_vertex,
            exact_value=each.exact_value,
            gap=each.gap,
            relative_gap=None if each.relative_gap is None else finite(each.relative_gap),
            distance_linf=each.distance_linf,
            distance_certificate=proofs.keep(
                f"{name}-{each.unit}", each.nearest.certificate if each.nearest else None
            ),
        )
        for each in found
    )


def compare_point(
    polytope: CollisionPolytope, point: Any, minimum: Minimum, proofs: Proofs, name: str
) -> Compared:
    """Puts a point (d,) into a set, beside the exact minimum of its unit and the nearest point.

    Args:
        polytope: the set.
        point: that was found.
        minimum: of the unit that it was to push down.
        proofs: where the certificate of the distance goes.
        name: of that certificate.
    """
    placed, nearest = place(polytope, point, minimum.unit), polytope.nearest(point, "linf")
    value = minimum.value
    gap = None if value is None else placed.found_value - value
    relative = finite(nearest_float(abs(gap / value))) if gap is not None and value else None
    return Compared(
        **vars(placed),
        exact_value=value,
        gap=gap,
        relative_gap=relative,
        distance_linf=nearest.distance,
        distance_certificate=proofs.keep(name, nearest.certificate),
    )
