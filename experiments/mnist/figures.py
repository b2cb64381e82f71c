"""How does a run of `collide mnist` look?  PNG figures from its record and vertices.npz."""

from pathlib import Path

from matplotlib.figure import Figure

from experiments.mnist.course_figure import course_figure
from experiments.mnist.near_figures import curve_figure, nearest_figure
from experiments.mnist.results import ExactSet, MnistResults, NetworkResults, RelaxedSet
from experiments.mnist.searches import steps_of, title_of
from experiments.readers.arrays import read_arrays
from experiments.show.figures import Arrays, write_figures
from experiments.show.image_grid import Cell, Row, image_grid, short_lines, start_cell
from experiments.show.numbers import fixed


def write_mnist_figures(folder: Path, results: MnistResults) -> list[Path]:
    """Draws all figures of a run into `folder/figures`.

    Raises:
        OutputError: a file cannot be written.
    """
    arrays = read_arrays(Path(folder) / "vertices.npz")
    drawn: dict[str, Figure | None] = {
        f"table1-{each.name}": table_1(each, arrays) for each in results.networks
    }
    drawn |= {
        "course": course_figure(results),
        "nearest": nearest_figure(results, arrays),
        "curve": curve_figure(results, arrays),
        "masks": masks_figure(results, arrays),
    }
    return write_figures(folder, drawn)


def table_1(results: NetworkResults, arrays: Arrays) -> Figure:
    """The paper's Table 1 on one network: the start, then the vertices, one row a set."""
    rows = []
    for one in results.sets:
        if one.measured is None or one.array not in arrays:
            continue
        units = one.solved if isinstance(one, ExactSet) else results.units
        captions = [f"{each.winner} ({each.confidence:.3f})" for each in one.measured.classes]
        cells = dict(zip(units, map(Cell, arrays[one.array], captions), strict=True))
        label = short_lines(title_of(one))
        if isinstance(one, RelaxedSet) and one.family == "early":
            label += f"\nafter {steps_of(one)} steps"
        label += f"\nmean distance {fixed(one.measured.distance)}"
        rows.append(Row(label, [start_cell(one.start, arrays), *map(cells.get, results.units)]))
    title = (
        f"Table 1, {results.name} network: vertices of the collision polytope; "
        "below each: class (confidence)"
    )
    return image_grid(rows, title, headings=["", *(f"unit {unit}" for unit in results.units)])


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
