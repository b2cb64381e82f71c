"""Refined coordinates equal rational solves, whatever the scale; bounds refuse what they must."""

from fractions import Fraction

import numpy as np
import pytest

from polytope import Box, CollisionPolytope, verify
from polytope.exact.rational import RationalVector
from polytope.vertices import lifting as lifting_module
from polytope.vertices.exact_bases import ExactRows, walk_to_vertex
from polytope.vertices.lifting import Refined, fits, solve_along_edges
from polytope.vertices.limits import Limits
from polytope.vertices.traverse import Graph, Traversal


def traversed(rows: ExactRows) -> Graph:
    zero = RationalVector((0,) * rows.n)
    vertex, tight = walk_to_vertex(rows.normals, rows.offsets, zero, Limits())
    return Traversal(rows, vertex, limits=Limits()).run(tight)


def boxed_rows(d: int, m: int, bits: int, seed: int) -> ExactRows:
    generator = np.random.default_rng(seed)
    normals = generator.integers(-(2**bits), 2**bits, size=(m, d)).tolist()
    offsets = generator.integers(2**bits, 2 ** (bits + 2), size=m).tolist()
    for j in range(d):
        for sign in (1, -1):
            normals.append([sign * (j == k) for k in range(d)])
            offsets.append(1)
    return ExactRows(normals, offsets, (0,) * len(offsets))


@pytest.mark.parametrize(("d", "m", "bits"), [(3, 10, 5), (4, 12, 24), (5, 14, 30), (4, 10, 42)])
def test_points_equal_rational_solves(d: int, m: int, bits: int) -> None:
    rows = boxed_rows(d, m, bits, seed=bits)
    assert fits(rows)
    graph = traversed(rows)
    assert graph.complete
    assert len(graph.bases) > d
    found = solve_along_edges(rows, graph.bases, graph.neighbors)
    for basis, (den, x) in zip(graph.bases.tolist(), found, strict=True):
        exact = rows.solve(basis)
        assert exact is not None
        assert [Fraction(v, den) for v in x] == [Fraction(v, exact.den) for v in exact.x]


def test_most_points_need_no_rational_solve(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = boxed_rows(5, 14, 24, seed=1)
    graph = traversed(rows)
    solved: list[int] = []
    original = lifting_module._solved

    def counted(rows: ExactRows, basis: list[int]) -> tuple[int, tuple[int, ...]]:
        solved.append(1)
        return original(rows, basis)

    monkeypatch.setattr(lifting_module, "_solved", counted)
    solve_along_edges(rows, graph.bases, graph.neighbors)
    assert len(solved) <= 1 + len(graph.bases) // 20


def test_fixed_point_error_is_within_its_bound() -> None:
    rows = boxed_rows(5, 16, 30, seed=2)
    graph = traversed(rows)
    numbers, scales = Refined(rows).solve(graph.bases[:64], np.repeat([4, 6], 32))
    proved = 0
    for basis, number, scale in zip(graph.bases[:64].tolist(), numbers, scales, strict=True):
        if scale < 0:
            continue
        exact = rows.solve(basis)
        assert exact is not None
        for v, x in zip(number, exact.x, strict=True):
            assert 0 < v - Fraction(x, exact.den) * 2**scale < 2**21
        proved += 1
    assert proved == 64


def test_nothing_is_claimed_about_singular_or_ill_conditioned_bases() -> None:
    tiny = 2**40
    normals = [[tiny, tiny + 1], [tiny - 1, tiny], [1, 1], [1, 1]]
    refined = Refined(ExactRows(normals, [1, 1, 1, 2], (0,) * 4))
    # det = 1 with entries of 40 bits: the condition number is 2^80, beyond any float inverse.
    assert refined.solve(np.array([[0, 1]]), np.array([4]))[1] == [-1]
    assert refined.solve(np.array([[2, 3]]), np.array([4]))[1] == [-1]


def test_large_entries_are_left_to_rational_solves() -> None:
    rows = ExactRows([[2**60, 1], [1, 2]], [1, 1], (0, 0))
    assert not fits(rows)


def test_coordinates_far_from_one() -> None:
    """Vertices near 2^-30 and 2^20 in one set."""
    lower, upper = np.array([0.0, 0.0]), np.array([2.0**-30, 2.0**20])
    weight = np.array([[2.0**30, 2.0**-20]] * 40) * np.linspace(0.5, 1, 40)[:, None]
    weight[:, 0] *= np.linspace(1, 2, 40)
    layer = CollisionPolytope.from_layer(
        weight, -np.ones(40), np.zeros(2), domain=Box(lower, upper)
    )
    found = layer.vertices()
    assert found.complete
    assert all(layer.is_vertex(p) for p in found.points)


@pytest.mark.parametrize("n", [24, 34, 40])
def test_large_bases_whose_least_denominator_is_not_the_determinant(n: int) -> None:
    """A simplex, most rows even but for their offsets: FLINT's denominator is not |det|."""
    generator = np.random.default_rng(3)
    normals = (generator.integers(-3, 4, size=(n, n)) - 50 * np.eye(n, dtype=np.int64)).tolist()
    for k in range(2 * n // 3):
        normals[k] = [2 * v for v in normals[k]]
    offsets = generator.choice([1, 3, 5, 7], size=n).tolist()
    normals.append(generator.integers(40, 61, size=n).tolist())
    offsets.append(1001)
    layer = CollisionPolytope.from_halfspaces(normals, offsets)
    found = layer.vertices()
    assert len(found.points) == n + 1
    assert all(layer.contains(p) for p in found.points)
    assert verify(found.certificate)
