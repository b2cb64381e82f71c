"""Hostile numbers: each is refused in one sentence before any solve, or taken exactly."""

from contextlib import contextmanager
from fractions import Fraction

import numpy as np
import pytest
import torch

from polytope import Box, CollisionPolytope, Free, LPStatus, Nonnegative, verify
from polytope.errors import InputError, UnitError
from polytope.exact import underflow
from polytope.lp import highs
from tests.examples.hostile_numbers import ACCEPTED, BIAS, BOXES, ENDLESS, REFUSED, TARGET, WEIGHT

F = Fraction
build = CollisionPolytope.from_layer
PLAIN = {"weight": WEIGHT, "bias": BIAS, "target": TARGET}


def _build(change):
    given = PLAIN | change
    if "activation" in given:
        given.pop("target")
        return CollisionPolytope.from_activation(**given)
    return build(**given)


@pytest.fixture
def no_solver(monkeypatch):
    """Nothing may be solved before the input is known to be good."""
    monkeypatch.setattr(highs.Proposer, "__init__", lambda *_: pytest.fail("solved"))


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_one_sentence(name, no_solver):
    change, error, message = REFUSED[name]
    with pytest.raises(error, match=message) as caught:
        _build(change)
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 300
    assert text.split(":")[0].split("[")[0] in (
        *PLAIN,
        "activation",
        "tolerance",
        "domain",
        "lower",
    )


@pytest.mark.parametrize("name", BOXES)
def test_boxes_refused(name):
    lower, upper, error, message = BOXES[name]
    with pytest.raises(error, match=message) as caught:
        Box(lower, upper)
    assert str(caught.value).startswith(("lower", "upper"))
    assert len(str(caught.value)) < 300


def _answers(polytope):
    found = polytope.unit_vertex(1)
    return (
        polytope.active_units,
        polytope.layer.pre_activations,
        polytope.dimension().value,
        polytope.kernel_condition().holds,
        (found.status, found.value),
    )


@pytest.mark.parametrize("name", ACCEPTED)
def test_the_same_numbers_in_another_container(name):
    polytope = build(**(PLAIN | ACCEPTED[name]))
    assert _answers(polytope) == _answers(build(**PLAIN))
    verify(polytope.dimension().certificate)


def test_what_is_read_only_stays_as_it_was():
    weight = WEIGHT.copy()
    weight.setflags(write=False)
    assert _answers(build(weight, BIAS, TARGET)) == _answers(build(**PLAIN))


# ---- The smallest and the largest numbers ------------------------------------------------------

TINY = 5e-324


@pytest.fixture(params=[False, True], ids=["kept", "flushed"])
def flush(request):
    """torch may have been told to read subnormals as 0 on this thread: Python then does so, too."""
    assert torch.set_flush_denormal(request.param) or not request.param
    yield request.param
    torch.set_flush_denormal(False)


@contextmanager
def _told(flush):
    """The mode is switched off, with a warning."""
    if flush:
        torch.set_flush_denormal(True)
        with pytest.warns(RuntimeWarning, match="below 2.2e-308 as 0 .* switched off"):
            yield
    else:
        yield


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("torch_tensor", [False, True])
def test_subnormal_weights_are_not_zero(flush, kind, torch_tensor):
    least = F(1, 2**149) if kind is np.float32 else F(1, 2**1074)
    bits = {np.float32: np.uint32, np.float64: np.uint64}[kind]
    weight = np.array([[1], [1 | 1 << (8 * np.dtype(bits).itemsize - 1)]], bits).view(kind)
    given = torch.tensor(weight) if torch_tensor else weight
    with _told(flush):
        polytope = build(given, [0, 0], [1.0])
    assert polytope.layer.pre_activations == (least, -least)
    assert polytope.active_units == (0,)
    assert polytope.dimension().value == 0
    verify(polytope.dimension().certificate)


