"""How far is relaxed from exact?  Each found vertex beside the exact one, in exact arithmetic.

Every number here that is a Fraction is exact for the real-arithmetic layer with the stored weights
and for the found point as stored: floats are dyadic rationals.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeVar

import numpy as np
import torch
from tqdm import tqdm

from optimize.search.result import VertexSearch
from polytope import CollisionPolytope
from polytope.answers.results import LPResult, LPStatus, NearestResult
from polytope.errors import InputError, ShapeError, UnitError
from polytope.exact.array import ExactArray
from polytope.exact.brief import Brief
from polytope.exact.matrix import Matrix
from polytope.exact.rational import nearest_float
from polytope.network.region_polytope import RegionPolytope
from polytope.sets.rows import Rows

Exact = Mapping[int, LPResult]
_Each = TypeVar("_Each")


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class VertexComparison(Brief):
    """One relaxed vertex beside its exact counterpart.

    Attributes:
        vertex: its index in the search.
        target: index of its target.
        unit: the unit pushed down.
        exact_value: exact minimum of that unit's pre-activation over the polytope; None unless the
            program was proved OPTIMAL (see `exact.status`).
        found_value: the unit's pre-activation at the found point.
        gap: found_value - exact_value; negative where the found point falls outside the polytope.
        relative_gap: |gap| / |exact_value| as a float; None without a gap, 0 or inf for
            exact_value 0.
        worst_equality: largest |w_j x + b_j - z_j| over the active units.
        worst_inactive: largest positive pre-activation of an inactive unit, 0 if none.
        worst_domain: how far the point leaves the polytope's domain.
        smallest_tolerance: the least tolerance at which the point truly collides.
        distance_linf: distance to the polytope in the largest coordinate; None where it was not
            asked for or not proved (see `nearest`).
        n_tight: units and coordinates whose constraints hold with equality.
        is_vertex: whether the found point is a vertex of the polytope.
        differences: decisions of the layers before that differ from the target's; 0 says that the
            point lies in the target's linear region.  None in the layer's own space.
        exact: the exact minimisation, with its certificate.
        nearest: the distance computation, with its certificate.
    """

    vertex: int
    target: int
    unit: int
    exact_value: Fraction | None
    found_value: Fraction
    gap: Fraction | None
    relative_gap: float | None
    worst_equality: Fraction
    worst_inactive: Fraction
    worst_domain: Fraction
    smallest_tolerance: Fraction
    distance_linf: Fraction | None
    n_tight: int
    is_vertex: bool
    differences: int | None
    exact: LPResult
    nearest: NearestResult | None


def compare(
    polytope: CollisionPolytope | Sequence[CollisionPolytope],
    search: VertexSearch,
    *,
    exact: Exact | Sequence[Exact] | None = None,
    distance: Literal["linf"] | None = "linf",
    target: int | None = None,
    progress: bool | None = None,
) -> tuple[VertexComparison, ...]:
    """Compare every found vertex with the exact optimum for its unit.

    Args:
        polytope: the polytope of the search's target, or one for each target, in their order: in
            the layer's own space (compared are `search.layer_inputs`, what enters the layer), or
            a RegionPolytope in the model's (compared are `search.points`; residuals are the
            network's own there, inside the region or not).
        search: what `find_vertices` returned.
        exact: exact vertices by unit where they are known already (`polytope.unit_vertices()`), or
            one such mapping for each target; the missing ones are computed.
        distance: None leaves out the distance to the polytope (one exact program a vertex).
        target: compare the vertices of this target only.
        progress: None shows a bar on stderr when that is a terminal.

    Returns:
        One comparison a vertex, in the order of the search.

    Raises:
        InputError, ShapeError: the number of polytopes, their inputs or their units do not fit, or
            a given exact vertex speaks of another layer, target, domain, tolerance or unit.
        UnitError: a unit is active in the exact polytope (its float sign was wrong).
    """
    count = int(search.targets.max()) + 1
    if target is not None and not 0 <= target < count:
        raise InputError(f"target: expected an index from 0 to {count - 1}, got {target}")
    polytopes = _per_target("polytope", polytope, count, target)
    known = _per_target(
        "exact", {} if exact is None else exact, count, target, default=exact is None
    )
    picked = [
        vertex
        for vertex, owner in enumerate(search.targets.tolist())
        if target is None or owner == target
    ]
    for vertex in picked:
        owner, unit = int(search.targets[vertex]), int(search.units[vertex])
        _check(polytopes[owner], search, vertex)
        if unit in known[owner]:
            _check_exact(polytopes[owner], unit, known[owner][unit])
    for vertex in picked:
        _check_target(polytopes[int(search.targets[vertex])], search, vertex)
    found: dict[tuple[int, int], LPResult] = {}
    results = []
    hidden = None if progress is None else not progress
    for vertex in tqdm(picked, desc="exact", unit="vertex", disable=hidden, leave=False):
        owner, unit = int(search.targets[vertex]), int(search.units[vertex])
        if (owner, unit) not in found:
            given = known[owner].get(unit)
            found[owner, unit] = polytopes[owner].unit_vertex(unit) if given is None else given
        results.append(_compare_one(polytopes[owner], found[owner, unit], search, vertex, distance))
    return tuple(results)


def _per_target(
    name: str,
    value: _Each | Sequence[_Each],
    count: int,
    target: int | None,
    default: bool = False,
) -> dict[int, _Each]:
    """One value for each target that is compared."""
    wanted = range(count) if target is None else (target,)
    if isinstance(value, Sequence):
        if len(value) != count:
            raise ShapeError(f"{name}: expected {count}, one per target, got {len(value)}")
        return {index: value[index] for index in wanted}
    if len(wanted) > 1 and not default:
        raise ShapeError(
            f"{name}: expected {count}, one per target, got a single one (or say which `target`)"
        )
    return dict.fromkeys(wanted, value)


def _point(polytope: CollisionPolytope, search: VertexSearch, vertex: int) -> np.ndarray:
    """The found point in the polytope's space (d,): what enters the layer, or the model."""
    inputs = isinstance(polytope, RegionPolytope)
    found = search.points[vertex].flatten() if inputs else search.layer_inputs[vertex]
    # Every floating type of torch that a layer may have fits into float64 without rounding.
    point: np.ndarray = found.to(torch.float64).numpy()
    return point


