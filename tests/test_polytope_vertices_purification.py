"""Purification ends at a vertex of the face it starts in, at every size, or says why not."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polytope import Box, CollisionPolytope, Free, Nonnegative, checker, verify
from polytope.errors import InputError
from polytope.exact.rational import RationalVector
from polytope.exact.sparse import SparseMatrix
from polytope.vertices import crossover
from polytope.vertices.purification import PurificationStatus as Status
from tests.examples.random_layers import instance

F = Fraction


def square():
    return CollisionPolytope.from_layer([[2, 2]], [-3], [0.25, 0.5], domain=Box(0, 1))


def layer(n_units, n_inputs, n_active, seed=0):
    """A float32 layer like VGG's fc6: a fifth of the target is positive."""
    rng = np.random.default_rng(seed)
    weight = rng.standard_normal((n_units, n_inputs), dtype=np.float32)
    weight *= np.float32(n_inputs**-0.5)
    target = np.abs(rng.standard_normal(n_inputs, dtype=np.float32))
    target[rng.random(n_inputs) < 0.8] = 0
    reached = np.sort(weight @ target)
    shift = -(reached[-n_active] + reached[-n_active - 1]) / 2
    return weight, np.full(n_units, shift, dtype=np.float32), target


def test_square():
    found = square().purify()
    assert found.status is Status.VERTEX
    assert set(found.point) <= {0, 1, Fraction(1, 2)}
    assert square().is_vertex(found.point)
    assert "the stated point is a vertex of C" in verify(found.certificate)


def test_a_vertex_stays_where_it_is():
    found = square().purify([1, Fraction(1, 2)])
    assert list(found.point) == [1, Fraction(1, 2)]
    assert found.tight == (("upper", 0),)


def test_the_face_of_the_start_is_kept():
    """From a point of an edge only the two ends of that edge are reached."""
    for x in ([0, 0.5], [0.25, 0], [1, 0.25], [0.5, 1], [0.75, 0.75]):
        found = square().purify(x)
        start = square().tight_constraints(x)
        end = square().tight_constraints(found.point)
        assert end.is_vertex
        assert set(start.units) <= set(end.units)
        assert set(start.coordinates) <= set(end.coordinates)


def test_a_start_outside_is_refused():
    with pytest.raises(InputError, match=r"violates its row \('upper', 0\)"):
        square().purify([1, 1])
    with pytest.raises(InputError, match="outside of the domain"):
        square().purify([-1, 0])
    equal = CollisionPolytope.from_layer([[1, 1]], [0], [1, 1], domain=Nonnegative())
    with pytest.raises(InputError, match=r"violates its row \('equality', 0\)"):
        equal.purify([1, 0])


def test_lines_leave_no_vertex():
    found = CollisionPolytope.from_layer([[1, 1]], [0], [1, 1], domain=Free()).purify()
    assert found.status is Status.NO_VERTEX
    assert "1 dimensions" in found.reason
    assert "dimension 1" in verify(found.certificate)
    with pytest.raises(InputError, match="NO_VERTEX"):
        found.point_float()


def test_an_empty_set_has_none():
    empty = CollisionPolytope.from_activation([[1], [1]], [0, 0], [1, 2], domain=Nonnegative())
    found = empty.purify()
    assert found.status is Status.EMPTY
    assert "C is empty" in verify(found.certificate)


def test_a_wanted_activation():
    wanted = CollisionPolytope.from_activation([[1, 2, 4]], [0], [3], domain=Nonnegative())
    found = wanted.purify()
    assert wanted.is_vertex(found.point)


def test_free_and_pointed():
    """Two rows meet in one point of the plane: no bound helps."""
    cone = CollisionPolytope.from_halfspaces([[1, 0], [0, 1], [1, 1]], [3, 2, 5])
    found = cone.purify([-7, -9])
    assert list(found.point) == [3, 2]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 100_000))
def test_against_all_vertices(seed):
    chosen = instance(seed)
    polytope = chosen.polytope()
    found, everything = polytope.purify(), polytope.vertices()
    assert found.status is not Status.UNDECIDED
    verify(found.certificate)
    if found.status is Status.VERTEX:
        assert tuple(found.point) in {tuple(v) for v in everything.vertices}
    else:
        assert not everything.vertices


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 100_000))
def test_middle_sizes(seed):
    """Points found by floats and by exact steps alike are vertices, for every family."""
    polytope = instance(seed, largest=(14, 10)).polytope()
    found = polytope.purify()
    assert found.status is not Status.UNDECIDED
    if found.status is Status.VERTEX:
        assert polytope.is_vertex(found.point)
        again = polytope.purify(found.point)
        assert again.point == found.point


def test_cube_corner_where_many_rows_meet():
    """All 30 rows are tight at the only vertex, the origin."""
    rng = np.random.default_rng(3)
    weight = -rng.integers(0, 9, (30, 6))
    cone = CollisionPolytope.from_layer(weight, np.zeros(30), np.ones(6), domain=Nonnegative())
    found = cone.purify()
    assert cone.is_vertex(found.point)
    assert not any(found.point)


