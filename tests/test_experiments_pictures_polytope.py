"""Exact sections of sets known by hand; the pictures are written and name what they show."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from experiments.pictures.paper_figure import figure_1
from experiments.pictures.plane import halfspace_label, section_figure
from experiments.pictures.polytope import main, sphere_layer
from experiments.pictures.sections import hull_section, section
from experiments.pictures.solid import solid_figure
from polytope import Box, CollisionPolytope
from polytope.errors import InputError
from polytope.sets.halfspaces import Bound, Row
from tests.oracles.hand_made import cross, cube, flat_degenerate, flat_simplex, permutahedron

F = Fraction


def test_the_middle_section_of_a_cube_is_a_regular_hexagon():
    P = cube(3)  # the plane x + y + z = 3/2
    half = F(1, 2)
    found = section(P, [[half, half, half], [1, half, 0], [1, 0, half]])
    corners = {tuple(found.plane.point(c)) for c in found.corners}
    assert corners == {(a, b, F(3, 2) - a - b) for a, b in _hexagon()}
    drawn = found.drawn()
    sides = np.linalg.norm(drawn - np.roll(drawn, 1, axis=0), axis=1)
    assert sides == pytest.approx(np.sqrt(0.5))
    assert len(found.sides) == 6
    assert found.bounded


def _hexagon():
    half = F(1, 2)
    return [(0, half), (half, 0), (1, 0), (0, 1), (1, half), (half, 1)]


@pytest.mark.parametrize("seed", range(3))
def test_corners_lie_on_two_boundaries_of_the_set(seed):
    P = flat_degenerate(seed)
    points = P.vertices().points
    found = section(P, [points[0], points[1], points[2]])
    assert found.bounded
    for corner in found.corners:
        x = found.plane.point(corner)
        assert P.contains(x)
        assert P.tight_constraints(x).count >= 2
    for side in found.sides:
        for h in side.halfspaces:
            line = found.line_of(h)
            on = found.drawn()[list(side.ends)] @ line.normal
            assert on == pytest.approx(line.bound, abs=1e-12)
            assert (found.drawn() @ line.normal <= line.bound + 1e-12).all()


def test_a_flat_set_is_its_own_section():
    found = hull_section(flat_simplex(2))
    assert {tuple(found.plane.point(c)) for c in found.corners} == {(1, 0, 0), (0, 1, 0), (0, 0, 1)}
    drawn = found.drawn()
    sides = np.linalg.norm(drawn - np.roll(drawn, 1, axis=0), axis=1)
    assert sides == pytest.approx(np.sqrt(2))


def test_unbounded_sections_are_cut_off_and_planes_can_miss():
    wedge = CollisionPolytope.from_halfspaces([[-1, 0, 0], [0, -1, 0]], [0, 0])
    found = section(wedge, [(0, 0, 0), (1, 0, 0), (0, 1, 0)])
    assert not found.bounded
    assert {h.unit for side in found.sides for h in side.halfspaces} == {0, 1}
    assert section(cube(3), [(0, 0, 2), (1, 0, 2), (0, 1, 2)]).corners == ()
    touching = section(cube(3), [(0, 0, 0), (1, -1, 0), (0, 0, 1)])
    assert len(touching.corners) == 2


def test_bounds_of_the_domain_are_sides_too():
    P = CollisionPolytope.from_layer([[2, 2]], [-3], [0, 0], domain=Box(0, 1))
    found = section(P, [(0, 0), (1, 0), (0, 1)])
    names = [h for side in found.sides for h in side.halfspaces]
    assert sum(isinstance(h, Bound) for h in names) == 4
    assert Row("upper", 0) in [h for h in names if isinstance(h, Row)]


def test_sections_refuse_what_spans_no_plane():
    with pytest.raises(InputError, match="expected three of them, got 2"):
        section(cube(2), [(0, 0), (1, 0)])
    with pytest.raises(InputError, match="got three on a line"):
        section(cube(2), [(0, 0), (1, 1), (2, 2)])
    with pytest.raises(InputError, match="expected dimension 2, got 3"):
        hull_section(cube(3))


def texts(figure):
    return [t.get_text() for axes in figure.axes for t in axes.texts]


def test_figure_1_names_all_sides_and_marks_the_vertex():
    P = CollisionPolytope.from_layer([[2, 2]], [-3], [0, 0], domain=Box(0, 1))
    figure = figure_1(P, 0)
    assert halfspace_label(Row("upper", 0)) in texts(figure)
    assert "-3.000" in figure.legends[0].get_texts()[1].get_text()
    star = [line for line in figure.axes[1].lines if line.get_marker() == "*"]
    assert len(star) == 2  # the vertex and its entry in the legend


def test_solid_figure_shows_front_faces_and_dots_the_others():
    P = cube(3)
    figure = solid_figure(P)
    styles = [line.get_linestyle() for line in figure.axes[0].lines]
    assert styles == [":"] * 3 + ["-"] * 3
    behind = [t.get_text() for t in figure.legends[0].get_texts() if "behind" in t.get_text()]
    assert len(behind) == 3
    assert len(solid_figure(permutahedron(4)).axes[0].lines) == 14
    with pytest.raises(InputError, match="bounded set of dimension 3, got dimension 4"):
        solid_figure(cross(4))


def test_section_figure_names_its_points():
    P = cross(3)
    found = section(P, [(0, 0, 0), (1, 0, 0), (0, 1, 0)])
    figure = section_figure(found, title="a square", points=("a", "b", "c"))
    shown = [t.get_text() for t in figure.axes[0].get_legend().get_texts()]
    assert shown == ["a", "b", "c"]


def test_the_pictures_of_a_trained_layer(tmp_path, capsys):
    assert main(["--out", str(tmp_path)]) == 0
    written = capsys.readouterr().out.split()
    assert written == [str(tmp_path / f"{n}.png") for n in ("figure1", "solid", "section")]
    for path in written:
        assert Path(path).read_bytes().startswith(b"\x89PNG")


def test_training_is_reproducible():
    a, b = sphere_layer(steps=5), sphere_layer(steps=5)
    assert (a.weight == b.weight).all()
    assert (a.weight != sphere_layer(8, steps=5).weight).any()
