"""Inputs that collide at a deep layer: membership, minima and pieces against the network itself."""

from fractions import Fraction as F

import numpy as np
import pytest

from polytope import Box, CollisionPolytope, LPStatus, RationalVector, verify
from polytope.errors import DomainError, InputError, UnitError
from polytope.network.graph import Network, Relu
from polytope.network.neighbours import explore
from polytope.network.region import linear_region
from polytope.network.region_polytope import region_polytope
from tests.examples.networks import affine, random_network


def collides(network, x, target, tolerance=0):
    """By substitution into the network, and nothing else."""
    pair = [network.values(RationalVector.of(v))[-1] for v in (x, target)]
    return all(abs(max(a, 0) - max(b, 0)) <= tolerance for a, b in zip(*pair, strict=True))


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("tolerance", [0, F(1, 2)])
def test_membership_is_the_networks(seed, tolerance):
    network = random_network(seed)
    rng = np.random.default_rng(seed)
    target = rng.integers(-4, 5, 3) / 4
    region = linear_region(network, target)
    P = region_polytope(region, target=target, domain=Box(-2, 2), tolerance=tolerance)
    assert P.contains(target)
    seen = set()
    for x in [*(target + rng.integers(-2, 3, (60, 3)) / 8), *rng.integers(-8, 9, (60, 3)) / 4]:
        point = x.tolist()
        inside = region.contains(point) and max(map(abs, point)) <= 2
        found = P.contains(point)
        assert found == (inside and collides(network, point, target.tolist(), tolerance))
        seen.add(found)
        worst = P.residuals(point).smallest_tolerance
        assert (worst <= tolerance) == collides(network, point, target.tolist(), tolerance)
    assert True in seen or tolerance == 0


@pytest.mark.parametrize("seed", range(6))
def test_minima_are_points_of_the_networks_set(seed):
    network = random_network(seed, quantised=seed % 2 == 0)
    target = np.random.default_rng(100 + seed).integers(-4, 5, 3) / 4
    P = region_polytope(linear_region(network, target), target=target, domain=Box(-3, 3))
    assert P.n_units == 4
    assert P.n_positive + len(P.inactive_units) == 4
    for unit in P.inactive_units:
        found = P.unit_vertex(unit)
        assert found.status is LPStatus.OPTIMAL
        assert collides(network, list(found.point), target.tolist())
        assert network.values(found.point)[-1][unit] == found.value
        assert verify(found.certificate)
    assert verify(P.dimension().certificate)


def test_questions_about_the_layer_leave_the_regions_rows_out():
    # ReLU(x), ReLU(y), then their sum and 1 - their sum.
    nodes = (affine(0, np.eye(2), [0, 0]), Relu(1), affine(2, [[1, 1], [-1, -1]], [0, 1]))
    network = Network(2, nodes)
    P = region_polytope(linear_region(network, [1, 1]), target=[1, 1])
    assert (P.n_units, P.n_positive, P.inactive_units, P.ties) == (2, 1, (1,), ())
    assert P.kernel_condition().holds
    assert P.rank_positive().value == 1
    # x + y = 2 in the quadrant x, y >= 0: a segment between (2, 0) and (0, 2).
    assert P.dimension().value == 1
    assert {tuple(p) for p in P.vertices().points} == {(2, 0), (0, 2)}
    assert P.unit_vertex(1).value == -1
    with pytest.raises(UnitError, match="expected 0 <= unit < 2, got 2"):
        P.unit_vertex(2)
    with pytest.raises(UnitError, match="expected an inactive unit, got 0"):
        P.unit_vertex(0)
    # Outside of the region the residuals are still the network's: ReLU(3) + ReLU(-1) = 3.
    assert P.residuals([3, -1]).pre_activation[0] == 3
    assert not P.contains([3, -1])
    # ReLU(2) + ReLU(-1) = 2: it collides in the network, though not in this region.
    left = P.membership([2, -1])
    assert (left.inside, left.smallest_tolerance, left.distance) == (False, 0, 2)
    assert P.region_ties == ()
    assert region_polytope(linear_region(network, [2, 0]), target=[2, 0]).region_ties == (1,)
    assert "region_rows=2" in repr(P)


@pytest.mark.parametrize("tolerance", [0, F(1, 10)])
def test_facets_the_target_lies_on(tolerance):
    nodes = (affine(0, np.eye(2), [0, 0]), Relu(1), affine(2, [[1, 1], [0, 1]], [0, -2]))
    region = linear_region(Network(2, nodes), [0, 3])
    assert region_polytope(region, target=[0, 3], tolerance=tolerance).region_ties == (0,)
    assert region_polytope(region, activation=[F(3), F(1)]).region_ties == ()


