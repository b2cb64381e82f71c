"""How does a run of `collide small` look?  Figures from its record, layer and points."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from experiments.pictures.paper_figure import figure_1
from experiments.pictures.plane import section_figure
from experiments.pictures.projection import draw_sets, frame_of
from experiments.pictures.sections import section
from experiments.readers.arrays import read_arrays
from experiments.show.figures import BLUE, GREEN, Arrays, write_figures
from experiments.show.image_grid import Cell, Row, image_grid
from experiments.small.results import SmallResults
from experiments.small.tables import SETS, target_name
from polytope import Box, CollisionPolytope
from polytope.answers.generators import Generators
from polytope.errors import InputError

#: Units whose vertices are shown as images.
SHOWN = 8
#: Test points shown below the moons' polygon.
_BACKGROUND = 400


def write_small_figures(folder: Path, results: SmallResults) -> list[Path]:
    """Draws all figures of a run into `folder/figures`; those without a subject are left out.

    Raises:
        OutputError: a file cannot be written.
    """
    arrays, layer = (read_arrays(Path(folder) / f"{name}.npz") for name in ("points", "layer"))
    polytope = CollisionPolytope.from_layer(
        layer["weight"],
        layer["bias"],
        layer["target"],
        domain=Box(layer["lower"], layer["upper"]),
    )
    listed = polytope.vertices()
    drawn = {
        "projection": sets_figure(results, arrays, listed),
        "section": section_of(polytope, arrays, listed),
        "images": images_figure(results, arrays),
        "targets": targets_figure(results),
    }
    return write_figures(folder, drawn)


def sets_figure(results: SmallResults, arrays: Arrays, listed: Generators) -> Figure | None:
    """The set and the hulls of the points found, along the set's leading directions."""
    frame = frame_of(listed, plane=True)
    if frame is None:
        return None
    figure = Figure(figsize=(8.2, 6.2), layout="constrained")
    axes: Any = figure.subplots()
    if frame.own and listed.dimension == 2:
        _background(axes, arrays)
    sets = {SETS[key]: arrays[key] for key in ("absolute", "hinge", "units")}
    draw_sets(axes, listed, frame, sets=sets)
    target = frame.of(arrays["target"][None])
    axes.scatter(*target.T, marker="*", s=120, color="black", label="target", zorder=5)
    figure.legend(loc="outside lower center", ncols=3, fontsize=8)
    axes.set_title(
        f"The collisions with {target_name(results)} (blue), and what the searches see of them",
        fontsize=10,
    )
    return figure


def _background(axes: Any, arrays: Arrays) -> None:
    points, labels = arrays["points"][-_BACKGROUND:], arrays["labels"][-_BACKGROUND:]
    for label, color in ((0, "silver"), (1, "dimgrey")):
        chosen = points[labels == label]
        axes.scatter(*chosen.T, s=4, color=color, zorder=0, label=f"data, moon {label}")


def section_of(polytope: CollisionPolytope, arrays: Arrays, listed: Generators) -> Figure | None:
    """The paper's Figure 1 of a set of dimension 2; of a larger one a section.

    The plane goes through the target and the exact vertices of the two units that lie farthest
    apart.
    """
    if listed.dimension < 2:
        return None
    if listed.dimension == 2:
        try:
            return figure_1(polytope)
        except InputError:  # no unit on any side: the box alone
            return None
    units, points = arrays["unit_numbers"], arrays["units"]
    lengths = np.linalg.norm(points[:, None] - points, axis=2)
    i, j = np.unravel_index(int(lengths.argmax()), lengths.shape)
    exact = [polytope.unit_vertex(int(units[k])).point for k in (i, j)]
    found = section(polytope, [polytope.layer.target_vector, *exact])
    names = ("target", f"vertex of unit {units[i]}", f"vertex of unit {units[j]}")
    title = "section through the target and the vertices of two units"
    return section_figure(found, title=title, points=names)


def images_figure(results: SmallResults, arrays: Arrays) -> Figure | None:
    """The images that the target and some vertices stand for."""
    if "basis" not in arrays:
        return None
    units = arrays["unit_numbers"][:SHOWN]
    rows = []
    for key, name in (("units", "exact"), ("hinge", "hinge"), ("absolute", "paper's\npenalty")):
        points = np.array([arrays["target"], *arrays[key][: len(units)]])
        rows.append(Row(name, list(map(Cell, points @ arrays["basis"].T + arrays["mean"]))))
    return image_grid(
        rows,
        f"Vertices as images, from {results.data.dimension} principal components "
        f"({results.data.variance:.0%} of the variance); white 0, black 1, cut off beyond",
        headings=["target", *(f"unit {unit}" for unit in units)],
        label_width=0.9,
    )


def targets_figure(results: SmallResults) -> Figure:
    """Number of vertices of every test point's set over the number of its active units."""
    rows = [target for target in results.targets if target.vertices is not None]
    figure = Figure(figsize=(7.2, 4.2), layout="constrained")
    axes: Any = figure.subplots()
    random = np.random.default_rng(0)  # of the sideways scatter alone
    places = np.array([row.n_positive for row in rows])
    aside = places + random.uniform(-0.25, 0.25, len(places))
    alone = np.array([row.dimension == 0 for row in rows])
    counts = np.array([row.vertices for row in rows])
    axes.scatter(
        aside[~alone], counts[~alone], s=12, color=BLUE, alpha=0.6, label="with other collisions"
    )
    axes.scatter(
        aside[alone],
        counts[alone],
        s=14,
        color=GREEN,
        marker="x",
        label=f"no other collision ({int(alone.sum())} of {len(rows)})",
    )
    axes.set_yscale("log")
    axes.set_xticks(range(int(places.min()), int(places.max()) + 1))
    axes.set_xlabel("active units N+ (scattered sideways)")
    axes.set_ylabel("vertices of the collision polytope")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    d = results.data.dimension
    axes.set_title(
        f"Every test point, {d} inputs, {results.facts.n_units} units: complete lists, certified",
        fontsize=10,
    )
    return figure
