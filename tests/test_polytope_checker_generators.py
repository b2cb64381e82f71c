"""Complete lists of vertices, rays and lines: no list with a gap is accepted, nor one with more."""

import copy
import tracemalloc
from fractions import Fraction as F

import pytest

from polytope import checker
from tests.examples.certificate_forms import (
    bare,
    bases,
    box,
    generators,
    inequality,
    minor,
    moved,
    mult,
    problem,
    vec,
)
from tests.examples.certificate_generators import GENERATORS
from tests.examples.certificate_layers import E0, SQUARE, TIES, TRIANGLE, U0, U1, UNIT_BOX
from tests.oracles.certificate_arrays import vector
from tests.oracles.certificate_oracle import is_true


def refusal(bad):
    with pytest.raises(checker.CheckError) as caught:
        checker.check(bad)
    return caught.value.code, str(caught.value)


def accepted(document):
    try:
        checker.check(document)
    except checker.CheckError:
        return False
    return True


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("square", "exactly these 4 vertices, 0 extreme rays and 0 lines"),
        ("rays", "exactly these 2 vertices, 2 extreme rays and 0 lines"),
        ("lines", "exactly these 1 point, one on each minimal face, 0 extreme rays and 2 lines"),
        ("pyramid", "exactly these 5 vertices, 0 extreme rays"),
    ],
)
def test_the_lists_are_counted_in_words(name, words):
    assert words in checker.check(GENERATORS[f"generators, {name}"])


@pytest.mark.parametrize(
    ("name", "part"),
    [
        (name, part)
        for name in GENERATORS
        for part in ("points", "rays", "lines")
        if GENERATORS[name]["claim"][part]
    ],
)
def test_dropped_doubled_and_changed_entries(name, part):
    """Every entry in turn; a ray or line may be scaled, a line replaced, everything else not."""
    example = GENERATORS[name]
    for k, item in enumerate(example["claim"][part]):
        dropped = copy.deepcopy(example)
        del dropped["claim"][part][k]
        assert not is_true(dropped)
        assert refusal(dropped)[0] in (checker.REFUSED, checker.MALFORMED)
        doubled = copy.deepcopy(example)
        doubled["claim"][part].append(item)
        assert not is_true(doubled)
        assert refusal(doubled)[0] == checker.REFUSED
        for j in range(len(vector(item))):
            for step in (1, -1, F(1, 7)):
                values = vector(item)
                values[j] += step
                other = copy.deepcopy(example)
                other["claim"][part][k] = vec(values)
                assert not accepted(other) or (part != "points" and is_true(other))


@pytest.mark.parametrize("name", [name for name in GENERATORS if GENERATORS[name]["claim"]["rays"]])
def test_rays_have_a_direction_only(name):
    longer = copy.deepcopy(GENERATORS[name])
    for k, ray in enumerate(longer["claim"]["rays"]):
        longer["claim"]["rays"][k] = vec([3 * v for v in vector(ray)])
    checker.check(longer)
    longer["claim"]["rays"][0] = vec([-v for v in vector(longer["claim"]["rays"][0])])
    assert refusal(longer)[0] == checker.REFUSED
    longer["claim"]["rays"][0] = vec([0] * len(vector(longer["claim"]["rays"][0])))
    assert refusal(longer)[0] == checker.REFUSED


PERTURBED = [name for name in GENERATORS if GENERATORS[name]["witness"]["bases"] is not None]


@pytest.mark.parametrize("name", PERTURBED)
def test_dropped_doubled_and_changed_bases(name):
    example = GENERATORS[name]
    for k, basis in enumerate(example["witness"]["bases"]):
        dropped = copy.deepcopy(example)
        del dropped["witness"]["bases"][k]
        assert refusal(dropped)[0] == checker.REFUSED
        doubled = copy.deepcopy(example)
        doubled["witness"]["bases"].append(basis)
        assert refusal(doubled)[1] == "two tight sets of sides are the same"
        for point in range(len(example["claim"]["points"])):
            other = copy.deepcopy(example)
            other["witness"]["bases"][k]["point"] = point
            assert accepted(other) == (point == basis["point"])
        for j in range(len(vector(basis["shift"]))):
            for step in (1, -1, F(1, 7)):
                other = copy.deepcopy(example)
                values = vector(basis["shift"])
                values[j] += step
                other["witness"]["bases"][k]["shift"] = vec(values)
                assert refusal(other)[0] == checker.REFUSED


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        (("perturbation",), moved(5, 3), "a shift leaves the perturbed set"),
        (("perturbation",), moved(5, 3, upper={0: -1}), "the perturbation is negative somewhere"),
        (("perturbation",), moved(5, 3, upper={0: 2}), "tight sides"),
        (("perturbation",), moved(5, 3, upper={0: 1, 4: 1}), "tight sides"),
        (("perturbation",), None, "perturbation must be of type dict"),
        (("bases",), None, "bases must be of type list"),
        (("bases",), [], "a point is in no basis"),
        (("bases", 0, "point"), 5, "point must lie in 0..4"),
        (("bases", 0, "point"), -1, "point must lie in 0..4"),
        (("bases", 0), {"point": 0}, "needs exactly the keys point shift"),
        (("pivots",), [0], "not 0 at a pivot"),
        (("implicit",), mult(5, upper={0: 1}), "there is no row|do not give the bound 0"),
        (("minor",), minor([[1, 0, 1]], [U0], [0]), "not a row to use here"),
    ],
)
def test_spoiled_witnesses_of_the_pyramid(path, value, reason):
    bad = copy.deepcopy(GENERATORS["generators, pyramid"])
    place = bad["witness"]
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert any(part in refusal(bad)[1] for part in reason.split("|"))


