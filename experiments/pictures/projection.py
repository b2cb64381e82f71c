"""What does a listed set look like?  Its vertices and edges, along its leading directions.

A set of dimension 2 or 3 is drawn as it is (in its affine hull, turned if that is not the whole
space); one of higher dimension by its orthogonal projection onto the two directions in which its
vertices spread most.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from experiments.pictures.solid import solid_figure
from experiments.run.files import open_run_folder
from experiments.run.words import counted
from experiments.show.figures import BLUE, FOLDER, GREEN, ORANGE, RED, save
from polytope import CollisionPolytope
from polytope.answers.generators import Generators
from polytope.exact.rational import RationalVector

Points = NDArray[np.float64]

#: Vertices up to which the edges are drawn; beyond it they are a blot.
MOST_EDGES_OF = 1_500
#: Most vertices of which a picture is made.
MOST_POINTS = 200_000
#: Markers and outline of each further set; the last one is seen around the others.
_FILLED = {"zorder": 4, "linewidths": 0}
STYLES: tuple[dict[str, Any], ...] = (
    {"edgecolors": ORANGE, "facecolors": ORANGE, "marker": "s", "s": 26, **_FILLED},
    {"edgecolors": GREEN, "facecolors": GREEN, "marker": "^", "s": 22, **_FILLED},
    {"edgecolors": RED, "facecolors": "none", "marker": "o", "s": 70, "zorder": 4},
)
_OUTLINES = ("solid", "dashed", "solid")


@dataclass(frozen=True, eq=False)
class Frame:
    """Coordinates of a picture.

    Attributes:
        origin: (d,) the point drawn at zero.
        axes: (d, 2 or 3) orthonormal columns.
        share: share of the vertices' variance along each axis; None where nothing is left out.
    """

    origin: Points
    axes: Points
    share: Points | None

    @property
    def own(self) -> bool:
        """Whether the axes are the set's own coordinates."""
        return len(self.axes) == len(self.axes.T)

    def of(self, points: Points) -> Points:
        """Returns points (n, d) in the picture's coordinates."""
        return np.asarray((points - self.origin) @ self.axes)


def frame_of(generators: Generators, *, plane: bool = False) -> Frame | None:
    """Returns the frame of a set; None for a point, a line, or a list too long or too short.

    Args:
        generators: the set.
        plane: two axes also for a set of dimension 3.
    """
    if generators.chart is None or not 1 <= len(generators.points) <= MOST_POINTS:
        return None
    k, d = generators.dimension, len(generators.chart.origin)
    if k < 2:
        return None
    if k == d <= (2 if plane else 3):
        return Frame(np.zeros(d), np.eye(d), None)
    points = generators.points_float()
    origin = points.mean(axis=0)
    directions = [ray.to_float() for ray in (*generators.rays, *generators.lines)]
    size = float(np.abs(points - origin).max()) or 1.0
    arrows = [size * v / np.linalg.norm(v) for v in directions]
    _, values, rows = np.linalg.svd(np.vstack([points - origin, *arrows]), full_matrices=False)
    count = 3 if k == 3 and not plane else 2
    if len(rows) < count:  # the beginning of a list that a limit cut short
        return None
    variance = values**2 / max(float((values**2).sum()), np.finfo(float).tiny)
    return Frame(origin, rows[:count].T, variance[:count] if k > count else None)


def write_picture(folder: Path, polytope: CollisionPolytope, generators: Generators) -> Path | None:
    """Draws `folder/figures/set.png`; None where there is nothing to draw.

    Raises:
        OutputError: the file cannot be written.
    """
    frame = frame_of(generators)
    if frame is None:
        return None
    place = open_run_folder(Path(folder) / FOLDER)
    return save(set_figure(polytope, generators, frame), place / "set.png")


def set_figure(polytope: CollisionPolytope, generators: Generators, frame: Frame) -> Figure:
    """A solid with its faces where the set is one, else vertices, edges and outline."""
    unbounded = bool(generators.rays or generators.lines)
    if generators.complete and generators.dimension == 3 and not unbounded:
        return solid_figure(polytope, generators)
    return projection_figure(generators, frame)


def projection_figure(generators: Generators, frame: Frame) -> Figure:
    """The set alone: its vertices, its edges and the outline of their hull."""
    spatial = frame.axes.shape[1] == 3
    figure = Figure(figsize=(6.4, 5.4), layout="constrained")
    axes: Any = figure.add_subplot(projection="3d" if spatial else None)
    points = frame.of(generators.points_float())
    draw_edges(axes, generators, frame)
    bounded = generators.complete and not (generators.rays or generators.lines)
    if bounded and not spatial:
        _draw_hull(axes, points)
    axes.scatter(*points.T, s=14 if len(points) < 500 else 4, color=BLUE, zorder=3)
    label_axes(axes, frame)
    more = "" if generators.complete else "at least "
    axes.set_title(
        f"dimension {generators.dimension}; {more}{_counted(generators)}{_shown(generators)}",
        fontsize=10,
    )
    return figure


