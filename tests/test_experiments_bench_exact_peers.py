"""The peers agree with each other, and with what is known, in one comparable form."""

from fractions import Fraction

import numpy as np
import pytest

from experiments.bench import exact_peers
from experiments.bench.exact_peers import SOLVERS, Answer, installed, missing, parse_lrs
from experiments.bench.exact_sets import (
    EMPTY,
    ExactSet,
    HalfspaceSystem,
    echelon,
    exact_set,
    homogeneous,
    refuted,
    set_of,
    system_of,
)
from experiments.bench.peer_process import Peer
from polytope import Box, CollisionPolytope, RationalVector, VRepresentation
from polytope.errors import FileFormatError

#: Name -> rows, equations among them (the last), points, rays, lines.
SETS = {
    "square": ([(0, 1, 0), (0, 0, 1), (2, -2, 0), (1, 0, -3)], 0,
               {(1, 0, 0), (1, 1, 0), (3, 0, 1), (3, 3, 1)}, set(), ()),
    "flat": ([(0, 1, 0), (0, 0, 1), (1, -2, -2)], 1, {(2, 1, 0), (2, 0, 1)}, set(), ()),
    "cone": ([(0, 1, 0), (0, -1, 2)], 0, {(1, 0, 0)}, {(2, 1), (0, 1)}, ()),
    "origin": ([(0, 1), (0, -1)], 0, {(1, 0)}, set(), ()),
    "ray": ([(-1, 3, 0), (0, 0, 1), (0, 0, -1)], 0, {(3, 1, 0)}, {(1, 0)}, ()),
    "half-plane": ([(1, 2, 4)], 0, {(2, -1, 0)}, {(1, 0)}, ((2, -1),)),
    "line": ([(3, 1, 1)], 1, {(1, 0, -3)}, set(), ((1, -1),)),
    "space": ([(0, 0, 0)], 0, {(1, 0, 0)}, set(), ((1, 0), (0, 1))),
    "point": ([(-1, 2, 0), (0, 1, -1)], 2, {(2, 1, 1)}, set(), ()),
    "empty": ([(-2, 1), (1, -1)], 0, set(), set(), ()),
    "empty, a cone at infinity": ([(-1, 0, 0), (0, 1, 0), (0, 0, 1)], 0, set(), set(), ()),
    "empty equation": ([(0, 1, 0), (1, 0, 0)], 1, set(), set(), ()),
}  # fmt: skip


def expected(name):
    """The set in comparable form; of points and rays modulo lines any representative will do."""
    _, _, points, rays, lines = SETS[name]
    return exact_set(points, rays, lines)


def system(name):
    rows, equations = SETS[name][:2]
    return HalfspaceSystem(tuple(rows), equations)


@pytest.mark.parametrize("peer", SOLVERS)
@pytest.mark.parametrize("name", SETS)
def test_every_peer_lists_what_is_known(name, peer):
    if peer not in installed():
        pytest.skip(f"needs {peer}")
    found = SOLVERS[peer](system(name))
    assert found.listed == expected(name)
    assert 0 <= found.seconds < 10


@pytest.mark.parametrize("peer", ["PPL", "lrs"])
def test_a_child_answers_again_and_again_and_is_stopped_in_time(peer):
    if peer not in installed():
        pytest.skip(f"needs {peer}")
    # Some 100,000 vertices in 12 dimensions keep both busy for minutes.
    draw = np.random.default_rng(5).integers(-999, 1000, (60, 12)).tolist()
    rows = [(1000, *row) for row in draw]
    with Peer(peer) as child:
        for name in ("square", "empty"):
            assert child.ask(system(name), limit=30).listed == expected(name)
        late = child.ask(HalfspaceSystem(tuple(rows), 0), limit=0.3)
        assert late.listed is None
        assert late.failure == "more than 0.3 s"
        assert child.ask(system("cone"), limit=30).listed == expected("cone")


def test_an_answer_after_its_time_counts_as_none(monkeypatch):
    with Peer("PPL") as child:
        child.start()
        monkeypatch.setattr(child, "_waited", lambda seconds: Answer(expected("cone"), 0.7))
        assert child.ask(system("cone"), limit=0.5) == Answer(None, 0.5, "more than 0.5 s")


def test_a_failing_peer_says_why():
    with Peer("PPL") as child:
        answer = child.ask(HalfspaceSystem((("x", 1),), 0), limit=30)
        assert answer.listed is None
        assert "Error" in answer.failure
        assert child.ask(system("cone"), limit=30).listed == expected("cone")


