"""P.vertices() as the exact peers have it; see tests/campaigns/enumeration_differential.py."""

from dataclasses import replace

import pytest

from experiments.bench.exact_peers import installed
from experiments.bench.peer_process import Peer
from polytope import CollisionPolytope
from tests.campaigns.enumeration_differential import Tally, compare, run
from tests.examples.random_polyhedra import FAMILIES, polyhedron

SEEDS = 12 * len(FAMILIES)


def test_a_sample_agrees():
    tally = run(range(SEEDS), names=installed(), every=4)
    assert not tally.wrong, tally.report()
    assert not tally.open, tally.report()
    assert sum(tally.families.values()) == SEEDS
    assert tally.verified == SEEDS // 4
    assert tally.points > 500
    if len(installed()) >= 2:
        assert tally.compared == SEEDS, tally.report()


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_five_thousand_agree():
    tally = run(range(100_000, 105_200), names=installed(), every=5)
    print(tally.report())
    assert not tally.wrong, tally.report()
    assert len(tally.open) <= 5, tally.report()


def test_every_family_is_drawn_and_repeats():
    for seed, family in enumerate(FAMILIES):
        one, two = polyhedron(seed), polyhedron(seed)
        assert one.family == family
        assert one.polytope.layer.system.rhs == two.polytope.layer.system.rhs


class Forged(CollisionPolytope):
    """Lists less than there is."""

    def vertices(self, **_):
        found = super().vertices()
        return replace(found, points=found.points[1:], incidence=found.incidence[1:])


def test_a_missing_vertex_would_be_seen():
    tally, case = Tally(), polyhedron(11)
    forged = replace(case, polytope=Forged(case.polytope.layer))
    with Peer("PPL") as peer:
        compare(forged, [peer], tally, check=False)
    assert len(tally.wrong) == 1
    assert "points, " in tally.wrong[0]
    assert tally.compared == 0