def test_subnormals_after_the_layer_was_built(flush):
    weight = np.array([[1], [2]], np.uint64).view(np.float64)
    torch.set_flush_denormal(False)
    polytope = build(weight, [0, 0], [1.0])
    with _told(flush):
        assert polytope.layer.pre_activations == (F(1, 2**1074), F(1, 2**1073))
    with _told(flush):
        assert polytope.contains([1.0])
    assert polytope.rank_positive().value == 1


def test_subnormal_biases_images_and_halves():
    half = torch.tensor([[2.0**-24]], dtype=torch.float16)
    assert build(half, [0], [1]).layer.pre_activations == (F(1, 2**24),)
    # A bias that only just keeps the unit off; an image of subnormals.
    polytope = build([[1.0]], [-TINY], [0.0], domain=Box(-1, 1))
    assert polytope.inactive_units == (0,)
    assert not polytope.ties
    assert polytope.contains([TINY])
    assert not polytope.contains([2 * TINY])
    assert build([[1.0]], [0.0], np.array([TINY])).active_units == (0,)


def test_a_thread_that_cannot_be_mended(monkeypatch):
    monkeypatch.setattr(underflow, "_LEAST", 0.0)
    with pytest.raises(InputError, match="set_flush_denormal: expected False on this thread"):
        build([[1.0]], [0.0], [1.0])


def test_minus_zero_is_zero():
    polytope = build([[-0.0, 1.0]], [-0.0], [1.0, -0.0], domain=Box(-0.0, 1))
    assert polytope.ties == (0,)
    assert polytope.layer.pre_activations == (0,)
    assert polytope.contains([0.0, -0.0])


@pytest.mark.parametrize("exponent", [308, -308])
def test_sums_that_no_float_holds(exponent):
    # 1e308 + 1e308 is infinite in floats, 1e-308 / 2 loses its last bits.
    big = float(f"1e{exponent}")
    polytope = build([[big, big], [big, -big]], [0.0, -big], [0.5, 1.0], domain=Box(0, 1))
    assert polytope.layer.pre_activations == (F(big) * 3 / 2, F(big) * -3 / 2)
    found = polytope.unit_vertex(1)
    assert found.status is LPStatus.OPTIMAL
    assert found.value == F(big) * -3 / 2
    verify(found.certificate)


def test_denominators_of_thousands_of_bits():
    long = F(1, 3**2000)
    polytope = build([[1, long], [-1, 1]], [0, -2], [1, 1 / (long + 7)], domain=Box(-9, 9))
    assert polytope.active_units == (0,)
    assert polytope.dimension().value == 1
    for result in (polytope.dimension(), polytope.unit_vertex(1), polytope.boundedness()):
        verify(result.certificate)


def test_a_tolerance_that_dwarfs_everything():
    polytope = build(WEIGHT, BIAS, TARGET, domain=Box(0, 1), tolerance=1e308)
    assert polytope.dimension().value == 2
    assert polytope.contains([1, 0])
    polytope = build(WEIGHT, BIAS, TARGET, domain=Box(0, 1), tolerance=TINY)
    assert not polytope.contains([1, 0])
    assert polytope.contains(TARGET)
    verify(polytope.dimension().certificate)


@pytest.mark.parametrize(
    ("question", "error"),
    [
        (lambda p: p.unit_vertex(ENDLESS), UnitError),
        (lambda p: p.unit_vertices([ENDLESS]), UnitError),
        (lambda p: p.vertices(max_count=-ENDLESS), InputError),
        (lambda p: p.vertices(max_seconds=-ENDLESS), InputError),
        (lambda p: p.extents([ENDLESS]), InputError),
        (lambda p: p.sample(-ENDLESS), InputError),
        (lambda p: p.sample(2, method=ENDLESS), InputError),
        (lambda p: p.diameter(method=ENDLESS), InputError),
        (lambda p: p.nearest(TARGET, norm=ENDLESS), InputError),
        (lambda p: p.mean_width(directions=-ENDLESS), InputError),
    ],
)
def test_ints_too_long_to_write(question, error):
    with pytest.raises(error, match=r"expected .* got (a number of type int with thous|about)"):
        question(build(WEIGHT, BIAS, TARGET, domain=Box(0, 1)))