def test_a_target_outside_of_the_domain_is_refused():
    region = linear_region(random_network(0), [0, 0, 0])
    with pytest.raises(DomainError, match="target: expected a point of the domain"):
        region_polytope(region, target=[0, 0, 0], domain=Box(1, 2))


# --- neighbouring regions ---------------------------------------------------------------------


def test_pieces_of_a_broken_line_by_hand():
    # ReLU(x) + ReLU(y) = 2 over |x|, |y| <= 3: from (1, 1) the segment to (2, 0), then on along
    # x = 2, y <= 0 to (2, -3).  Unit 1 is y - 1 there, so the search follows y downwards.
    nodes = (
        affine(0, [[1, 0], [0, 1], [0, -1]], [0, 0, 0]),
        Relu(1),
        affine(2, [[1, 1, 0], [0, 1, -1]], [0, -2]),
    )
    network = Network(2, nodes)
    P = region_polytope(linear_region(network, [1, 1]), target=[1, 1], domain=Box(-3, 3))
    found = explore(P, 1)
    assert found.complete
    assert found.pieces[0].optimum.value == -2
    assert found.best.optimum.value == -5
    assert tuple(found.best.optimum.point) == (2, -3)
    for piece in found.pieces:
        assert verify(piece.contains)
        assert verify(piece.optimum.certificate)
        assert collides(network, list(piece.entry), [1, 1])
        assert collides(network, list(piece.optimum.point), [1, 1])
    for piece in found.pieces[1:]:
        assert found.pieces[piece.parent].polytope.contains(piece.entry)


@pytest.mark.parametrize("seed", range(4))
def test_pieces_hold_what_collides_in_their_regions_and_nothing_else(seed):
    network = random_network(seed)
    rng = np.random.default_rng(200 + seed)
    target = rng.integers(-4, 5, 3) / 4
    P = region_polytope(linear_region(network, target), target=target, domain=Box(-2, 2))
    if not P.inactive_units:
        pytest.skip("every unit is active at this target")
    found = explore(P, P.inactive_units[0], max_pieces=8)
    patterns = {frozenset(p.polytope.region.pattern.items()) for p in found.pieces}
    assert len(patterns) == len(found.pieces)
    values = [p.optimum.value for p in found.pieces]
    assert found.best.optimum.value == min(values)
    for x in rng.integers(-8, 9, (80, 3)) / 4:
        point = x.tolist()
        for piece in found.pieces:
            expected = piece.polytope.region.contains(point) and collides(
                network, point, target.tolist()
            )
            assert piece.polytope.contains(point) == expected


@pytest.mark.parametrize("seed", range(12))
def test_pieces_with_a_tolerance(seed):
    network = random_network(seed)
    target = np.random.default_rng(300 + seed).integers(-4, 5, 3) / 4
    region = linear_region(network, target)
    P = region_polytope(region, target=target, domain=Box(-2, 2), tolerance=F(1, 4))
    if not P.inactive_units:
        pytest.skip("every unit is active at this target")
    for piece in explore(P, P.inactive_units[0], max_pieces=6).pieces:
        point = list(piece.optimum.point)
        assert piece.polytope.contains(point)
        assert collides(network, point, target.tolist(), F(1, 4))


def test_a_piece_where_the_unit_falls_without_end_is_the_best():
    # y = (ReLU(x), ReLU(-x)); unit 0 stays at most 0; unit 1 = ReLU(x) - ReLU(-x) - 5 falls with x.
    nodes = (affine(0, [[1], [-1]], [0, 0]), Relu(1), affine(2, [[0, 0], [1, -1]], [1, -5]))
    network = Network(1, nodes)
    P = region_polytope(linear_region(network, [1]), target=[1])
    found = explore(P, 1)
    assert [piece.optimum.status.name for piece in found.pieces].count("UNBOUNDED") >= 1
    assert found.best.optimum.status is LPStatus.UNBOUNDED


def test_limits_of_the_search():
    network = random_network(1)
    P = region_polytope(linear_region(network, [0, 0, 0]), target=[0, 0, 0], domain=Box(-2, 2))
    unit = P.inactive_units[0]
    assert len(explore(P, unit, max_pieces=1).pieces) == 1
    with pytest.raises(InputError, match="max_pieces: expected an int >= 1, got 0"):
        explore(P, unit, max_pieces=0)
    with pytest.raises(InputError, match="max_seconds: expected a positive number, got -1"):
        explore(P, unit, max_seconds=-1)
    with pytest.raises(InputError, match=r"polytope: expected .*RegionPolytope"):
        explore(CollisionPolytope.from_layer([[1]], [0], [0]), 0)
