"""The paper's Figure 1, of any set of dimension 2: its halfspaces, and a vertex found on it."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.pictures.plane import draw_polygon, frame, name_sides, write_along
from experiments.pictures.sections import Section, hull_section
from experiments.show.figures import ORANGE, RED
from polytope import CollisionPolytope
from polytope.answers.generators import Bound
from polytope.errors import InputError

_DASHES = (0, (4, 3))


def figure_1(polytope: CollisionPolytope, unit: int | None = None) -> Figure:
    """Redraws Figure 1 of Li, Zhang & Malik 2019 from a set of dimension 2.

    On the left, the subspace of the active units and the halfspaces of the inactive ones; on the
    right, how lowering one unit's pre-activation leads to a vertex, proved optimal.

    Args:
        polytope: a bounded set of dimension 2.
        unit: the inactive unit that is lowered; by default one of which the optimum is a vertex
            away from its own side.

    Raises:
        InputError: if the set is of another dimension, or unbounded.
    """
    found = hull_section(polytope)
    if not found.bounded:
        raise InputError("polytope: expected a bounded set, got an unbounded one")
    # Placed by hand: with equal scales the layout engines let legend and labels meet.
    figure = Figure(figsize=(10, 5.8))
    left, right = figure.subplots(1, 2)
    figure.subplots_adjust(left=0.07, right=0.98, top=0.94, bottom=0.18, wspace=0.18)
    for axes in (left, right):
        draw_polygon(axes, found)
        frame(axes, found)
    _draw_halfspaces(left, found)
    name_sides(left, found)
    where = {0: "", 1: " in the plane of the active unit"}.get(
        polytope.n_positive, " in the plane of the active units"
    )
    left.set_title(f"the polytope: an intersection of halfspaces{where}", fontsize=10)
    chosen = _lowered(found) if unit is None else unit
    _draw_levels(right, found, chosen)
    right.set_title(f"its vertex for unit {chosen}", fontsize=10)
    figure.legend(fontsize=9, loc="lower center", ncols=3)
    return figure


def _draw_halfspaces(axes: Axes, found: Section) -> None:
    """Draws the lines of the sides across the picture, a grey strip on the side that is cut off."""
    corners = found.drawn()
    size = float(np.ptp(corners, axis=0).max())
    for side in found.sides:
        a, b = corners[list(side.ends)]
        along = (b - a) / np.linalg.norm(b - a)
        out = np.array([along[1], -along[0]])
        out *= np.sign(out @ (a - corners.mean(axis=0)))
        far, strip = 4 * size * along, 0.025 * size * out
        band = np.array([a - far, a + far, a + far + strip, a - far + strip])
        axes.fill(*band.T, facecolor="black", alpha=0.18, linewidth=0, zorder=0)
        axes.axline(a, b, color="dimgrey", linewidth=0.7, zorder=0)


def _lowered(found: Section) -> int:
    """A unit with a side, the one whose minimum is farthest from that side."""
    corners, depths = found.drawn(), dict[int, float]()
    for side in found.sides:
        for h in side.halfspaces:
            if not isinstance(h, Bound) and h.kind == "upper":
                line = found.line_of(h)
                depths[h.unit] = float((line.bound - corners @ line.normal).max())
    if not depths:
        raise InputError("polytope: expected a unit on one of its sides, got none")
    return max(depths, key=depths.__getitem__)


def _draw_levels(axes: Axes, found: Section, unit: int) -> None:
    """Draws levels of a unit's pre-activation, from 0 down to its proved minimum at a vertex."""
    result = found.polytope.unit_vertex(unit)
    if result.value is None or result.point is None:
        raise InputError(f"unit: expected one with a minimum, got {unit} ({result.status.name})")
    row = next(r for r in found.polytope.layer.system.rows if r.unit == unit)
    line, corners = found.line_of(row), found.drawn()
    normal, along = line.normal, np.array([-line.normal[1], line.normal[0]])
    vertex = corners[int(np.argmin(corners @ normal))]
    least = float(vertex @ normal)
    for share in (1.0, 0.75, 0.5, 0.25, 0.0):
        level = least + share * (line.bound - least)
        ends = share in (0.0, 1.0)
        start = vertex + (level - least) * normal
        axes.axline(
            start,
            start + along,
            color=RED if ends else ORANGE,
            linestyle="solid" if ends else _DASHES,
            linewidth=1.0,
            zorder=2,
        )
    axes.plot(*vertex, "*", color=RED, markersize=14, zorder=6)
    # The arrow runs beside the polygon, where no side is named in this panel.
    size = float(np.ptp(corners, axis=0).max())
    beside = ((corners @ along).max() + 0.14 * size) * along
    top = beside + (0.85 * line.bound + 0.15 * least) * normal
    bottom = beside + least * normal
    arrow = {"arrowstyle": "-|>", "color": "black"}
    axes.annotate("", xy=tuple(bottom), xytext=tuple(top), arrowprops=arrow, zorder=6)
    place = (top + bottom) / 2 + 0.05 * size * along
    white = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
    write_along(axes, "$\\gamma$ decreases", place, normal, bbox=white)
    label = f"$w_{{{unit}}} x + b_{{{unit}}} = \\gamma$ as $\\gamma$ decreases"
    axes.plot([], [], color=ORANGE, linestyle=_DASHES, label=label)
    label = f"$\\gamma = 0$ and the minimum $\\gamma = {float(result.value):.3f}$"
    axes.plot([], [], color=RED, label=label)
    axes.plot([], [], "*", color=RED, markersize=11, label="the vertex, proved optimal")
