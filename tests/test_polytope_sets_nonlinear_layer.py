"""Collision polytopes of other functions than the ReLU."""

import pickle
from fractions import Fraction as F

import mpmath
import numpy as np
import pytest

from polytope import Box, CollisionPolytope, Nonnegative, verify
from polytope.errors import DomainError, InputError, ShapeError
from polytope.sets.layer import Layer
from polytope.sets.nonlinear_layer import NonlinearLayer
from tests.oracles.functions import LINEAR, SMOOTH, defined, mp

build = CollisionPolytope.from_layer


def test_relu_is_the_layer_of_the_paper():
    assert type(build([[1]], [0], [1], nonlinearity="relu").layer) is Layer
    assert type(build([[1]], [0], [1], nonlinearity="tanh", tolerance=1).layer) is NonlinearLayer


def test_a_saturated_unit_has_one_side():
    """One unit at 20, one at 1/2: the first may grow, the second stays."""
    P = build([[1, 0], [0, 1]], [0, 0], [20, 0.5], tolerance=0.01, nonlinearity="tanh")
    (low, high), (left, right) = P.layer.intervals
    assert high is None
    assert float(low) == pytest.approx(2.6466524123622457, abs=1e-14)  # atanh(0.99)
    with mpmath.workdps(50):
        exact = [mpmath.atanh(mpmath.tanh(0.5) + s * mpmath.mpf(0.01)) for s in (-1, 1)]
        assert abs(mp(left) - exact[0]) < 1e-20
        assert abs(mp(right) - exact[1]) < 1e-20
        assert mp(left) >= exact[0]
        assert mp(right) <= exact[1]
    assert P.layer.saturated == (0,)
    assert P.dimension().value == 2
    assert not P.boundedness().bounded
    assert P.unit_vertex(0).value == low
    assert repr(P).endswith("domain=Free, nonlinearity=tanh, rounding=inner)")


@pytest.mark.parametrize("name", [*SMOOTH, *LINEAR])
def test_what_is_found_truly_collides_and_what_is_left_out_does_not(name):
    """Inner vertices are within the tolerance of the true function, outer ones not inside of it."""
    rng = np.random.default_rng(3)
    weight, bias = rng.standard_normal((3, 2)).astype(np.float32), [0.25, -0.5, 0]
    target, reference = np.array([0.5, 0.25]), defined(name)
    given = {"domain": Box(-2, 2), "tolerance": 0.01, "nonlinearity": name}
    inner, outer = (
        build(weight, bias, target, rounding=rounding, **given) for rounding in ("inner", "outer")
    )
    with mpmath.workdps(60):
        z = [mp(v) for v in inner.layer.pre_activations]
        e = mp(F(0.01))

        def worst(point):
            found = [mp(v) for v in inner.residuals(point).pre_activation]
            return max(abs(reference(a) - reference(b)) for a, b in zip(found, z, strict=True))

        for cost in rng.integers(-3, 4, (6, 2)).tolist():
            if not any(cost):
                continue
            near, far = inner.minimize(cost), outer.minimize(cost)
            assert verify(near.certificate)
            assert verify(far.certificate)
            assert far.value <= near.value
            assert float(near.value) == pytest.approx(float(far.value), abs=1e-12)
            assert worst(near.point) <= e + mpmath.mpf(10) ** -50
            at_box = max(abs(v) for v in far.point) == 2
            assert at_box or worst(far.point) >= e - mpmath.mpf(10) ** -50


