"""How near does an exact collision come to another image?  Both figures, all networks beside."""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from experiments.mnist.results import MnistResults, Near, NearDigit, NearPoint, NetworkResults
from experiments.show.figures import BLUE, ORANGE, Arrays, hide_axes, show_digit
from experiments.show.image_grid import Cell, Row, image_grid
from experiments.show.numbers import approx, fixed, short

#: Network -> colour of its lines.
COLORS = {"wide": BLUE, "default": ORANGE}


def nearest_figure(results: MnistResults, arrays: Arrays) -> Figure | None:
    """For each digit: its image, and each network's nearest exact collision with the target."""
    entries = results.networks[0].nearest
    if not entries:
        return None
    images = [Cell(arrays[f"digit.{e.digit}"], f"test image {e.image.index}") for e in entries]
    rows = [Row("image of\nanother digit", images)]
    for norm in ("l2", "linf", "l1"):
        for each in results.networks:
            cells = [_near_cell(each.name, e, norm, arrays) for e in each.nearest]
            rows.append(Row(f"exact collision\nnearest in {norm},\n{each.name} network", cells))
    away = [Cell(arrays["target"], fixed(e.image_to_target.l2)) for e in entries]
    rows.append(Row("target", away))
    return image_grid(
        rows,
        "Nearest exact collision with the target to an image of each digit; below: the network's "
        "class (confidence), distance to that image\nlast row: l2 distance of target and image",
    )


def _near_cell(network: str, one: NearDigit, norm: str, arrays: Arrays) -> Cell | None:
    point, found = arrays.get(f"nearest.{network}.{one.digit}.{norm}"), one.near.norms[norm]
    if point is None or found.looks is None:
        return None
    seen = f"{found.looks.seen.winner} ({found.looks.seen.confidence:.3f})"
    return Cell(point, f"{seen}\nat {approx_text(found)}")


def approx_text(found: NearPoint) -> str:
    """Returns a distance for a caption; the exact one where there is one."""
    return fixed(found.upper if found.distance is None else found.distance)


def curve_figure(results: MnistResults, arrays: Arrays) -> Figure | None:
    """Tolerance against distance to another digit's image, with the nearest collisions."""
    networks = [each for each in results.networks if each.curve.points]
    if not networks:
        return None
    points = networks[0].curve.points
    figure = Figure(figsize=(13, 4.6 + 1.15 * len(networks)), layout="constrained")
    heights = [4.4] + [1.15] * len(networks)
    upper, *lower = figure.subfigures(1 + len(networks), 1, height_ratios=heights, squeeze=False)[
        :, 0
    ]
    axes = upper.subplots()
    for each in networks:
        _curve_line(axes, each)
    axes.set_xlabel("tolerance (units of the pre-activation; 0 to 0.01 linear, then logarithmic)")
    axes.set_ylabel("l2 distance")
    axes.set_xscale("symlog", linthresh=0.01)
    tolerances = [one.tolerance for one in points]
    axes.set_xticks(tolerances, [f"{t:g}" for t in tolerances])
    axes.set_xlim(left=-0.001)
    axes.set_ylim(bottom=0)
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="lower left")
    image, target = networks[0].curve.image, networks[0].target
    axes.set_title(
        f"Certified l2 distance from test image {image.index} (a {image.label}) to the "
        f"collisions with test image {target.index} (a {target.label})",
        fontsize=10,
    )
    for part, each in zip(lower, networks, strict=True):
        _curve_images(part, each, arrays)
    return figure


def _curve_line(axes: Any, each: NetworkResults) -> None:
    """One network's distances, and where its picture and the image's own collision change."""
    curve, points = each.curve, each.curve.points
    color = COLORS[each.name]
    axes.plot(
        [one.tolerance for one in points],
        [one.norms["l2"].upper for one in points],
        color=color,
        marker="o",
        label=f"{each.name} network ({_bounds_text(points)})",
    )
    marks = (
        (curve.image_tolerance, "-.", "the digit's image itself collides"),
        (curve.first_other_class, ":", "first of the grid with another class"),
    )
    for value, style, text in marks:
        if approx(value) is not None:
            axes.axvline(
                approx(value), color=color, linestyle=style, label=f"{each.name} network: {text}"
            )


def _bounds_text(points: Sequence[Near]) -> str:
    """How far apart the certified ends of the curve's distances are, at most."""
    ends = [one.norms["l2"] for one in points]
    widths = [one.upper - one.lower for one in ends if one.upper is not None]
    if not widths:
        return "undecided"
    return f"upper end; certified bounds at most {short(max(widths))} apart"


def _curve_images(part: Any, each: NetworkResults, arrays: Arrays) -> None:
    points = each.curve.points
    row = part.subplots(1, len(points) + 1, squeeze=False)[0]
    for axes, one in zip(row, points, strict=False):
        point, looks = arrays.get(f"curve.{each.name}.{one.tolerance:g}"), one.norms["l2"].looks
        if point is None or looks is None:
            hide_axes(axes)
            continue
        caption = f"{looks.seen.winner} ({looks.seen.confidence:.2f})"
        show_digit(axes, point, caption, above=f"{one.tolerance:g}")
    show_digit(row[-1], arrays["other"], "the image")
    part.suptitle(
        f"{each.name} network: l2 nearest collision at each tolerance; below: class (confidence)",
        fontsize=9,
    )