def test_without_a_perturbation_the_pyramid_proves_nothing():
    bad = copy.deepcopy(GENERATORS["generators, pyramid"])
    bad["witness"] |= {"perturbation": None, "bases": None}
    assert refusal(bad) == (3, "a point or basis has not 3 tight sides")


@pytest.mark.parametrize(
    ("name", "pivots"), [("half-plane", [1]), ("half-plane", []), ("lines", [2, 0]), ("lines", [0])]
)
def test_wrong_pivots(name, pivots):
    bad = copy.deepcopy(GENERATORS[f"generators, {name}"])
    bad["witness"]["pivots"] = pivots
    assert refusal(bad)[0] == checker.REFUSED


def test_gaps_that_look_closed():
    """Lists in which much, but not all, fits together."""
    square = bare([0, 0], UNIT_BOX)
    # Two components would each be closed: a set is connected, so the second is not in C.
    far = [[0, 0], [1, 0], [0, 1], [1, 1], [5, 5]]
    assert refusal(generators(square, far))[1].startswith("the point violates [('ceiling'")
    # A face in place of the set: x = 0 is not implicit.
    assert refusal(generators(square, [[0, 0], [0, 1]]))[0] == checker.REFUSED
    stated = generators(square, [[0, 0], [0, 1]], implicit=mult(0))
    assert refusal(stated)[0] == checker.REFUSED
    # The empty list, for a set with a point and for one without.
    assert refusal(generators(square, []))[1] == "no point, or one is listed twice"
    nothing = problem([[1, 1]], [0], activation=[5], domain=UNIT_BOX)
    empty = generators(nothing, [], minor=minor([[1, 1]], [E0], [0]))
    assert refusal(empty)[1] == "no point, or one is listed twice"
    # A point inside of an edge, as one more vertex.
    more = [[0, 0], [1, 0], [0, 1], [1, 1], [F(1, 2), 0]]
    assert refusal(generators(square, more))[1] == "a point or basis has not 2 tight sides"
    # The segment of SQUARE without its equality in the minor.
    ends = [[0, F(3, 4)], [F(5, 8), F(1, 8)]]
    assert refusal(generators(SQUARE, ends))[1] == "a point or basis has not 2 tight sides"
    # TIES without the multipliers that show x = 0 to be implicit: two tight rows at both ends.
    open_ends = generators(TIES, [[0, -1], [0, 1]])
    assert refusal(open_ends)[1] == "a point or basis has not 2 tight sides"
    # A redundant row through a vertex makes it degenerate.
    touched = problem([[1, 1]], [-2], target=[0, 0], domain=UNIT_BOX)
    corners = [[0, 0], [1, 0], [0, 1], [1, 1]]
    assert refusal(generators(touched, corners))[0] == checker.REFUSED
    shifts = [(k, [0, 0]) for k in range(4)]
    checker.check(
        generators(touched, corners, perturbation=moved(1, 2, upper={0: 1}), bases=bases(*shifts))
    )


def test_the_same_ray_twice_and_a_ray_inside_of_the_cone():
    cone = bare([0, 0], "nonnegative")
    assert refusal(generators(cone, [[0, 0]], [[1, 0], [0, 1], [0, 2]]))[0] == checker.REFUSED
    inside = generators(cone, [[0, 0]], [[1, 0], [0, 1], [1, 1]])
    assert refusal(inside) == (3, "a ray is not along an edge")
    assert refusal(generators(cone, [[0, 0]], [[1, 0], [1, 1]]))[0] == checker.REFUSED


def test_one_dimension():
    half_line = bare([2], "nonnegative")
    checker.check(generators(half_line, [[0]], [[1]]))
    assert refusal(generators(half_line, [[0]]))[0] == checker.REFUSED
    checker.check(generators(bare([2], box([2], [2])), [[2]]))
    checker.check(generators(bare([2], box([1], [2])), [[2], [1]]))
    checker.check(generators(bare([2], "free"), [[0]], [], [[-3]], pivots=[0]))
    assert refusal(generators(bare([2], "free"), [[0]], [[1]]))[0] == checker.REFUSED