def test_the_smallest_tolerance_is_that_of_the_true_function():
    P = build([[1], [2]], [0, 0], [0.5], tolerance=1, nonlinearity="tanh")
    found = P.residuals([0.25])
    with mpmath.workdps(100):
        true = max(
            abs(mpmath.tanh(k * mpmath.mpf(0.25)) - mpmath.tanh(k * mpmath.mpf(0.5)))
            for k in (1, 2)
        )
        assert 0 <= mp(found.smallest_tolerance) - true < 1e-50
    assert P.residuals([0.5]).smallest_tolerance == 0
    hard = build([[1]], [0], [0.5], nonlinearity="hard_tanh")
    assert hard.residuals([3]).smallest_tolerance == F(1, 2)
    wanted = CollisionPolytope.from_activation(
        [[1]], [0], [0.5], tolerance=0.25, nonlinearity="sigmoid"
    )
    assert wanted.residuals([0]).smallest_tolerance == 0
    assert 0.231 < wanted.residuals([1]).smallest_tolerance < 0.2311


def test_without_a_tolerance_all_units_are_equations():
    """Strictly increasing functions: the preimage of a point, as far as the target says it."""
    for name in SMOOTH:
        P = build([[1, 1, 0], [0, 1, 1]], [0, 1], [1, 2, 3], nonlinearity=name)
        assert P.n_positive == 2
        assert P.dimension().value == 1
        assert verify(P.dimension().certificate)
        assert P.contains([2, 1, 4])
        assert not P.contains([2, 1, 5])
    flat = build([[1, 1, 0], [0, 1, 1]], [0, 1], [1, 2, 3], nonlinearity="hard_tanh")
    assert flat.layer.intervals == ((1, None), (1, None))


def test_a_tolerance_beyond_the_range_leaves_the_domain():
    P = build([[1, 2]], [0], [0.5, 0.5], domain=Box(0, 1), tolerance=2.5, nonlinearity="tanh")
    assert P.layer.system.rows == ()
    assert P.vertices().certificate is not None
    assert len(P.vertices().vertices) == 4


def test_wanted_values_that_no_input_has():
    ask = CollisionPolytope.from_activation
    with pytest.raises(InputError, match=r"an attainable one at unit 1: 1\.0 is"):
        ask([[1], [2]], [0, 0], [0, 1.0], nonlinearity="tanh")
    with pytest.raises(InputError, match="has an irrational solution, which no rational row"):
        ask([[1]], [0], [0.5], nonlinearity="tanh")
    assert ask([[1]], [0], [1.0], nonlinearity="tanh", tolerance=0.5).layer.saturated == (0,)
    assert ask([[1], [1]], [0, 1], [0, 0], nonlinearity="tanh").feasibility().feasible is False


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match="nonlinearity: expected one of relu, sigmoid"):
        build([[1]], [0], [1], nonlinearity="sine")
    with pytest.raises(InputError, match="rounding: expected 'inner' or 'outer', got 'near'"):
        build([[1]], [0], [1], nonlinearity="tanh", rounding="near")
    with pytest.raises(InputError, match="tolerance: expected a number >= 0, got -1"):
        build([[1]], [0], [1], nonlinearity="tanh", tolerance=-1)
    with pytest.raises(DomainError, match="target: expected a point of the domain, got -1"):
        build([[1]], [0], [-1], nonlinearity="tanh", domain=Nonnegative())
    with pytest.raises(ShapeError, match="target: expected length 1"):
        build([[1]], [0], [1, 2], nonlinearity="tanh")
    with pytest.raises(InputError, match="nonlinearity: expected another one than relu"):
        NonlinearLayer.of("relu", [[1]], [0], target=[1])


def test_it_has_no_active_set_and_travels_light():
    P = build([[1]], [0], [1], nonlinearity="sigmoid", tolerance=0.1)
    with pytest.raises(InputError, match="of a ReLU layer, got a set of Nonlinear"):
        P.active_set()
    again = pickle.loads(pickle.dumps(P.layer))
    assert "intervals" not in again.__dict__
    assert again.intervals == P.layer.intervals


def test_products_keep_their_function():
    P = build([[1, 0], [0, 2]], [0, 0], [1, 2], nonlinearity="softplus", tolerance=0.1)
    first, second = P.factors()
    assert first.polytope.layer.intervals == P.layer.intervals[:1]
    assert second.polytope.layer.nonlinearity == "softplus"
