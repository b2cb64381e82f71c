"""Two exact engines: the same conventions, and what is said when they fail or disagree."""

import pytest

from polytope import CollisionPolytope, Completeness
from polytope.vertices import cross_check as cross_check_module
from polytope.vertices import engine as engine_module
from polytope.vertices.cross_check import cross_checked
from polytope.vertices.engine import available
from polytope.vertices.limits import Limits
from polytope.vertices.reduction import Reduced, reduce

#: A square pyramid: four rows are tight at its top.
PYRAMID = (
    [[1, 0, 1], [-1, 0, 1], [0, 1, 1], [0, -1, 1], [0, 0, -1]],
    [1, 1, 1, 1, 0],
)
#: The cone over a square, with its apex in the origin.
CONE = ([[1, 0, -1], [-1, 0, -1], [0, 1, -1], [0, -1, -1]], [0, 0, 0, 0])


def reduced(matrix: list[list[int]], bound: list[int]) -> Reduced:
    found = reduce(CollisionPolytope.from_halfspaces(matrix, bound).layer)
    assert found is not None
    return found


@pytest.mark.parametrize("name", available())
def test_engines_list_a_pyramid(name: str) -> None:
    points, rays = engine_module._ENGINES[name](*PYRAMID)
    expected = {(1, x, y, 0) for x in (-1, 1) for y in (-1, 1)} | {(1, 0, 0, 1)}
    assert {tuple(map(int, p)) for p in points} == expected
    assert rays == []


@pytest.mark.parametrize("name", available())
def test_engines_list_the_apex_of_a_cone(name: str) -> None:
    points, rays = engine_module._ENGINES[name](*CONE)
    assert [tuple(map(int, p)) for p in points] == [(1, 0, 0, 0)]
    assert {tuple(map(int, r)) for r in rays} == {(x, y, 1) for x in (-1, 1) for y in (-1, 1)}


def test_agreement_is_cross_checked() -> None:
    if len(available()) < 2:
        pytest.skip("needs two exact engines")
    for matrix, bound in (PYRAMID, CONE):
        found = cross_checked(reduced(matrix, bound), "degenerate", Limits())
        assert found.status is Completeness.CROSS_CHECKED
        assert "agree" in found.reason


def test_one_engine_alone_is_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cross_check_module, "available", lambda: ["ppl"])
    found = cross_checked(reduced(*PYRAMID), "degenerate", Limits())
    assert found.status is Completeness.PARTIAL
    assert "ppl alone" in found.reason
    assert len(found.points) == 5


def test_failures_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cross_check_module, "available", lambda: ["no such engine"])
    found = cross_checked(reduced(*PYRAMID), "degenerate", Limits())
    assert found.status is Completeness.UNDECIDED
    assert "no such engine failed" in found.reason


def test_deadline_stops_the_engines() -> None:
    found = cross_checked(reduced(*PYRAMID), "degenerate", Limits(seconds=0.001).begin())
    assert found.status is Completeness.UNDECIDED
    assert "max_seconds" in found.reason


def test_disagreement_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    both = {
        "a": (frozenset({(1, 0, 0, 1)}), frozenset()),
        "b": (frozenset({(1, 1, 1, 0)}), frozenset()),
    }
    monkeypatch.setattr(cross_check_module, "_run", lambda *_: (both, []))
    found = cross_checked(reduced(*PYRAMID), "degenerate", Limits())
    assert found.status is Completeness.UNDECIDED
    assert "disagree" in found.reason


def test_a_listed_point_that_is_no_vertex_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    middle = frozenset({(1, 0, 0, 0)})
    monkeypatch.setattr(
        cross_check_module, "_run", lambda *_: (dict.fromkeys("ab", (middle, frozenset())), [])
    )
    found = cross_checked(reduced(*PYRAMID), "degenerate", Limits())
    assert found.status is Completeness.UNDECIDED
    assert "no vertex" in found.reason