def _check(polytope: CollisionPolytope, search: VertexSearch, vertex: int) -> None:
    width, unit = len(_point(polytope, search, vertex)), int(search.units[vertex])
    if polytope.n_inputs != width:
        what = "model" if isinstance(polytope, RegionPolytope) else "layer"
        raise ShapeError(
            f"polytope: expected {width} inputs, as the searched {what} has, "
            f"got {polytope.n_inputs}"
        )
    if unit >= polytope.n_units:
        raise ShapeError(
            f"polytope: expected more than {unit} units, since vertex {vertex} belongs to that "
            f"one, got {polytope.n_units}"
        )
    if unit not in polytope.inactive_units:
        raise UnitError(
            f"polytope: expected unit {unit} of vertex {vertex} to be inactive, got an active one "
            "(another target, or a float sign that was wrong: see sign_disagreements)"
        )


def _check_target(polytope: CollisionPolytope, search: VertexSearch, vertex: int) -> None:
    """Raise InputError where the search measured another equality error than this target gives.

    A plausibility check, far wider than the rounding of floats: it decides nothing but the error.
    """
    residuals = polytope.residuals(_point(polytope, search, vertex))
    measured = float(search.equality_residual[vertex])
    expected = nearest_float(residuals.worst_equality)
    largest = max(map(nearest_float, filter(None, polytope.layer.ceilings)), default=0.0)
    if abs(expected - measured) > 1e-3 * (1 + largest):
        raise InputError(
            f"search: expected a search of the polytope's own layer and target, got one whose "
            f"vertex {vertex} missed its target's active units by {measured:.3g}, where this "
            f"polytope's target makes it {expected:.3g}"
        )


