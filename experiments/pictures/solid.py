"""How is a set of dimension 3 drawn?  Its faces, each named by its inequality."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from mpl_toolkits.mplot3d.art3d import Poly3DCollection
from numpy.typing import NDArray

from experiments.pictures.plane import halfspace_label
from experiments.run.words import counted
from experiments.show.figures import BLUE, GREEN, ORANGE, RED
from polytope import CollisionPolytope
from polytope.answers.generators import Generators
from polytope.errors import InputError
from polytope.measures.skeleton import Facet, facets

Points = NDArray[np.float64]
#: Colours of the faces of a solid; more faces than colours start over.
FACES = (BLUE, ORANGE, GREEN, RED, "#CC79A7", "#56B4E9", "#F0E442", "#999999")
#: From where solids are seen, in degrees.
VIEW = {"elev": 20.0, "azim": -55.0}


def solid_figure(polytope: CollisionPolytope, generators: Generators | None = None) -> Figure:
    """Draws a bounded set of dimension 3 with its faces, each named by its inequality.

    Args:
        polytope: the set.
        generators: its vertices, where they are known.

    Raises:
        InputError: if the set is of another dimension, or unbounded.
    """
    found = polytope.vertices() if generators is None else generators
    if found.dimension != 3 or found.rays or found.lines:
        raise InputError(
            "polytope: expected a bounded set of dimension 3, got dimension "
            f"{found.dimension} with {len(found.rays)} rays and {len(found.lines)} lines"
        )
    points = found.points_float()
    names = ("$x_0$", "$x_1$", "$x_2$")
    if points.shape[1] != 3:
        centred = points - points.mean(axis=0)
        points = centred @ np.linalg.svd(centred, full_matrices=False)[2][:3].T
        names = ("direction 1", "direction 2", "direction 3")
    figure = Figure(figsize=(8.4, 4.8))
    axes: Any = figure.add_axes((0.0, -0.04, 0.7, 1.08), projection="3d")
    named = facets(found).facets
    faces = [_around(points[list(facet.points)]) for facet in named]
    front = [_faces_viewer(face, points.mean(axis=0)) for face in faces]
    _draw_faces(axes, faces, front)
    axes.scatter(*points.T, color="black", s=10, depthshade=False)
    axes.set_aspect("equal")
    for label, name in zip((axes.set_xlabel, axes.set_ylabel, axes.set_zlabel), names, strict=True):
        label(name)
    axes.tick_params(labelsize=7)
    axes.locator_params(nbins=5)
    axes.set_box_aspect(None, zoom=0.95)
    axes.view_init(**VIEW)
    patches = [_patch(i, facet, front[i]) for i, facet in enumerate(named)]
    figure.legend(handles=patches[: 2 * len(FACES)], loc="center right", fontsize=9, title="facets")
    title = f"{counted(len(found.points), 'vertices')}, {counted(len(faces), 'facets')}"
    axes.set_title(title, fontsize=10, y=0.98)
    return figure


def _draw_faces(axes: Any, faces: list[Points], front: list[bool]) -> None:
    """Faces on the front in their colours, the outlines of the others dotted."""
    seen = [i for i, shown in enumerate(front) if shown]
    colors = [FACES[i % len(FACES)] for i in seen]
    axes.add_collection3d(Poly3DCollection([faces[i] for i in seen], facecolors=colors, alpha=0.85))
    for face, shown in sorted(zip(faces, front, strict=True), key=lambda pair: pair[1]):
        style, width = ("-", 1.1) if shown else (":", 0.9)
        outline = np.vstack([face, face[:1]])
        axes.plot(*outline.T, color="black", linestyle=style, linewidth=width, zorder=10)


def _patch(number: int, facet: Facet, shown: bool) -> Patch:
    """A line of the legend."""
    label = halfspace_label(facet.halfspaces[0])
    if shown:
        color = FACES[number % len(FACES)]
        return Patch(edgecolor="black", label=label, facecolor=color, alpha=0.85)
    return Patch(edgecolor="black", label=f"{label}, behind", facecolor="white")


def _faces_viewer(face: Points, middle: Points) -> bool:
    """Whether a face (n, 3) of a convex solid is on the side that is looked at."""
    elevation, azimuth = np.radians(VIEW["elev"]), np.radians(VIEW["azim"])
    flat = np.cos(elevation)
    viewer = np.array([flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)])
    center = face.mean(axis=0)
    normal = np.linalg.svd(face - center)[2][2]
    return bool((normal @ viewer) * (normal @ (center - middle)) > 0)


def _around(corners: Points) -> Points:
    """Corners (n, 3) of a convex polygon in space, in order."""
    middle = corners.mean(axis=0)
    axes = np.linalg.svd(corners - middle, full_matrices=False)[2][:2]
    flat = (corners - middle) @ axes.T
    return np.asarray(corners[np.argsort(np.arctan2(flat[:, 1], flat[:, 0]))])