def test_a_degenerate_point_of_a_perturbed_set_that_has_lost_its_dimension():
    """x <= 0 and -x <= 0, widened by e: the square becomes a strip of width e around a segment."""
    listed = [[0, -1], [0, 1]]
    shifts = [(0, [0, 0]), (0, [1, 0]), (1, [0, 0]), (1, [1, 0])]
    found = checker.check(
        generators(TIES, listed, perturbation=moved(2, 2, upper={0: 1}), bases=bases(*shifts))
    )
    assert "exactly these 2 vertices, 0 extreme rays and 0 lines" in found


def test_limits(monkeypatch):
    square = GENERATORS["generators, square"]
    monkeypatch.setattr(checker, "MAX_WORK", 15)
    words = "needs 0x100, above the limit 0xf here"
    assert refusal(square) == (checker.LIMIT, f"work, up to edges: {words}")
    monkeypatch.setattr(checker, "MAX_WORK", (1 << 25) - 1)
    monkeypatch.setattr(checker, "MAX_WORK", 7)
    assert refusal(square)[0] == checker.LIMIT


def test_a_short_certificate_cannot_ask_for_much_memory():
    """No unit and 150,000 bounds: a bit for each of them, written out, is more than a gigabyte."""
    d = 150_000
    none = {"dtype": "F64", "shape": [0], "data": ""}
    weight, tolerance = {"dtype": "F64", "shape": [0, d], "data": ""}, ["0", "1"]
    stated = {"form": "layer", "weight": weight, "bias": none, "domain": {"kind": "nonnegative"}}
    document = {
        "schema": "collision-polytopes/certificate/2",
        "problem": {**stated, "tolerance": tolerance, "activation": none},
        "claim": {"kind": "generators", "points": [], "rays": [], "lines": []},
        "witness": {
            "implicit": None,
            "minor": {"rows": [], "columns": [], "modulus": "2", "inverse": []},
            "pivots": [],
            "perturbation": None,
            "bases": None,
        },
    }
    tracemalloc.start()
    code, message = refusal(document)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (code, "bytes of tight sides" in message) == (checker.LIMIT, True)
    assert peak < 1 << 28


@pytest.mark.parametrize(
    ("name", "claim", "witness", "code", "reason"),
    [
        ("redundant", ("upper", 1), {"multipliers": mult(2)}, 3, "prove less"),
        ("redundant", ("upper", 1), {"multipliers": mult(2, {0: 1})}, 3, "prove less"),
        ("redundant", ("upper", 1), {"multipliers": mult(2, {}, {1: 1})}, 3, "inequality itself"),
        ("redundant", ("ceiling", 0), {"multipliers": mult(2)}, 3, "the inequality itself"),
        ("redundant", ("floor", 0), {"multipliers": mult(2, {0: -1})}, 3, "prove less"),
        ("redundant", ("equality", 0), {"multipliers": mult(2)}, 3, "not a row to use here"),
        ("redundant", ("upper", 7), {"multipliers": mult(2)}, 3, "not a row to use here"),
        ("redundant", ("upper",), {"multipliers": mult(2)}, 2, "[kind, number], got 1 entries"),
        ("redundant", ("upper", "1"), {"multipliers": mult(2)}, 2, "must be of type int"),
        ("redundant", ("upper", 1), {"point": vec([0, 0])}, 2, "exactly the keys multipliers"),
        ("irredundant", ("upper", 1), {"multipliers": mult(2)}, 2, "exactly the keys point"),
        ("irredundant", ("upper", 1), {"point": vec([0, F(3, 4)])}, 3, "keeps [('upper', 1)]"),
        ("irredundant", ("upper", 1), {"point": vec([1, 0])}, 3, "violates [('equality', 0)]"),
        ("irredundant", ("upper", 1), {"point": vec([1, F(-1, 4)])}, 3, "violates [('floor', 1)]"),
        ("irredundant", ("floor", 0), {"point": vec([F(-2, 4), F(5, 4)])}, 3, "[('ceiling', 1)]"),
    ],
)
def test_claims_about_one_inequality_that_are_refused(name, claim, witness, code, reason):
    found, message = refusal(inequality(name, SQUARE, claim, **witness))
    assert (found, reason in message) == (code, True), message


def test_a_duplicate_is_redundant_while_its_twin_is_there():
    """Both of two equal rows are implied by the other, and neither is needed."""
    twins = problem([[1, 0], [2, 0]], [-1, -2], target=[0, 0], domain="free")
    checker.check(inequality("redundant", twins, U0, multipliers=mult(2, upper={1: F(1, 2)})))
    checker.check(inequality("redundant", twins, U1, multipliers=mult(2, upper={0: 2})))
    assert refusal(inequality("irredundant", twins, U0, point=vec([2, 0])))[0] == checker.REFUSED


def test_hand_made_lists_are_true():
    assert all(map(is_true, GENERATORS.values()))
    assert is_true(generators(TRIANGLE, [[1, 1], [1, -2], [-2, 1]]))
    assert not is_true(generators(TRIANGLE, [[1, 1], [1, -2], [-2, 0]]))
