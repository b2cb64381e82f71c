import random
from fractions import Fraction

import numpy as np
import pytest

from polytope import CollisionPolytope
from polytope.exact.rational import RationalVector
from polytope.sets.halfspaces import Multipliers, Row


def weights(kind, rng, n_units, n_inputs):
    if kind == "float32":
        return rng.standard_normal((n_units, n_inputs), dtype=np.float32)
    if kind == "wide float64":
        powers = rng.integers(-300, 300, (n_units, n_inputs))
        return np.ldexp(rng.standard_normal((n_units, n_inputs)), powers)
    if kind == "int":
        return rng.integers(-5, 6, (n_units, n_inputs))
    if kind == "sparse float16":
        values = np.round(2 * rng.standard_normal((n_units, n_inputs))).astype(np.float16)
        values[rng.random((n_units, n_inputs)) < 0.6] = 0
        return values
    tops = rng.integers(-9, 10, (n_units, n_inputs)).tolist()
    bottoms = rng.integers(1, 9, (n_units, n_inputs)).tolist()
    return [
        [Fraction(*q) for q in zip(*pair, strict=True)] for pair in zip(tops, bottoms, strict=True)
    ]


KINDS = ["float32", "wide float64", "int", "sparse float16", "Fraction"]


@pytest.fixture(params=[(kind, seed) for kind in KINDS for seed in range(6)], ids=str)
def both(request):
    """A system, and its weights as plain Fractions."""
    kind, seed = request.param
    rng = np.random.default_rng(seed)
    n_units, n_inputs = (int(n) for n in rng.integers(1, 8, 2))
    layer = CollisionPolytope.from_layer(
        weights(kind, rng, n_units, n_inputs), np.ones(n_units), np.zeros(n_inputs)
    ).layer
    flat = layer.weight.fractions()
    rows = [flat[i * n_inputs : (i + 1) * n_inputs] for i in range(n_units)]
    return layer.system, rows


def test_integer_rows_are_scaled_by_the_least_common_denominator(both):
    system, rows = both
    for i, row in enumerate(rows):
        assert system.scale(i) == np.lcm.reduce([v.denominator for v in row], dtype=object)
        assert system.integer_row(i) == [v * system.scale(i) for v in row]


def test_float_rows_are_integer_rows_over_a_power_of_two(both):
    system, _ = both
    floats, bits = system.float_rows
    for i, exponent in enumerate(bits):
        integers = system.integer_row(i)
        assert exponent == max(map(abs, integers)).bit_length()
        for found, value in zip(floats[i], integers, strict=True):
            exact = Fraction(value, 1 << exponent)
            # Entries that fall out of the float range may vanish, nothing else may change.
            assert found == float(exact)
        if exponent:
            assert 0.5 <= np.abs(floats[i]).max() <= 1


@pytest.mark.parametrize("bits", [40, 900])  # on both sides of the size where FLINT multiplies
def test_values_and_combinations_are_exact(both, bits):
    system, rows = both
    numbers = random.Random(bits)
    x = RationalVector(
        tuple(
            numbers.getrandbits(bits) - numbers.getrandbits(bits) for _ in range(system.n_inputs)
        ),
        numbers.getrandbits(bits) | 1,
    )
    assert system.values(x) == [sum(a * v for a, v in zip(row, x, strict=True)) for row in rows]
    factors = [numbers.getrandbits(bits) for _ in rows]
    names = [Row("upper", i) for i in range(len(rows))]
    combined = system.combine(Multipliers(dict(zip(names, factors, strict=True)), 7))
    for j, value in enumerate(combined):
        assert value == sum(Fraction(f, 7) * row[j] for f, row in zip(factors, rows, strict=True))


@pytest.mark.parametrize("bits", [40, 900])
def test_upper_and_lower_row_of_one_unit_subtract(bits):
    layer = CollisionPolytope.from_layer([[3, -1]], [0], [1, 0], tolerance=1).layer
    large = 1 << bits
    multipliers = Multipliers({Row("upper", 0): large, Row("lower", 0): large - 2})
    assert list(layer.system.combine(multipliers)) == [6, -2]
