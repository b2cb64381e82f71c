"""Is every answer shown in a line?  Whatever can be reached from a public one is walked."""

import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np
import pytest
import torch

import optimize
import polytope
from optimize import compare, exact_layer, find_vertices, input_polytope
from polytope import Box, CollisionPolytope, Nonnegative, RationalVector
from polytope.answers.results import Dimension, bound_in_words
from polytope.exact.brief import Brief, brief
from polytope.network.neighbours import explore

LONGEST = 200  # characters: a line or two of a terminal
PACKAGES = ("polytope", "optimize")


def answers(polytope, *, small):
    """What a polytope says to every question that its size allows."""
    unit = polytope.inactive_units[0]
    vertex = polytope.unit_vertex(unit)
    point = vertex.point
    yield from (polytope, vertex, polytope.feasibility(), polytope.boundedness())
    yield from (polytope.dimension(), polytope.lineality(), polytope.rank_positive())
    yield from (polytope.kernel_condition(), polytope.residuals(point), polytope.active_set())
    yield from (polytope.tight_constraints(point), polytope.membership(point))
    yield from (polytope.factors(), polytope.repeated_units(), polytope.purify(point))
    if small:
        yield from (polytope.extents(), polytope.objective_bounds([1] * polytope.n_inputs))
        listed = polytope.vertices()
        yield from (listed, polytope.uniqueness(), polytope.redundancy(), polytope.facets())
        yield from (polytope.implicit_equalities(), polytope.volume(), polytope.mean_width())
        yield from (polytope.chebyshev_ball(), polytope.inscribed_ellipsoid())
        yield from (polytope.diameter(), polytope.mean_pairwise_distance())
        yield from (polytope.hausdorff_distance(listed.points), polytope.estimate_vertices())
        yield from (polytope.nearest([9] * polytope.n_inputs, norm=n) for n in ("l1", "l2", "linf"))


def ours(value):
    return type(value).__module__.partition(".")[0] in PACKAGES


def reached(value, seen):
    """Every object of ours that can be reached from a value by its attributes and entries."""
    if id(value) in seen:
        return
    seen[id(value)] = value
    if ours(value):
        yield value
        names = [f.name for f in dataclasses.fields(value)] if is_data(value) else ()
        for name in names or list(getattr(value, "__dict__", ())):
            yield from reached(getattr(value, name), seen)
        if isinstance(value, polytope.Certificate):
            yield from reached(value.witness, seen)
    elif isinstance(value, Mapping):
        for each in list(value.values())[:9]:
            yield from reached(each, seen)
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for each in list(value[:9]):
            yield from reached(each, seen)


def is_data(value):
    return dataclasses.is_dataclass(value)


def layer(shape, seed=0):
    numbers = np.random.default_rng(seed)
    weight, bias = numbers.normal(size=shape), numbers.normal(size=shape[0])
    return weight.astype(np.float32), bias.astype(np.float32), numbers.random(shape[1])


def mnist_sized():
    return CollisionPolytope.from_layer(*layer((256, 784)), domain=Box([0] * 784, [1.0] * 784))


def tiny():
    return CollisionPolytope.from_layer(*layer((4, 3)), domain=Box(0, 1))


def network():
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Linear(6, 8), torch.nn.ReLU(), torch.nn.Linear(8, 5), torch.nn.ReLU()
    )
    target = torch.rand(6)
    deep = input_polytope(model, "2", target, domain=Box(0, 1))
    search = find_vertices(model, "2", target, units=2, bounds=(0, 1), progress=False)
    layer = exact_layer(model, "2", target)
    return (
        deep,
        search,
        compare(deep, search, progress=False),
        layer,
        explore(deep, deep.inactive_units[0], max_pieces=3),
    )


@pytest.mark.parametrize(
    "asked",
    [
        lambda: list(answers(mnist_sized(), small=False)),
        lambda: list(answers(tiny(), small=True)),
        network,
    ],
    ids=["mnist", "tiny", "network"],
)
def test_every_answer_is_a_line(asked):
    found = list(reached(asked(), {}))
    assert len({type(value) for value in found}) > 12
    for value in found:
        text = repr(value)
        assert len(text) <= LONGEST, (type(value), len(text), text[:300])
        assert "\n" not in text
        assert " object at 0x" not in text or type(value).__name__.startswith("_"), text


