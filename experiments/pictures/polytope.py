"""What does a collision polytope look like?  Sections, solids, and the paper's Figure 1.

`python -m experiments.pictures.polytope --out FOLDER` trains a small layer on points inside and
around a sphere and draws its polytopes; every corner is exact before it is drawn.
"""

import argparse
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.pictures.sections import Section, hull_section, section
from experiments.run.files import open_run_folder
from experiments.show.figures import BLUE, GREEN, ORANGE, RED, save
from polytope import CollisionPolytope
from polytope.answers.generators import Bound, Generators, Halfspace
from polytope.errors import InputError
from polytope.measures.skeleton import facets

Points = NDArray[np.float64]
#: Colours of the faces of a solid; more faces than colours start over.
FACES = (BLUE, ORANGE, GREEN, RED, "#CC79A7", "#56B4E9", "#F0E442", "#999999")
#: From where solids are seen, in degrees.
VIEW = {"elev": 20.0, "azim": -55.0}
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
    _draw_polygon(axes, found)
    _name_sides(axes, found)
    spots = found.drawn([[Fraction(v) for v in corner] for corner in ((0, 0), (1, 0), (0, 1))])
    for name, spot, marker in zip(points, spots, "osD", strict=False):
        axes.plot(*spot, marker, color=RED, markersize=6, label=name, zorder=4)
    if points:
        axes.legend(fontsize=8, loc="best", framealpha=0.9)
    _frame(axes, found, extra=spots if points else None)
    cut = "" if found.bounded else " (unbounded, cut off)"
    axes.set_title(title + cut, fontsize=10)
    return figure


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
        _draw_polygon(axes, found)
        _frame(axes, found)
    _draw_halfspaces(left, found)
    _name_sides(left, found)
    where = {0: "", 1: " in the plane of the active unit"}.get(
        polytope.n_positive, " in the plane of the active units"
    )
    left.set_title(f"the polytope: an intersection of halfspaces{where}", fontsize=10)
    chosen = _lowered(found) if unit is None else unit
    _draw_levels(right, found, chosen)
    right.set_title(f"its vertex for unit {chosen}", fontsize=10)
    figure.legend(fontsize=9, loc="lower center", ncols=3)
    return figure


def solid_figure(polytope: CollisionPolytope, generators: Generators | None = None) -> Figure:
    """Draws a bounded set of dimension 3 with its faces, each named by its inequality.

    Raises:
        InputError: if the set is of another dimension, or unbounded.
    """
    from matplotlib.patches import Patch
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection

    found = polytope.vertices() if generators is None else generators
    if found.dimension != 3 or found.rays or found.lines:
        raise InputError(
            "polytope: expected a bounded set of dimension 3, got dimension "
            f"{found.dimension} with {len(found.rays)} rays and {len(found.lines)} lines"
        )
    points = found.points_float()
    spatial = points.shape[1] == 3
    if not spatial:
        centred = points - points.mean(axis=0)
        points = centred @ np.linalg.svd(centred, full_matrices=False)[2][:3].T
    figure = Figure(figsize=(8.4, 4.8))
    axes: Any = figure.add_axes((0.0, -0.04, 0.7, 1.08), projection="3d")
    found_facets = facets(found).facets
    colors = [FACES[i % len(FACES)] for i in range(len(found_facets))]
    faces = [_around(points[list(facet.points)]) for facet in found_facets]
    front = [_faces_viewer(face, points.mean(axis=0)) for face in faces]
    seen = [i for i, shown in enumerate(front) if shown]
    axes.add_collection3d(
        Poly3DCollection(
            [faces[i] for i in seen],
            facecolors=[colors[i] for i in seen],
            alpha=0.85,
        )
    )
    for face, shown in sorted(zip(faces, front, strict=True), key=lambda pair: pair[1]):
        style, width = ("-", 1.1) if shown else (":", 0.9)
        outline = np.vstack([face, face[:1]])
        axes.plot(*outline.T, color="black", linestyle=style, linewidth=width, zorder=10)
    axes.scatter(*points.T, color="black", s=10, depthshade=False)
    axes.set_aspect("equal")
    names = (
        ("$x_0$", "$x_1$", "$x_2$") if spatial else ("direction 1", "direction 2", "direction 3")
    )
    for label, name in zip((axes.set_xlabel, axes.set_ylabel, axes.set_zlabel), names, strict=True):
        label(name)
    axes.tick_params(labelsize=7)
    axes.locator_params(nbins=5)
    axes.set_box_aspect(None, zoom=0.95)
    axes.view_init(**VIEW)
    patches = []
    for facet, color, shown in zip(found_facets, colors, front, strict=True):
        label = halfspace_label(facet.halfspaces[0])
        look = {"facecolor": color, "alpha": 0.85} if shown else {"facecolor": "white"}
        patches.append(
            Patch(edgecolor="black", label=label if shown else f"{label}, behind", **look)
        )
    figure.legend(handles=patches[: 2 * len(FACES)], loc="center right", fontsize=9, title="facets")
    axes.set_title(f"{len(found.points)} vertices, {len(faces)} facets", fontsize=10, y=0.98)
    return figure


