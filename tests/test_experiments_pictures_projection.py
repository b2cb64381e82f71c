"""Pictures of listed sets: which axes they have, and what they say."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from experiments.pictures.projection import draw_sets, frame_of, projection_figure, write_picture
from polytope import CollisionPolytope
from tests.oracles.hand_made import cube, flat_simplex


def half_open(d):
    """x >= 0 in the first two coordinates, 0 <= x <= 1 in the others."""
    rows = [[-int(i == j) for j in range(d)] for i in range(d)]
    tops = [[int(i == j) for j in range(d)] for i in range(2, d)]
    return CollisionPolytope.from_halfspaces(rows + tops, [0] * d + [1] * (d - 2))


def test_a_set_of_the_plane_or_of_space_is_drawn_in_its_own_coordinates():
    for d in (2, 3):
        frame = frame_of(cube(d).vertices())
        assert frame.own
        assert frame.share is None
        assert np.array_equal(frame.axes, np.eye(d))
    assert not frame_of(cube(3).vertices(), plane=True).own


def test_a_larger_set_is_drawn_along_the_directions_of_its_vertices():
    points = cube(4).vertices().points_float() * [3, 2, 1, 1]
    box = CollisionPolytope.from_halfspaces(
        [*np.eye(4, dtype=int).tolist(), *(-np.eye(4, dtype=int)).tolist()],
        [3, 2, 1, 1, 0, 0, 0, 0],
    ).vertices()
    frame = frame_of(box)
    assert np.abs(frame.axes[:2]).round(12).tolist() == [[1, 0], [0, 1]]
    variance = points.var(axis=0)
    assert frame.share == pytest.approx(variance[:2] / variance.sum())
    title = projection_figure(box, frame).axes[0].get_title()
    assert title == "dimension 4; 16 vertices"


def test_points_and_segments_have_no_picture(tmp_path):
    point = CollisionPolytope.from_halfspaces([[1], [-1]], [0, 0])
    for polytope in (point, cube(1)):
        assert frame_of(polytope.vertices()) is None
        assert write_picture(tmp_path, polytope, polytope.vertices()) is None
    triangle = flat_simplex(2)
    path = write_picture(tmp_path, triangle, triangle.vertices())
    assert path.read_bytes().startswith(b"\x89PNG")


def test_what_is_cut_off_is_said():
    wedge = half_open(3).vertices()
    figure = projection_figure(wedge, frame_of(wedge))
    assert figure.axes[0].get_title() == "dimension 3; 2 vertices; dashed: rays, cut off"
    quadrant = half_open(2).vertices()
    figure = projection_figure(quadrant, frame_of(quadrant))
    assert figure.axes[0].get_title() == "dimension 2; 1 vertex; dashed: rays, cut off"


def test_further_sets_have_outlines_unless_they_are_flat():
    listed = cube(4).vertices()
    axes = Figure().subplots()
    points = listed.points_float()
    sets = {"five": points[:5], "two": points[:2], "all": points}
    draw_sets(axes, listed, frame_of(listed, plane=True), sets=sets)
    names = [each.get_label() for each in axes.collections]
    assert names[-4:] == ["all 16 vertices", "five", "two", "all"]
    assert len(axes.patches) == 2 + 2  # the set filled and outlined; "two" is flat
