"""How does a run of `collide mnist` look?  PNG figures from its record and vertices.npz."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from experiments.mnist.results import ExactSet, MnistResults, Near, NearDigit, NearPoint
from experiments.mnist.searches import title_of
from experiments.readers.arrays import read_arrays
from experiments.show.figures import (
    BLUE,
    GREEN,
    ORANGE,
    RED,
    Arrays,
    hide_axes,
    show_digit,
    write_figures,
)
from experiments.show.image_grid import Cell, Row, image_grid, short_lines, start_cell
from experiments.show.numbers import approx, fixed, short


def write_mnist_figures(folder: Path, results: MnistResults) -> list[Path]:
    """Draws all figures of a run into `folder/figures`.

    Raises:
        OutputError: a file cannot be written.
    """
    arrays = read_arrays(Path(folder) / "vertices.npz")
    drawn = {
        "table1": table_1(results, arrays),
        "nearest": nearest_figure(results, arrays),
        "curve": curve_figure(results, arrays),
        "masks": masks_figure(results, arrays),
    }
    return write_figures(folder, drawn)


def table_1(results: MnistResults, arrays: Arrays) -> Figure:
    """The paper's Table 1: the start, then the vertices, one row a set."""
    rows = []
    for one in results.sets:
        if one.measured is None or one.array not in arrays:
            continue
        units = one.solved if isinstance(one, ExactSet) else results.units
        captions = [f"{each.winner} ({each.confidence:.3f})" for each in one.measured.classes]
        cells = dict(zip(units, map(Cell, arrays[one.array], captions), strict=True))
        label = f"{short_lines(title_of(one))}\nmean distance {fixed(one.measured.distance)}"
        rows.append(Row(label, [start_cell(one.start, arrays), *map(cells.get, results.units)]))
    title = "Table 1: vertices of the collision polytope; below each: class (confidence)"
    return image_grid(rows, title, headings=["", *(f"unit {unit}" for unit in results.units)])


def nearest_figure(results: MnistResults, arrays: Arrays) -> Figure | None:
    """For each digit: its image, and the nearest exact collision with the target."""
    entries = results.nearest
    if not entries:
        return None
    images = [Cell(arrays[f"digit.{e.digit}"], f"test image {e.image.index}") for e in entries]
    rows = [Row("image of\nanother digit", images)]
    for norm in ("l2", "linf", "l1"):
        cells = [_near_cell(e, norm, arrays) for e in entries]
        rows.append(Row(f"exact collision\nnearest in {norm}", cells))
    away = [Cell(arrays["target"], fixed(e.image_to_target.l2)) for e in entries]
    rows.append(Row("target", away))
    return image_grid(
        rows,
        "Nearest exact collision with the target to an image of each digit; below: the network's "
        "class (confidence), distance to that image\nlast row: l2 distance of target and image",
    )


def _near_cell(one: NearDigit, norm: str, arrays: Arrays) -> Cell | None:
    point, found = arrays.get(f"nearest.{one.digit}.{norm}"), one.near.norms[norm]
    if point is None or found.looks is None:
        return None
    seen = f"{found.looks.seen.winner} ({found.looks.seen.confidence:.3f})"
    return Cell(point, f"{seen}\nat {approx_text(found)}")


def approx_text(found: NearPoint) -> str:
    """Returns a distance for a caption; the exact one where there is one."""
    return fixed(found.upper if found.distance is None else found.distance)


def curve_figure(results: MnistResults, arrays: Arrays) -> Figure | None:
    """Tolerance against distance to another digit's image, with the nearest collisions."""
    curve, points = results.curve, results.curve.points
    if not points:
        return None
    figure = Figure(figsize=(9, 5.2), layout="constrained")
    upper, lower = figure.subfigures(2, 1, height_ratios=[3, 1.15], squeeze=False)[:, 0]
    axes = upper.subplots()
    tolerances = [one.tolerance for one in points]
    axes.plot(
        tolerances,
        [one.norms["l2"].upper for one in points],
        color=BLUE,
        marker="o",
        label=f"l2 ({_bounds_text(points)})",
    )
    axes.set_xlabel("tolerance (units of the pre-activation; 0 to 0.01 linear, then logarithmic)")
    axes.set_ylabel("l2 distance")
    axes.set_xscale("symlog", linthresh=0.01)
    axes.set_xticks(tolerances, [f"{t:g}" for t in tolerances])
    axes.set_xlim(left=-0.001)
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    other = axes.twinx()
    linf = [approx(one.norms["linf"].distance) for one in points]
    other.plot(tolerances, linf, color=ORANGE, marker="s", linestyle="--", label="linf (exact)")
    other.set_ylabel("linf distance")
    other.set_ylim(bottom=0)
    axes.set_ylim(bottom=0)
    marks = (
        (curve.image_tolerance, GREEN, "-.", "the digit's image itself collides"),
        (curve.first_other_class, RED, ":", "first of the grid with another class"),
    )
    for value, color, style, text in marks:
        if approx(value) is not None:
            axes.axvline(approx(value), color=color, linestyle=style, label=text)
    handles = [*axes.get_legend_handles_labels()[0], *other.get_legend_handles_labels()[0]]
    axes.legend(handles, [handle.get_label() for handle in handles], fontsize=8, loc="lower left")
    image, target = curve.image, results.target
    axes.set_title(
        f"Certified distance from test image {image.index} (a {image.label}) to the "
        f"collisions with test image {target.index} (a {target.label})",
        fontsize=10,
    )
    _curve_images(lower, points, arrays)
    return figure


def _bounds_text(points: Sequence[Near]) -> str:
    """How far apart the certified ends of the curve's distances are, at most."""
    ends = [one.norms["l2"] for one in points]
    widths = [one.upper - one.lower for one in ends if one.upper is not None]
    if not widths:
        return "undecided"
    return f"upper end; certified bounds at most {short(max(widths))} apart"


def _curve_images(part: Any, points: Sequence[Near], arrays: Arrays) -> None:
    row = part.subplots(1, len(points) + 1, squeeze=False)[0]
    for axes, one in zip(row, points, strict=False):
        point, looks = arrays.get(f"curve.{one.tolerance:g}"), one.norms["l2"].looks
        if point is None or looks is None:
            hide_axes(axes)
            continue
        caption = f"{looks.seen.winner} ({looks.seen.confidence:.2f})"
        show_digit(axes, point, caption, above=f"{one.tolerance:g}")
    show_digit(row[-1], arrays["other"], "the image")
    part.suptitle("l2 nearest collision at each tolerance; below: class (confidence)", fontsize=9)


def masks_figure(results: MnistResults, arrays: Arrays) -> Figure:
    """How often is each pixel lit in training, and which does each control hold?"""
    share = arrays["lit_fraction"]
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    axes = figure.subplots(1, 3)
    shown = axes[0].imshow(100 * share.reshape(28, 28), cmap="viridis", vmin=0)
    figure.colorbar(shown, ax=axes[0], label="% of training images", shrink=0.8)
    axes[0].set_title("share of images that light a pixel", fontsize=9)
    for place, name in enumerate(("never", "rarely"), start=1):
        mask = arrays[f"mask.{name}"]
        axes[place].imshow(mask.reshape(28, 28), cmap="gray_r", vmin=0, vmax=1)
        count = results.controls[name].pixels
        words = {"never": "never lit", "rarely": "lit in under 1% of the images"}[name]
        axes[place].set_title(f"{count} pixels {words}\n(black: held in the control)", fontsize=9)
    for each in axes:
        each.set_xticks([])
        each.set_yticks([])
    return figure