def test_large_layer():
    """No program is solved, and the stranger's checker agrees."""
    weight, bias, target = layer(128, 800, 36)
    polytope = CollisionPolytope.from_layer(weight, bias, target, domain=Nonnegative())
    found = polytope.purify()
    assert found.status is Status.VERTEX
    assert "exact steps" not in found.timings
    assert "the stated point is a vertex" in checker.check(found.certificate.document())
    support = {j for j, v in enumerate(found.point.numerators) if v}
    assert support <= set(np.flatnonzero(target).tolist())
    assert len(support) == len(found.tight) >= 36
    assert found.moves == int((target > 0).sum()) - 36


def test_wrong_proposals_are_not_believed(monkeypatch):
    """The point (1/2, 1) of a basis proposed lies outside of 3 x <= 1."""
    polytope = CollisionPolytope.from_layer(
        [[2, 2], [3, 0]], [-3, -1], [0.25, 0.5], domain=Box(0, 1)
    )
    asked = []

    def wrong(face, *, seed=0):
        asked.append(seed)
        return crossover.Proposal([], [0], [0], np.array([False, True]), 2)

    monkeypatch.setattr("polytope.vertices.purification.crossover.push", wrong)
    found = polytope.purify()
    assert asked == [0, 1, 2]
    assert "exact steps" in found.timings
    assert polytope.is_vertex(found.point)
    monkeypatch.setattr("polytope.vertices.purification.crossover.push", lambda face, seed=0: None)
    found = polytope.purify()
    assert "exact steps" in found.timings
    assert polytope.is_vertex(found.point)


def test_undecided_says_why(monkeypatch):
    monkeypatch.setattr("polytope.vertices.purification.crossover.push", lambda face, seed=0: None)
    monkeypatch.setattr("polytope.vertices.purification._EXACT_ENTRIES", 0)
    found = square().purify()
    assert found.status is Status.UNDECIDED
    assert found.certificate is None
    assert "floats found no basis" in found.reason


def test_what_does_not_fit_says_so(monkeypatch):
    monkeypatch.setattr("polytope.vertices.face_point.LARGEST_DENSE", 1)
    found = square().purify()
    assert square().is_vertex(found.point)  # in exact steps
    monkeypatch.setattr("polytope.vertices.purification._EXACT_ENTRIES", 0)
    found = square().purify()
    assert found.status is Status.UNDECIDED
    assert found.reason.startswith("1 rows on 2 coordinates off their bounds are more than fit")


def test_numbers_beyond_the_float_range():
    huge = Fraction(10) ** 400
    polytope = CollisionPolytope.from_layer(
        [[huge, huge], [1, 2]], [-huge, -2], [Fraction(1, 4), Fraction(1, 2)], domain=Box(0, 1)
    )
    found = polytope.purify()
    assert "exact steps" in found.timings
    assert polytope.is_vertex(found.point)


def test_a_sparse_layer():
    dense = np.zeros((6, 9), np.float32)
    for i in range(6):
        dense[i, i : i + 3] = [1, -2, 3]
    places = np.nonzero(dense)
    weight = SparseMatrix.of_entries((6, 9), places, dense[places])
    target = np.random.default_rng(2).random(9)
    polytope = CollisionPolytope.from_layer(weight, np.zeros(6), target, domain=Box(0, 1))
    found = polytope.purify()
    assert "exact steps" not in found.timings
    assert polytope.is_vertex(found.point)
    assert polytope.contains(found.point)
    assert not polytope.contains([0] * 9)
    verify(found.certificate)


def test_a_start_with_long_numbers():
    far = RationalVector((3**400, 1), 3**401)
    found = square().purify(far)
    assert square().is_vertex(found.point)


def test_the_box_and_a_tolerance():
    weight, bias, _ = layer(40, 60, 10)
    target = np.random.default_rng(1).random(60)
    target[:20] = np.round(target[:20])
    for tolerance in (0, 0.01):
        polytope = CollisionPolytope.from_layer(
            weight, bias, target, domain=Box(0, 1), tolerance=tolerance
        )
        found = polytope.purify()
        assert found.status is Status.VERTEX
        assert "exact steps" not in found.timings
        assert polytope.is_vertex(found.point)
        ends = [j for j, v in enumerate(found.point) if v in (0, 1)]
        assert set(np.flatnonzero((target == 0) | (target == 1)).tolist()) <= set(ends)


@pytest.mark.parametrize("shift", [F(1, 2**45), F(1, 2**90), F(1, 10**40)])
def test_rows_that_floats_take_for_dependent_stay_tight(shift):
    # Both rows are tight at the start, and differ by less than floats notice.
    weight, start = [[1, 1, 1], [1, 1, 1 + shift]], [F(1, 2), F(1, 2), F(1, 2)]
    bias = [F(-3, 2), F(-3, 2) - shift / 2]
    polytope = CollisionPolytope.from_layer(weight, bias, start, domain=Box(0, 1))
    found = polytope.purify(start)
    assert found.status is Status.VERTEX
    assert sorted(found.point) == [0, F(1, 2), 1]
    assert found.point[2] == F(1, 2)
    verify(found.certificate)
