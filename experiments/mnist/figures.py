"""The figures of `collide mnist`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from experiments.mnist.results import ExactSet, MnistResults, Near, NearPoint
from experiments.mnist.searches import title_of
from experiments.readers.arrays import read_arrays
from experiments.run.files import open_run_folder
from experiments.show.figures import (
    BLUE,
    FOLDER,
    GREEN,
    ORANGE,
    RED,
    SIDE,
    Arrays,
    hide_axes,
    label_row,
    save,
    show_digit,
)
from experiments.show.numbers import approx, fixed, short


def write_figures(folder: Path, results: MnistResults) -> list[Path]:
    """Draws all figures of a run into `folder/figures`.

    Raises:
        OutputError: a file cannot be written.
    """
    place = open_run_folder(Path(folder) / FOLDER)
    arrays = read_arrays(Path(folder) / "vertices.npz")
    drawn = {
        "table1": table_1(results, arrays),
        "nearest": nearest_figure(results, arrays),
        "curve": curve_figure(results, arrays),
        "masks": masks_figure(results, arrays),
    }
    return [save(figure, place / f"{name}.png") for name, figure in drawn.items() if figure]


def table_1(results: MnistResults, arrays: Arrays) -> Figure:
    """The paper's Table 1: the start, then the vertices, one row a set."""
    sets = [one for one in results.sets if one.array in arrays]
    count = len(results.units)
    figure = Figure(figsize=(1.7 + 1.0 * (count + 1), 0.6 + 1.12 * len(sets)), layout="constrained")
    grid = figure.subplots(
        len(sets), count + 2, width_ratios=[1.6] + [1.0] * (count + 1), squeeze=False
    )
    for row, one in enumerate(sets):
        words = title_of(one).replace("; ", "\n").replace(": ", ":\n").replace(", ", ",\n")
        assert one.measured is not None  # of every set whose points were kept
        label_row(grid[row, 0], f"{words}\nmean distance {fixed(one.measured.distance)}")
        image = arrays["other" if one.start == "other" else "target"]
        what = {"target": "start = target", "other": "start", None: "target"}[one.start]
        show_digit(grid[row, 1], image, what)
        points, classes = arrays[one.array], one.measured.classes
        units = one.solved if isinstance(one, ExactSet) else results.units
        for place, (point, seen) in enumerate(zip(points, classes, strict=True)):
            heading = f"unit {units[place]}" if row == 0 else ""
            text = f"{seen.winner} ({seen.confidence:.3f})"
            show_digit(grid[row, place + 2], point, text, above=heading)
        for empty in range(len(points) + 2, count + 2):
            hide_axes(grid[row, empty])
    figure.suptitle(
        "Table 1: vertices of the collision polytope; below each: class (confidence)", fontsize=9
    )
    return figure


def nearest_figure(results: MnistResults, arrays: Arrays) -> Figure | None:
    """For each digit: its image, and the nearest exact collision with the target."""
    entries = results.nearest
    if not entries:
        return None
    norms = (("l2", "nearest in l2"), ("linf", "nearest in linf"), ("l1", "nearest in l1"))
    figure = Figure(figsize=(1.7 + 1.0 * len(entries), 6.4), layout="constrained")
    widths = [1.5] + [1.0] * len(entries)
    grid = figure.subplots(5, len(entries) + 1, width_ratios=widths, squeeze=False)
    label_row(grid[0, 0], "image of\nanother digit")
    label_row(grid[4, 0], "target")
    for row, (_, name) in enumerate(norms, start=1):
        label_row(grid[row, 0], f"exact collision\n{name}")
    for column, one in enumerate(entries, start=1):
        digit = one.digit
        show_digit(grid[0, column], arrays[f"digit.{digit}"], f"test image {one.image.index}")
        for row, (norm, _) in enumerate(norms, start=1):
            point = arrays.get(f"nearest.{digit}.{norm}")
            found = one.norms[norm]
            if point is None or found.looks is None:
                hide_axes(grid[row, column])
                continue
            seen = f"{found.looks.winner} ({found.looks.confidence:.3f})"
            show_digit(grid[row, column], point, f"{seen}\nat {approx_text(found)}")
        show_digit(grid[4, column], arrays["target"], fixed(one.image_to_target.l2))
    figure.suptitle(
        "Nearest exact collision with the target to an image of each digit; below: the network's "
        "class (confidence), distance to that image\nlast row: l2 distance of target and image",
        fontsize=9,
    )
    return figure


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
        caption = f"{looks.winner} ({looks.confidence:.2f})"
        show_digit(axes, point, caption, above=f"{one.tolerance:g}")
    show_digit(row[-1], arrays["other"], "the image")
    part.suptitle("l2 nearest collision at each tolerance; below: class (confidence)", fontsize=9)


def masks_figure(results: MnistResults, arrays: Arrays) -> Figure:
    """How often is each pixel lit in training, and which does each control hold?"""
    share = arrays["lit_fraction"]
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    axes = figure.subplots(1, 3)
    shown = axes[0].imshow(100 * share.reshape(SIDE, SIDE), cmap="viridis", vmin=0)
    figure.colorbar(shown, ax=axes[0], label="% of training images", shrink=0.8)
    axes[0].set_title("share of images that light a pixel", fontsize=9)
    for place, name in enumerate(("never", "rarely"), start=1):
        mask = arrays[f"mask.{name}"]
        axes[place].imshow(mask.reshape(SIDE, SIDE), cmap="gray_r", vmin=0, vmax=1)
        count = results.controls[name].pixels
        words = {"never": "never lit", "rarely": "lit in under 1% of the images"}[name]
        axes[place].set_title(f"{count} pixels {words}\n(black: held in the control)", fontsize=9)
    for each in axes:
        each.set_xticks([])
        each.set_yticks([])
    return figure