def _draw_polygon(axes: Axes, found: Section) -> None:
    corners = found.drawn()
    if len(corners) > 2:
        axes.fill(*corners.T, facecolor=BLUE, alpha=0.18, zorder=1)
        axes.fill(*corners.T, fill=False, edgecolor=BLUE, linewidth=1.6, zorder=2)
    axes.plot(*corners.T, "o", color=BLUE, markersize=4, zorder=3)


def _frame(axes: Axes, found: Section, *, extra: Points | None = None) -> None:
    """One scale on both axes, and room for the names of the sides."""
    shown = found.drawn() if extra is None else np.vstack([found.drawn(), extra])
    low, high = shown.min(axis=0), shown.max(axis=0)
    room = _MARGIN * float((high - low).max())
    axes.set_xlim(low[0] - room, high[0] + room)
    axes.set_ylim(low[1] - room, high[1] + room)
    axes.set_aspect("equal", adjustable="box")
    axes.set_xlabel("distance along the plane, first direction", fontsize=9)
    axes.set_ylabel("second direction", fontsize=9)
    axes.tick_params(labelsize=8)


def _name_sides(axes: Axes, found: Section) -> None:
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
        angle = np.degrees(np.arctan2(b[1] - a[1], b[0] - a[0]))
        x, y = ((a + b) / 2 + 0.07 * size * normal).tolist()
        axes.text(
            x,
            y,
            halfspace_label(side.halfspaces[0]),
            fontsize=9,
            rotation=(angle + 90) % 180 - 90,
            rotation_mode="anchor",
            ha="center",
            va="center",
            zorder=5,
        )


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
    corners = found.drawn()
    best, reach = -1, -np.inf
    for side in found.sides:
        for h in side.halfspaces:
            if isinstance(h, Bound) or h.kind != "upper":
                continue
            normal, bound = found.line_of(h)
            depth = float((bound - corners @ normal).max())
            if depth > reach:
                best, reach = h.unit, depth
    if best < 0:
        raise InputError("polytope: expected a unit on one of its sides, got none")
    return best