def test_a_unit_vertex_of_a_layer_of_mnist_says_what_was_proved():
    P = mnist_sized()
    found = P.unit_vertex(P.inactive_units[0])
    assert repr(found).startswith("LPResult(status=OPTIMAL, value=about -")
    assert repr(found.point).startswith("RationalVector(<784 numbers over a denominator of ")
    lines = str(found.point).splitlines()
    assert "..." in lines[0]
    assert lines[-1] == (
        "(784 exact numbers, shown as the nearest floats; [i] and list() read the Fractions)"
    )
    assert isinstance(found.point[0], Fraction)


def test_a_short_vector_is_written_out():
    vector = RationalVector((1, -2), 4)
    assert repr(vector) == "RationalVector((1, -2), 4)"
    assert str(vector).startswith("[ 0.25 -0.5 ]\n(2 exact numbers")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Fraction(-3, 7), "-3/7"),
        (Fraction(10**400 + 1, 10**400), "about 1.0"),
        (Fraction(10**400), "about inf"),
        (1 << 5000, "<5001 bits>"),
        (True, "True"),
        (0.1 + 0.2, "0.3"),
        ("a" * 200, f"'{'a' * 94} ...'"),
        ((1, Fraction(1, 2)), "(1, 1/2)"),
        (range(9), "<9 entries>"),
        ({"a": (1, 2)}, "{a: (1, 2)}"),
        (np.zeros((2, 3), np.float32), "<2 x 3 float32>"),
        (torch.zeros(2, 3), "<2 x 3 torch.float32>"),
        (np.float32(0.5), "<one float32>"),
        (RationalVector((1, 2), 3), "(1/3, 2/3)"),
        (frozenset([3]), "(3)"),
        (None, "None"),
    ],
)
def test_a_value_in_a_few_words(value, words):
    assert brief(value) == words


def test_what_says_nothing_is_left_out():
    assert repr(Dimension(2, 3, None)) == "Dimension(value=2, paper_bound=3, certificate=None)"
    assert repr(polytope.LPResult(polytope.LPStatus.EMPTY)) == "LPResult(status=EMPTY)"


def test_a_reason_of_a_page_is_cut():
    text = repr(Dimension(None, 3, None, "because " * 99))
    assert len(text) <= LONGEST
    assert text.endswith("becaus ...')")


def test_where_the_proposition_says_nothing():
    P = CollisionPolytope.from_layer(np.ones((9, 2)), np.ones(9), [1, 1])
    found = P.dimension()
    assert (found.value, found.paper_bound) == (1, -7)
    assert "paper_bound=-7 (Proposition 1 does not apply: N+ >= d)" in repr(found)
    assert "does not apply" in found._repr_html_()
    assert bound_in_words(0) == "0 (Proposition 1 does not apply: N+ >= d)"
    assert bound_in_words(1652) == "1,652"
    few = CollisionPolytope.from_layer([[1, 1]], [1], [1, 1])
    assert "paper_bound=1, " in repr(few.dimension())


def test_tables_of_a_notebook():
    P = tiny()
    listed = P.vertices()
    table = listed._repr_html_()
    assert table.count("<tr>") == 1 + min(8, len(listed.points))
    assert "<td>point 0</td>" in table
    assert f"points={len(listed.points)}" in table
    cone = CollisionPolytope.from_layer([[1, 1]], [0], [0, 0], domain=Nonnegative())
    assert "<td>line 0</td>" not in cone.vertices()._repr_html_()
    empty = CollisionPolytope.from_activation([[1]], [0], [2], domain=Box(0, 1)).vertices()
    assert "EMPTY" in empty._repr_html_()
    assert "<td>value</td>" in P.dimension()._repr_html_()
    wide = mnist_sized()
    assert len(wide.unit_vertex(wide.inactive_units[0])._repr_html_()) < 1000
    assert "<td>n_inputs</td><td>784</td>" in wide._repr_html_()


def test_a_table_escapes_what_a_file_says():
    assert "<b>" not in Dimension(None, 1, None, "<b>")._repr_html_()


def public_dataclasses():
    for package in (polytope, optimize):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            module = importlib.import_module(found.name)
            for name, kind in vars(module).items():
                if inspect.isclass(kind) and is_data(kind) and kind.__module__ == module.__name__:
                    yield f"{module.__name__}.{name}", kind


def test_what_is_brief_is_not_shown_by_the_dataclass():
    """A dataclass writes its own ``repr`` over an inherited one, unless it is told not to."""
    found = [(name, kind) for name, kind in public_dataclasses() if issubclass(kind, Brief)]
    assert len(found) > 40
    assert [name for name, kind in found if "__repr__" in vars(kind)] == []
