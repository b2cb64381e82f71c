"""Charts, sets seen from inside, and outward rounding: exact identities and hand-made numbers."""

from fractions import Fraction
from math import inf, nextafter

import numpy as np
import pytest

from polytope import RationalVector
from polytope.answers.generators import Bound, Chart, Completeness, Generators
from polytope.errors import InputError
from polytope.exact.roots import nearest_root, outward, root_bounds, root_interval, root_sum
from polytope.measures.local import (
    Around,
    balanced,
    charted,
    embedded,
    gram,
    local_points,
    local_rows,
    scaled_floats,
)
from tests.oracles.hand_made import cube, flat_degenerate, flat_simplex, hand_made

F = Fraction


@pytest.mark.parametrize("P", [flat_simplex(3), flat_degenerate(0), cube(2)])
def test_local_rows_are_the_halfspaces_on_the_hull(P):
    generators = hand_made(P)
    rows = local_rows(P.layer.system, generators.chart, generators.halfspaces)
    for point, line in zip(local_points(generators), generators.incidence, strict=True):
        for normal, rhs, tight in zip(rows.normals, rows.rhs, line, strict=True):
            value = sum(a * u for a, u in zip(normal, point, strict=True))
            assert (value == rhs) == tight
            assert value <= rhs
    embedded_points = {embedded(generators.chart, list(u)) for u in local_points(generators)}
    assert embedded_points == set(generators.points)


def test_a_bound_that_is_not_there_is_refused():
    P = cube(2)
    with pytest.raises(InputError, match="expected bounds of the domain, got Bound"):
        local_rows(P.layer.system, hand_made(P).chart, [Bound("upper", 0)])
    with pytest.raises(InputError, match="with a chart, got status EMPTY"):
        charted(Generators(Completeness.EMPTY))


def test_balanced_charts_describe_the_same_hull():
    big = F(10**30)
    chart = Chart((0, 1), (F(0), F(0), F(7)), ((F(1), F(0)), (F(0), F(1)), (big, -3 * big)))
    other = balanced(chart)
    assert max(abs(v) for row in other.basis for v in row) <= 2
    for u in ((0, 0), (1, 0), (F(2, 3), -5)):
        x = embedded(other, [F(v) for v in u])
        assert x == embedded(chart, [x[j] for j in chart.columns])
        assert [x[j] for j in other.columns] == list(u)
    # volumes times the root of the Gram determinant do not depend on the chart
    turned = [[other.basis[j][c] for c in range(2)] for j in chart.columns]
    det = turned[0][0] * turned[1][1] - turned[0][1] * turned[1][0]
    assert gram(other) == gram(chart) * det**2


def test_rates_are_accurate_however_small_the_set():
    P = flat_simplex(1)
    generators = hand_made(P)
    rows = local_rows(P.layer.system, generators.chart, generators.halfspaces)
    near = RationalVector.of([F(1, 2**80)])
    around = Around(rows, near)
    assert around.is_inside
    assert sorted(around.rates.ravel().tolist()) == [-(2.0**80), float(1 / (1 - F(1, 2**80)))]


@pytest.mark.parametrize(
    "square", [F(0), F(4), F(2), F(1, 3), F(2) ** 2500, F(1, 7**900), F(10**40 + 1)]
)
def test_roots_are_enclosed(square):
    low, high = root_interval(square)
    assert low**2 <= square <= high**2
    assert high - low <= low / 2**100
    below, above = root_bounds(square)
    assert below <= nearest_root(square) <= above
    assert below == inf or F(below) ** 2 <= square
    assert above == inf or square <= F(above) ** 2


def test_outward_rounding():
    assert outward(F(1, 2)) == (0.5, 0.5)
    assert outward(F(1, 3))[1] == nextafter(outward(F(1, 3))[0], inf)
    assert outward(F(10) ** 400)[1] == inf
    assert outward(F(10) ** 400)[0] < inf
    assert outward(-(F(10) ** 400))[0] == -inf
    assert root_sum([F(4), F(9)]) == (5, 5)


def test_scaled_floats_keep_every_digit_of_huge_and_tiny_points():
    points = [RationalVector.of([F(3, 2**1100), F(-1, 2**1102)])]
    floats, exponent = scaled_floats(points)
    assert np.abs(floats).max() <= 1
    assert F(floats[0, 0]) * F(2) ** exponent == F(3, 2**1100)