def _check_exact(polytope: CollisionPolytope, unit: int, given: LPResult) -> None:
    """Raise InputError unless a given result answers for this unit of this very polytope."""
    if given.status is LPStatus.UNDECIDED:
        return  # it claims nothing
    proof = given.certificate
    if proof is None:
        raise InputError(
            f"exact: expected a certificate with the result of unit {unit}, got status "
            f"{given.status.name} without one"
        )
    if not _same_problem(proof.layer, polytope.layer):
        raise InputError(
            f"exact: expected the result of unit {unit} for the polytope compared with, got one "
            "for another layer, target, domain or tolerance"
        )
    if given.status is not LPStatus.EMPTY and proof.claim.get("unit") != unit:
        raise InputError(
            f"exact: expected the minimum of unit {unit} under its number, got a certificate for "
            f"{_objective_of(proof.claim)}"
        )
    if given.status is LPStatus.OPTIMAL and proof.claim["value"] != given.value:
        raise InputError(
            f"exact: expected the value that the certificate of unit {unit} proves, "
            f"{proof.claim['value']}, got {given.value}"
        )


def _objective_of(claim: Mapping[str, object]) -> str:
    return f"unit {claim['unit']}" if "unit" in claim else "another objective"


def _same_problem(one: Rows, other: Rows) -> bool:
    """Whether both state the same collision polytope by the same numbers."""
    if one is other:
        return True
    return (
        one.arrays.keys() == other.arrays.keys()
        and all(_equal(array, other.arrays[name]) for name, array in one.arrays.items())
        and (one.floors, one.ceilings) == (other.floors, other.ceilings)
        and one.domain.bounds(one.n_inputs) == other.domain.bounds(other.n_inputs)
    )


def _equal(one: Matrix | ExactArray, other: Matrix | ExactArray) -> bool:
    if one.shape != other.shape:
        return False
    # Numpy compares a float with a wide integer after rounding; Fractions do not round.
    if one.data.dtype == other.data.dtype:
        return bool((one.data == other.data).all())
    return list(map(Fraction, one.data.ravel().tolist())) == list(
        map(Fraction, other.data.ravel().tolist())
    )


def _compare_one(
    polytope: CollisionPolytope,
    exact: LPResult,
    search: VertexSearch,
    vertex: int,
    distance: Literal["linf"] | None,
) -> VertexComparison:
    unit = int(search.units[vertex])
    point = _point(polytope, search, vertex)
    residuals = polytope.residuals(point)
    tight = polytope.tight_constraints(point)
    nearest = None if distance is None else polytope.nearest(point, norm=distance)
    value = residuals.pre_activation[unit]
    gap = None if exact.value is None else value - exact.value
    return VertexComparison(
        vertex=vertex,
        target=int(search.targets[vertex]),
        unit=unit,
        exact_value=exact.value,
        found_value=value,
        gap=gap,
        relative_gap=_relative(gap, exact.value),
        worst_equality=residuals.worst_equality,
        worst_inactive=residuals.worst_inactive,
        worst_domain=residuals.worst_domain,
        smallest_tolerance=residuals.smallest_tolerance,
        distance_linf=None if nearest is None else nearest.distance,
        n_tight=tight.count,
        is_vertex=tight.is_vertex,
        differences=(
            len(polytope.region.differences(point))
            if isinstance(polytope, RegionPolytope)
            else None
        ),
        exact=exact,
        nearest=nearest,
    )


def _relative(gap: Fraction | None, value: Fraction | None) -> float | None:
    if gap is None or value is None:
        return None
    if value == 0:
        return 0.0 if gap == 0 else float("inf")
    return nearest_float(abs(gap / value))
