"""How is a section drawn?  Its exact polygon, every side named by its inequality."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.pictures.sections import Section
from experiments.show.figures import BLUE, RED
from polytope.answers.generators import Bound, Halfspace

Points = NDArray[np.float64]
#: Margin around a polygon, as a share of its size.
_MARGIN = 0.32


def halfspace_label(halfspace: Halfspace) -> str:
    """Returns an inequality as the paper writes it, for a figure.

    >>> halfspace_label(Bound("upper", 2))
    '$x_{2}$ at its upper bound'
    """
    if isinstance(halfspace, Bound):
        return f"$x_{{{halfspace.coordinate}}}$ at its {halfspace.side} bound"
    unit = halfspace.unit
    if halfspace.kind == "lower":
        return f"$w_{{{unit}}} x + b_{{{unit}}} \\geq y_{{{unit}}} - \\epsilon$"
    return f"$w_{{{unit}}} x + b_{{{unit}}} \\leq 0$"


def section_figure(found: Section, *, title: str = "", points: Sequence[str] = ()) -> Figure:
    """Draws the exact polygon of a section, its sides named, and the points that span the plane.

    Args:
        found: the section.
        title: above the picture.
        points: names of the three points of the plane; none are drawn if there are none.
    """
    figure = Figure(figsize=(5.8, 5.4), layout="constrained")
    axes = figure.add_subplot()
    draw_polygon(axes, found)
    name_sides(axes, found)
    spots = found.drawn([[Fraction(v) for v in corner] for corner in ((0, 0), (1, 0), (0, 1))])
    for name, spot, marker in zip(points, spots, "osD", strict=False):
        axes.plot(*spot, marker, color=RED, markersize=6, label=name, zorder=4)
    if points:
        axes.legend(fontsize=8, loc="best", framealpha=0.9)
    frame(axes, found, extra=spots if points else None)
    cut = "" if found.bounded else " (unbounded, cut off)"
    axes.set_title(title + cut, fontsize=10)
    return figure


def draw_polygon(axes: Axes, found: Section) -> None:
    """Draws the polygon with its corners."""
    corners = found.drawn()
    if len(corners) > 2:
        axes.fill(*corners.T, facecolor=BLUE, alpha=0.18, zorder=1)
        axes.fill(*corners.T, fill=False, edgecolor=BLUE, linewidth=1.6, zorder=2)
    axes.plot(*corners.T, "o", color=BLUE, markersize=4, zorder=3)


def frame(axes: Axes, found: Section, *, extra: Points | None = None) -> None:
    """One scale on both axes, and room for the names of the sides.

    Args:
        axes: matplotlib's.
        found: the section.
        extra: further points (n, 2) that must be seen.
    """
    shown = found.drawn() if extra is None else np.vstack([found.drawn(), extra])
    low, high = shown.min(axis=0), shown.max(axis=0)
    room = _MARGIN * float((high - low).max())
    axes.set_xlim(low[0] - room, high[0] + room)
    axes.set_ylim(low[1] - room, high[1] + room)
    axes.set_aspect("equal", adjustable="box")
    axes.set_xlabel("distance along the plane, first direction", fontsize=9)
    axes.set_ylabel("second direction", fontsize=9)
    axes.tick_params(labelsize=8)


def name_sides(axes: Axes, found: Section) -> None:
    """Names each side along it, outside the polygon; sides too short for a name are left out."""
    corners = found.drawn()
    size = float(np.ptp(corners, axis=0).max())
    middle = corners.mean(axis=0)
    for side in found.sides:
        a, b = corners[list(side.ends)]
        if np.linalg.norm(b - a) < 0.18 * size:
            continue
        normal = np.array([b[1] - a[1], a[0] - b[0]]) / np.linalg.norm(b - a)
        normal *= np.sign(normal @ ((a + b) / 2 - middle))
        label = halfspace_label(side.halfspaces[0])
        write_along(axes, label, (a + b) / 2 + 0.07 * size * normal, b - a)


def write_along(axes: Axes, text: str, place: Points, direction: Points, **style: Any) -> None:
    """Writes a text at a place (2,) along a direction (2,), never upside down."""
    angle = float(np.degrees(np.arctan2(direction[1], direction[0])))
    x, y = place.tolist()
    axes.text(
        x,
        y,
        text,
        fontsize=9,
        rotation=(angle + 90) % 180 - 90,
        rotation_mode="anchor",
        ha="center",
        va="center",
        zorder=5,
        **style,
    )
