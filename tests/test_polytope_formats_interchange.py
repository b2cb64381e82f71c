"""What is written is read back as the same set, in every format; and peers read it alike."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from polytope import (
    Box,
    CollisionPolytope,
    Nonnegative,
    RationalVector,
    VRepresentation,
    read_generators,
    read_polyhedron,
    write_generators,
    write_halfspaces,
)
from polytope.errors import FileFormatError, InputError, OutputError
from polytope.formats.interchange import FORMATS, SUFFIXES
from polytope.formats.representations import rows_of

F = Fraction
FILES = ("set.ine", "set.poly", "set.in", "set.json")
SETS = {
    "layer in a box": CollisionPolytope.from_layer(
        [[0.1, -2.5], [1.0, 3.0]], [0.25, -9.0], [0.5, 0.125], domain=Box([0, F(-1, 3)], [1, 2])
    ),
    "tolerance": CollisionPolytope.from_layer(
        [[1, 2, 3]], [1], [1, 0, 0], domain=Nonnegative(), tolerance=F(1, 7)
    ),
    "half-spaces": CollisionPolytope.from_halfspaces([[F(1, 3), -1], [0, 0]], [F(5, 7), 0]),
    "equations only": CollisionPolytope.from_halfspaces(
        None, None, equalities=[[1, F(-2, 3)]], values=[10**5000]
    ),
    "both": CollisionPolytope.from_halfspaces(
        [[-1, 0], [0, -1]], [0, 0], equalities=[[1, 1]], values=[1]
    ),
    "empty": CollisionPolytope.from_halfspaces([[1], [-1]], [0, -1]),
}


def primitive(rows):
    """The rows up to a positive factor, in order."""
    out = []
    for row in rows:
        vector = RationalVector.of(row)
        divisor = max(1, abs(vector.numerators[-1]), *map(abs, vector.numerators))
        out.append(tuple(F(v, divisor) for v in vector.numerators))
    return out


def content(polytope):
    rows = rows_of(polytope)
    return primitive(rows.inequalities), primitive(rows.equations)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("kind", SETS)
def test_half_spaces_come_back_in_order(kind, file, tmp_path):
    path = write_halfspaces(SETS[kind], tmp_path / file)
    inequalities, equations = content(SETS[kind])
    found = content(read_polyhedron(path))
    if kind == "equations only" and file == "set.in":
        assert found[0] == [(1, 0, 0)]  # keeps Normaliz from adding x >= 0
        found[0].clear()
    assert found == (inequalities, equations)
    again = write_halfspaces(read_polyhedron(path), tmp_path / f"again-{file}")
    assert again.read_text() == path.read_text()


@pytest.mark.parametrize("file", FILES)
def test_all_of_space_comes_back(file, tmp_path):
    everything = CollisionPolytope.from_halfspaces([], [], equalities=np.zeros((0, 3)))
    found = read_polyhedron(write_halfspaces(everything, tmp_path / file))
    assert (found.n_inputs, found.lineality().dimension) == (3, 3)


@pytest.mark.parametrize("file", FILES)
def test_what_others_imply_can_be_left_out(file, tmp_path):
    square = CollisionPolytope.from_layer([[1, 1], [1, 0]], [-3, -2], [0, 0], domain=Box(0, 1))
    path = write_halfspaces(square, tmp_path / file, minimal=True)
    assert content(read_polyhedron(path)) == (content(square)[0][2:], [])
    twice = CollisionPolytope.from_halfspaces(
        [[-1, 0], [0, -1], [0, -1]],
        [0, 0, 0],
        equalities=[[1, 1], [1, 1], [0, 0]],
        values=[1, 1, 0],
    )
    inequalities, equations = content(
        read_polyhedron(write_halfspaces(twice, tmp_path / file, minimal=True))
    )
    assert (len(inequalities), equations) == (2, [(1, -1, -1)])
    empty = CollisionPolytope.from_halfspaces([[1], [-1], [1]], [0, -1, -1])
    kept = read_polyhedron(write_halfspaces(empty, tmp_path / file, minimal=True))
    assert kept.n_units == 2
    assert kept.feasibility().feasible is False


GENERATORS = {
    "polytope": VRepresentation(2, (RationalVector((1, -2), 3), RationalVector((10**5000, 0)))),
    "rays": VRepresentation(2, (RationalVector((0, 1), 2),), (RationalVector((1, 2)),)),
    "lines": VRepresentation(
        3, (RationalVector((0, 0, 0)),), (RationalVector((0, 0, 1)),), (RationalVector((1, 1, 0)),)
    ),
}


@pytest.mark.parametrize("file", ["set.ext", *FILES[1:]])
@pytest.mark.parametrize("kind", GENERATORS)
def test_generators_come_back_in_order(kind, file, tmp_path):
    path = write_generators(GENERATORS[kind], tmp_path / file)
    assert read_generators(path) == GENERATORS[kind]


def test_json_is_hexadecimal_and_exact(tmp_path):
    path = write_halfspaces(SETS["both"], tmp_path / "set.json")
    assert json.loads(path.read_text()) == {
        "schema": "collision-polytopes/halfspaces/1",
        "n": 2,
        "inequalities": [
            {"row": {"den": "1", "num": ["-1", "0"]}, "bound": ["0", "1"]},
            {"row": {"den": "1", "num": ["0", "-1"]}, "bound": ["0", "1"]},
        ],
        "equations": [{"row": {"den": "1", "num": ["1", "1"]}, "value": ["1", "1"]}],
    }


def test_cdd_text_is_as_cdd_writes_it(tmp_path):
    path = write_halfspaces(SETS["both"], tmp_path / "set.ine")
    assert path.read_text().splitlines() == [
        "H-representation",
        "linearity 1 3",
        "begin",
        "3 3 integer",
        "0 1 0",
        "0 0 1",
        "1 -1 -1",
        "end",
    ]


def test_the_format_can_be_named_and_must_be_known(tmp_path):
    path = write_halfspaces(SETS["both"], tmp_path / "set.txt", format="normaliz")
    assert content(read_polyhedron(path, format="normaliz")) == content(SETS["both"])
    with pytest.raises(FileFormatError, match=r"expected one of \.ine.* got '\.txt'"):
        read_polyhedron(path)
    with pytest.raises(InputError, match=r"format: expected one of cdd, .* got 'cddlib'"):
        read_polyhedron(path, format="cddlib")
    with pytest.raises(InputError, match="path: expected a file name, got int"):
        read_polyhedron(3)
    assert set(SUFFIXES.values()) == set(FORMATS)


def test_a_file_of_the_other_kind_is_refused(tmp_path):
    made = write_generators(GENERATORS["rays"], tmp_path / "set.ext")
    with pytest.raises(FileFormatError, match="expected an H-representation, got 'a V-repr"):
        read_polyhedron(made)
    made = write_halfspaces(SETS["both"], tmp_path / "set.ine")
    with pytest.raises(FileFormatError, match="expected a V-representation, got 'an H-repr"):
        read_generators(made)


def test_what_cannot_be_written_is_said(tmp_path):
    with pytest.raises(InputError, match="got the empty set"):
        write_generators(VRepresentation(2), tmp_path / "set.ext")
    mixed = VRepresentation(2, (RationalVector((1,)), RationalVector((1, 2))))
    with pytest.raises(InputError, match=r"got lengths \[1, 2\]"):
        write_generators(mixed, tmp_path / "set.ext")
    with pytest.raises(OutputError, match="No such file"):
        write_halfspaces(SETS["both"], tmp_path / "nowhere" / "set.ine")


@pytest.mark.parametrize("path", [Path("absent.ine"), Path("/"), Path("a\0b.ine")])
def test_what_cannot_be_read_is_said(path):
    with pytest.raises(FileFormatError, match="expected a file"):
        read_polyhedron(path, format="cdd")


def test_normaliz_adds_no_bounds_to_what_is_written(tmp_path):
    normaliz = pytest.importorskip("PyNormaliz")
    path = write_halfspaces(
        CollisionPolytope.from_halfspaces(None, None, equalities=[[1, -1]], values=[0]),
        tmp_path / "line.in",
    )
    assert path.read_text().splitlines() == [
        "amb_space 2",
        "inhom_inequalities 1",
        "0 0 1",
        "inhom_equations 1",
        "-1 1 0",
    ]
    cone = normaliz.Cone(inhom_inequalities=[[0, 0, 1]], inhom_equations=[[-1, 1, 0]])
    assert cone.MaximalSubspace() == [[1, 1, 0]]