def _draw_levels(axes: Axes, found: Section, unit: int) -> None:
    """Draws levels of a unit's pre-activation, from 0 down to its proved minimum at a vertex."""
    result = found.polytope.unit_vertex(unit)
    if result.value is None or result.point is None:
        raise InputError(f"unit: expected one with a minimum, got {unit} ({result.status.name})")
    row = next(r for r in found.polytope.layer.system.rows if r.unit == unit)
    normal, bound = found.line_of(row)
    corners = found.drawn()
    vertex = corners[int(np.argmin(corners @ normal))]
    along = np.array([-normal[1], normal[0]])
    least = float(vertex @ normal)
    for share in (1.0, 0.75, 0.5, 0.25, 0.0):
        level = least + share * (bound - least)
        color = RED if share in (0.0, 1.0) else ORANGE
        style = "solid" if share in (0.0, 1.0) else (0, (4, 3))
        start = vertex + (level - least) * normal
        axes.axline(start, start + along, color=color, linestyle=style, linewidth=1.0, zorder=2)
    axes.plot(*vertex, "*", color=RED, markersize=14, zorder=6)
    # The arrow runs beside the polygon, where no side is named in this panel.
    size = float(np.ptp(corners, axis=0).max())
    edge = corners @ along
    beside = (edge.max() + 0.14 * size) * along
    top, bottom = beside + (0.85 * bound + 0.15 * least) * normal, beside + least * normal
    axes.annotate(
        "",
        xy=tuple(bottom),
        xytext=tuple(top),
        arrowprops={"arrowstyle": "-|>", "color": "black"},
        zorder=6,
    )
    angle = float(np.degrees(np.arctan2(normal[1], normal[0])))
    x, y = ((top + bottom) / 2 + 0.05 * size * along).tolist()
    axes.text(
        x,
        y,
        "$\\gamma$ decreases",
        fontsize=9,
        rotation=(angle + 90) % 180 - 90,
        rotation_mode="anchor",
        ha="center",
        va="center",
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
        zorder=5,
    )
    value = float(result.value)
    label = f"$w_{{{unit}}} x + b_{{{unit}}} = \\gamma$"
    axes.plot([], [], color=ORANGE, linestyle=(0, (4, 3)), label=f"{label} as $\\gamma$ decreases")
    axes.plot([], [], color=RED, label=f"$\\gamma = 0$ and the minimum $\\gamma = {value:.3f}$")
    axes.plot([], [], "*", color=RED, markersize=11, label="the vertex, proved optimal")


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


def sphere_layer(seed: int = 7, *, units: int = 7, steps: int = 1500) -> tuple[Points, Points]:
    """Returns weight (units, 3) and bias (units,), float32, of a trained 3-`units`-1 network.

    It tells 1,000 points inside the unit ball from 1,000 around it (radius 1.3 to 2), so that its
    hidden units mostly fire outside: near the middle few or none do.
    """
    import torch
    from torch import nn

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # float sums must not depend on the number of cores
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            directions = nn.functional.normalize(torch.randn(2000, 3), dim=1)
            inside = torch.arange(2000) < 1000
            radius = torch.where(inside, torch.rand(2000).pow(1 / 3), 1.3 + 0.7 * torch.rand(2000))
            points, labels = directions * radius[:, None], (~inside).float()
            hidden = nn.Linear(3, units)
            net = nn.Sequential(hidden, nn.ReLU(), nn.Linear(units, 1))
            optimiser = torch.optim.Adam(net.parameters(), lr=0.02)
            for _ in range(steps):
                optimiser.zero_grad()
                loss = nn.functional.binary_cross_entropy_with_logits(net(points)[:, 0], labels)
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
            return hidden.weight.detach().numpy().copy(), hidden.bias.detach().numpy().copy()
    finally:
        torch.set_num_threads(threads)


def write_polytope_figures(folder: Path, *, seed: int = 7) -> list[Path]:
    """Draws figure1.png, solid.png and section.png of the layer that tells a ball from its shell.

    Raises:
        OutputError: a file cannot be written.
    """
    weight, bias = sphere_layer(seed)
    flat = CollisionPolytope.from_layer(weight, bias, [0.33, -0.55, -1.1])
    solid = CollisionPolytope.from_layer(weight, bias, [0.25, 0.5, 0.125])
    found = solid.vertices()
    near, far = found.points[0], found.points[-1]
    spanned = [solid.layer.target_vector, near, far]
    cut = section(solid, spanned)
    title = "section through the target and two vertices"
    drawn = {
        "figure1": figure_1(flat),
        "solid": solid_figure(solid, found),
        "section": section_figure(cut, title=title, points=("target", "a vertex", "another")),
    }
    place = open_run_folder(folder)
    return [save(figure, place / f"{name}.png") for name, figure in drawn.items()]


def main(argv: Sequence[str] | None = None) -> int:
    """Draws the three pictures into a folder and names them."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/polytope-figures"))
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args(argv)
    for path in write_polytope_figures(options.out, seed=options.seed):
        print(path)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