def test_missing_peers_are_named(monkeypatch):
    monkeypatch.setattr(exact_peers, "lrs_path", lambda: None)
    monkeypatch.setattr(exact_peers, "_has_module", lambda name: name == "ppl")
    assert installed() == ["PPL"]
    assert [line.split()[0] for line in missing()] == ["lrs", "Normaliz", "cdd.gmp"]


LRS = """
*lrs:lrslib v.7.1
V-representation
begin
***** 3 rational
 1  1/2  0
 0  1  0
 0  2  0
end
*Totals: vertices=1 rays=2 bases=2
*0.012u 0.003s 2248Kb 4 flts 0 swaps
"""


def test_lrs_output_after_a_restart_is_read_from_its_last_start():
    first = LRS[: LRS.index(" 0  2  0")]
    assert parse_lrs(first + "*overflow: restarting\n" + LRS) == parse_lrs(LRS)


def test_lrs_output_is_read_and_repeated_rays_merged():
    found = parse_lrs(LRS)
    assert found.listed == ExactSet(frozenset({(2, 1, 0)}), frozenset({(1, 0)}), ())
    assert found.seconds == pytest.approx(0.015)
    empty = "begin\n***** 3 rational\nend\nNo feasible solution\n*0.0u 0.0s x"
    assert parse_lrs(empty).listed == EMPTY
    with pytest.raises(FileFormatError, match="expected a line"):
        parse_lrs("lrs: error")


def test_comparable_form_does_not_depend_on_representatives():
    lines = [(1, 1, 0), (2, 2, 0)]
    one = exact_set([(2, 1, 0, 3)], [(0, 0, 5), (3, 3, 0)], lines)
    two = exact_set([(4, 12, 10, 6)], [(4, 4, 9)], [(-3, -3, 0)])
    assert one == two
    assert one.words() == "1 points, 1 rays, 1 lines"
    assert one != exact_set([(2, 1, 1, 3)], [(0, 0, 5)], lines)
    assert exact_set([], [(1, 2)], []) == EMPTY
    assert EMPTY.is_empty


def test_echelon_form_is_reduced():
    assert echelon([(0, 2, 4), (3, 1, 0), (3, 3, 4)]) == [(0, (3, 0, -2)), (1, (0, 1, 2))]
    assert echelon([(0, 0)]) == []


def test_rows_of_a_layer_and_generators_of_ours():
    polytope = CollisionPolytope.from_layer(
        [[1, 1]], [Fraction(-1, 3)], [1, 0], domain=Box([0, Fraction(-1, 2)], [2, 3])
    )
    assert system_of(polytope) == HalfspaceSystem(
        ((0, 1, 0), (1, 0, 2), (2, -1, 0), (3, 0, -1), (1, -1, -1)), 1
    )
    listed = VRepresentation(2, (RationalVector((1, 2), 3),), (RationalVector((2, 4)),))
    assert set_of(listed) == ExactSet(frozenset({(3, 1, 2)}), frozenset({(1, 2)}), ())
    assert homogeneous([Fraction(1, 2), Fraction(2, 3)]) == (6, 3, 4)


@pytest.mark.parametrize("name", ["square", "flat", "cone", "half-plane", "line", "point"])
def test_a_wrong_list_is_refuted_and_a_right_one_is_not(name):
    right = expected(name)
    assert refuted(system(name), right, right) == ""
    point = next(iter(right.points))
    less = ExactSet(right.points - {point}, right.rays, right.lines)
    assert refuted(system(name), less, right).startswith("omits")
    assert refuted(system(name), right, less) == ""
    middle = tuple(2 * point[0] * (k == 0) or 2 * v + (k == 1) for k, v in enumerate(point))
    more = ExactSet(right.points | {middle}, right.rays, right.lines)
    assert refuted(system(name), more, right).endswith("a vertex: False")
    assert refuted(system(name), right, more) == ""


def test_wrong_rays_are_refuted():
    right = expected("cone")
    inner = ExactSet(right.points, right.rays | {(1, 1)}, ())
    outer = ExactSet(right.points, right.rays | {(1, 0)}, ())
    for wrong in (inner, outer):
        assert refuted(system("cone"), wrong, right).startswith("lists (0, 1,")
        assert refuted(system("cone"), right, wrong) == ""
    less = ExactSet(right.points, frozenset({(2, 1)}), ())
    assert refuted(system("cone"), less, right) == "omits (0, 0, 1), an extreme ray: True"
