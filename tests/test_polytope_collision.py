"""Every question of CollisionPolytope on layers with hand-derived answers, each certificate too."""

from fractions import Fraction

import numpy as np
import pytest

from polytope import CollisionPolytope, LPStatus, NearestStatus, verify
from tests.examples import bounded, empty, tolerance, unbounded
from tests.examples.polyhedra import UNBOUNDED

FILES = (bounded, empty, tolerance, unbounded)
EXAMPLES = [example for file in FILES for example in file.EXAMPLES]

pytestmark = pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.name)


def proved(certificate, tmp_path):
    """The claim in words, the same from the object and from a saved file."""
    words = verify(certificate)
    assert verify(certificate.save(tmp_path / "certificate.json")) == words
    return words


def test_split(example):
    polytope = example.polytope()
    assert polytope.active_units == example.active
    assert polytope.n_positive == len(example.active)
    assert sorted(polytope.active_units + polytope.inactive_units) == list(range(polytope.n_units))


def test_kernel_and_rank(example, tmp_path):
    kernel, rank = example.polytope().kernel_condition(), example.polytope().rank_positive()
    assert (kernel.holds, rank.value) == (example.kernel, example.rank_positive)
    assert ("holds" if example.kernel else "fails") in proved(kernel.certificate, tmp_path)
    assert f"have rank {rank.value}" in proved(rank.certificate, tmp_path)


def test_dimension(example, tmp_path):
    found = example.polytope().dimension()
    assert (found.value, found.paper_bound) == (example.dimension, example.paper_bound)
    assert f"dimension {example.dimension}" in proved(found.certificate, tmp_path).replace(
        "dimension: -1", "dimension -1"
    )


def test_lineality(example, tmp_path):
    found = example.polytope().lineality()
    proved(found.certificate, tmp_path)
    if not example.empty:
        assert (found.dimension, found.pointed) == (example.lineality, example.lineality == 0)


def test_boundedness(example, tmp_path):
    found = example.polytope().boundedness()
    assert found.bounded is example.bounded
    assert ("is bounded" if example.bounded else "unbounded") in proved(found.certificate, tmp_path)


def test_feasibility(example, tmp_path):
    polytope = example.polytope()
    found = polytope.feasibility()
    assert found.feasible is not example.empty
    words = proved(found.certificate, tmp_path)
    if example.empty:
        assert found.point is None
        assert "empty" in words
    else:
        assert polytope.contains(list(found.point))


def test_minima(example, tmp_path):
    polytope = example.polytope()
    for objective, value in example.minima:
        found = polytope.minimize(objective)
        _check(example, polytope, found, value, tmp_path)
        if found.status is LPStatus.OPTIMAL:
            total = sum(c * x for c, x in zip(objective, found.point, strict=True))
            assert total == value


def test_unit_vertices(example, tmp_path):
    polytope = example.polytope()
    together = polytope.unit_vertices()
    assert tuple(together) == polytope.inactive_units
    for unit, value in example.units:
        _check(example, polytope, polytope.unit_vertex(unit), value, tmp_path)
        _check(example, polytope, together[unit], value, tmp_path)


def _check(example, polytope, found, value, tmp_path):
    words = proved(found.certificate, tmp_path)
    if value is None:
        assert found.status is LPStatus.EMPTY
        assert "empty" in words
        return
    if value == UNBOUNDED:
        assert found.status is LPStatus.UNBOUNDED
        assert "unbounded" in words
        return
    assert found.status is LPStatus.OPTIMAL
    assert found.value == value
    assert polytope.contains(list(found.point))
    assert found.is_vertex == (tuple(found.point) in _vertices(example))
    assert ("at a vertex" in words) == found.is_vertex
    assert np.array_equal(found.point_float(), [float(v) for v in found.point])


def _vertices(example):
    return {tuple(map(Fraction, v)) for v in example.vertices}


def test_points(example):
    polytope = example.polytope()
    assert example.vertices or example.inside or example.outside
    for point in example.vertices:
        assert polytope.contains(point)
        assert polytope.is_vertex(point)
        assert polytope.tight_constraints(point).rank == polytope.n_inputs
    for point in example.inside:
        assert polytope.contains(point)
        assert not polytope.is_vertex(point)
    for point in example.outside:
        assert not polytope.contains(point)
        assert not polytope.is_vertex(point)
        assert not polytope.tight_constraints(point).is_vertex


def test_residuals_agree_with_contains(example):
    polytope = example.polytope()
    for point in example.vertices + example.inside + example.outside:
        found = polytope.residuals(point)
        collides = found.worst_domain == 0 and found.smallest_tolerance <= example.tolerance
        assert collides == polytope.contains(point)
        if example.tolerance == 0:
            inside = found.worst_equality == 0 and found.worst_inactive == 0
            assert inside == (found.smallest_tolerance == 0)


def test_nearest(example, tmp_path):
    polytope = example.polytope()
    assert example.nearest
    for origin, linf, l1, square in example.nearest:
        for norm, distance in (("linf", linf), ("l1", l1)):
            found = polytope.nearest(origin, norm=norm)
            words = proved(found.certificate, tmp_path)
            if distance is None:
                assert found.status is NearestStatus.EMPTY
                assert "empty" in words
                continue
            assert (found.status, found.distance) == (NearestStatus.EXACT, distance)
            assert found.lower <= distance <= found.upper
            assert polytope.contains(list(found.point))
        found = polytope.nearest(origin, norm="l2")
        proved(found.certificate, tmp_path)
        if square is None:
            assert found.status is NearestStatus.EMPTY
            continue
        assert found.status is NearestStatus.BOUNDED
        assert Fraction(found.lower) ** 2 <= square <= Fraction(found.upper) ** 2
        assert found.upper - found.lower <= 1e-15 * (1 + found.upper)
        assert sum((a - b) ** 2 for a, b in zip(found.point, origin, strict=True)) == square


def test_arguments_are_not_changed(example):
    wanted = example.target if example.activation is None else example.activation
    weight, bias, given = (
        np.array(a, dtype=np.float64) for a in (example.weight, example.bias, wanted)
    )
    copies = weight.copy(), bias.copy(), given.copy()
    build = (
        CollisionPolytope.from_layer
        if example.activation is None
        else CollisionPolytope.from_activation
    )
    polytope = build(weight, bias, given, domain=example.domain, tolerance=example.tolerance)
    c, x = np.ones(polytope.n_inputs), np.full(polytope.n_inputs, 0.5)
    polytope.dimension()
    polytope.minimize(c)
    polytope.nearest(x)
    polytope.residuals(x)
    for array, copy in zip((weight, bias, given), copies, strict=True):
        assert np.array_equal(array, copy)
    assert np.array_equal(c, np.ones(polytope.n_inputs))
    assert np.array_equal(x, np.full(polytope.n_inputs, 0.5))


def test_later_changes_of_the_weights_change_nothing(example):
    weight = np.array(example.weight, dtype=np.float64)
    wanted = example.target if example.activation is None else example.activation
    build = (
        CollisionPolytope.from_layer
        if example.activation is None
        else CollisionPolytope.from_activation
    )
    polytope = build(
        weight, example.bias, wanted, domain=example.domain, tolerance=example.tolerance
    )
    weight += 7  # as an optimiser's step would
    assert polytope.dimension().value == example.dimension