def _counted(generators: Generators) -> str:
    count = len(generators.points)
    if generators.lines:
        return f"{count:,} minimal face{'' if count == 1 else 's'}"
    return f"{count:,} {'vertex' if count == 1 else 'vertices'}"


def _shown(generators: Generators) -> str:
    """What is drawn of an unbounded set."""
    if generators.lines:
        return "; dashed: along lines and rays, cut off"
    return "; dashed: rays, cut off" if generators.rays else ""


def label_axes(axes: Any, frame: Frame) -> None:
    """Says what the axes are; all have one scale."""
    labels = [axes.set_xlabel, axes.set_ylabel]
    if frame.axes.shape[1] == 3:
        axes.set_aspect("equal")
        labels.append(axes.set_zlabel)
    else:
        axes.set_aspect("equal", adjustable="datalim")
    for i, label in enumerate(labels):
        note = "" if frame.share is None else f" ({frame.share[i]:.0%} of the variance)"
        label(f"x[{i}]" if frame.own else f"direction {i + 1}{note}")


def draw_edges(axes: Any, generators: Generators, frame: Frame) -> None:
    """Draws the edges of a complete list thinly; unbounded ones, and lines, are cut off."""
    points = frame.of(generators.points_float())
    count = len(points)
    if not generators.complete or count > MOST_EDGES_OF:
        return
    from polytope.measures.skeleton import edges

    reach = 0.5 * float(np.ptp(points, axis=0).max()) or 1.0
    ends, open_ends = [], []
    for i, j in edges(generators):
        if j < count:
            ends.append((points[i], points[j]))
        else:
            step = _step(generators.rays[j - count], frame, reach)
            open_ends.append((points[i], points[i] + step))
    for line in generators.lines:
        step = _step(line, frame, reach)
        open_ends += [(point - step, point + step) for point in points]
    _draw_segments(axes, ends, {"colors": "dimgrey", "alpha": max(0.08, min(0.8, 60 / count))})
    _draw_segments(axes, open_ends, {"colors": RED, "linestyles": "dashed"})


def _step(direction: RationalVector, frame: Frame, reach: float) -> Points:
    step = direction.to_float() @ frame.axes
    length = float(np.linalg.norm(step))
    return np.asarray(reach * step / length if length else step)


def _draw_segments(axes: Any, ends: Sequence[tuple[Points, Points]], style: Any) -> None:
    if not ends:
        return
    style = {"linewidths": 0.8, "zorder": 1} | style
    if len(ends[0][0]) == 3:
        from mpl_toolkits.mplot3d.art3d import Line3DCollection

        axes.add_collection3d(Line3DCollection(np.array(ends), **style))
    else:
        axes.add_collection(LineCollection(list(map(np.array, ends)), **style))
    corners = np.array(ends).reshape(-1, len(ends[0][0]))
    axes.scatter(*corners.T, s=0)  # makes room for the ends


def draw_sets(
    axes: Any, generators: Generators, frame: Frame, *, sets: Mapping[str, Points]
) -> None:
    """Draws the set with the outline of its hull, and further point sets with theirs.

    Args:
        axes: matplotlib's, of a plane picture.
        generators: the set.
        frame: with two axes.
        sets: title -> points (n, d).
    """
    points = frame.of(generators.points_float())
    draw_edges(axes, generators, frame)
    _draw_hull(axes, points)
    axes.scatter(
        *points.T, s=6, color=BLUE, label=f"all {counted(len(points), 'vertices')}", zorder=3
    )
    for title, style, line in zip(sets, STYLES, _OUTLINES, strict=False):
        inside = frame.of(sets[title])
        _draw_outline(axes, inside, edgecolor=style["edgecolors"], linestyle=line)
        axes.scatter(*inside.T, label=title, **style)
    label_axes(axes, frame)


def _draw_hull(axes: Any, points: Points) -> None:
    _draw_outline(axes, points, facecolor=BLUE, alpha=0.1, zorder=0, fill=True, linewidth=None)
    _draw_outline(axes, points, edgecolor=BLUE, zorder=2)


def _draw_outline(axes: Any, points: Points, **style: Any) -> None:
    """Draws the hull of points (n, 2) in the plane; nothing where they are flat."""
    try:
        corners = points[ConvexHull(points).vertices]
    except (QhullError, ValueError):
        return
    axes.fill(*corners.T, **{"fill": False, "linewidth": 1.4, **style})