# ---- Legal, though odd -------------------------------------------------------------------------


@pytest.mark.parametrize("domain", [Free(), Nonnegative(), Box(0, 1), Box([0, 1], 1)], ids=str)
@pytest.mark.parametrize("tolerance", [0, 0.5])
@pytest.mark.parametrize("made", ["layer", "activation"])
def test_a_layer_without_units_is_the_domain(domain, tolerance, made):
    weight, options = np.zeros((0, 2), np.float32), {"domain": domain, "tolerance": tolerance}
    if made == "layer":
        polytope = build(weight, [], [1, 1], **options)
    else:
        polytope = CollisionPolytope.from_activation(weight, [], [], **options)
    box = isinstance(domain, Box)
    flat = box and isinstance(domain.lower, list)
    assert (polytope.n_units, polytope.n_positive, polytope.ties) == (0, 0, ())
    assert polytope.dimension().value == (1 if flat else 2)
    assert polytope.lineality().dimension == (2 if isinstance(domain, Free) else 0)
    assert polytope.boundedness().bounded is box
    assert polytope.feasibility().feasible
    assert polytope.kernel_condition().holds
    assert polytope.uniqueness().unique is False
    assert polytope.contains([1, 1])
    assert polytope.contains([2, 2]) is not box
    assert polytope.residuals([0.5, 1]).smallest_tolerance == 0
    assert polytope.unit_vertices() == {}
    points = {Free: 1, Nonnegative: 1, Box: 2 if flat else 4}
    listed = polytope.vertices()
    assert len(listed.points) == points[type(domain)]
    assert polytope.nearest([5, 5]).distance == (4 if box else 0)
    lowest = polytope.minimize([1, 1])
    assert lowest.value == (None if isinstance(domain, Free) else 1 if flat else 0)
    assert polytope.chebyshev_ball().dimension == polytope.dimension().value
    for result in (polytope.dimension(), polytope.boundedness(), listed, lowest):
        verify(result.certificate)


@pytest.mark.parametrize(
    ("bias", "value"), [([50, 50, 50], 0), ([-50, -50, -50], 2), ([50, 50, -50], 0)]
)
def test_all_or_none_active(bias, value):
    # N+ >= d with full rank is a single point; without an active unit only inequalities are left.
    polytope = build([[1, 2], [3, 4], [5, 6]], bias, [1, 1])
    assert polytope.dimension().value == value
    verify(polytope.dimension().certificate)


def test_zero_repeated_and_contradicting_rows():
    rows = [[1, 1], [1, 1], [3, 3], [0, 0], [0, 0]]
    polytope = build(rows, [1, 1, 3, 2, -2], [1, 1])
    assert polytope.active_units == (0, 1, 2, 3)
    assert polytope.rank_positive().value == 1
    assert polytope.dimension().value == 1
    wanted = CollisionPolytope.from_activation(rows, [1, 1, 3, 2, -2], [3, 3, 9, 2, 0])
    assert wanted.feasibility().feasible
    for second in (3 + F(1, 2**100), 3 + F(TINY)):
        broken = CollisionPolytope.from_activation(rows, [1, 1, 3, 2, -2], [3, second, 9, 2, 0])
        assert broken.feasibility().feasible is False
        verify(broken.feasibility().certificate)
    dead = CollisionPolytope.from_activation(rows, [1, 1, 3, 2, -2], [3, 3, 9, 2, F(TINY)])
    assert dead.feasibility().feasible is False


@pytest.mark.parametrize(
    ("weight", "bias", "bounded", "dimension"),
    [
        ([1.0], 1.0, True, 0),
        ([1.0], -2.0, False, 1),
        ([0.0], 1.0, False, 1),
        ([TINY], 0.0, True, 0),
    ],
)
def test_one_input(weight, bias, bounded, dimension):
    polytope = build([weight], [bias], [1.0])
    assert polytope.boundedness().bounded is bounded
    assert polytope.dimension().value == dimension
    verify(polytope.boundedness().certificate)
