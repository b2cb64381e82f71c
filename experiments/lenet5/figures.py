"""How does a run of `collide lenet5` look?  PNG figures from its record and vertices.npz."""

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")  # no window, and none is needed

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from experiments.lenet5.results import Growth, Layer, Lenet5Results, RelaxedSet
from experiments.lenet5.tables import set_name
from experiments.readers.arrays import read_arrays
from experiments.run.files import open_run_folder
from experiments.show.figures import BLUE, FOLDER, GREEN, ORANGE, RED, Arrays, save, show_digit
from experiments.show.numbers import fixed

_COLOURS = (BLUE, ORANGE, GREEN, RED, "#CC79A7")
_MARKERS = ("o", "s", "^", "D", "v")


def write_lenet5_figures(folder: Path, results: Lenet5Results) -> list[Path]:
    """Draws all figures of a run into `folder/figures`.

    Raises:
        OutputError: a file cannot be written.
    """
    place = open_run_folder(Path(folder) / FOLDER)
    arrays = read_arrays(Path(folder) / "vertices.npz")
    drawn: dict[str, Figure | None] = {
        f"vertices-{layer.name}": vertices_figure(layer, arrays) for layer in results.layers
    }
    drawn["pieces"] = pieces_figure(results)
    return [save(figure, place / f"{name}.png") for name, figure in drawn.items() if figure]


def vertices_figure(layer: Layer, arrays: Arrays) -> Figure | None:
    """The start, then the vertices that are images, one row a set."""
    sets = [
        one
        for one in layer.sets
        if f"{layer.name}.{one.array}" in arrays
        and (isinstance(one, RelaxedSet) or layer.is_first or one.space == "pixels")
    ]
    if not sets:
        return None
    units = layer.units
    figure = Figure(figsize=(2.9 + len(units), 0.6 + 1.16 * len(sets)), layout="constrained")
    widths = [1.7] + [1.0] * (len(units) + 1)
    grid = figure.subplots(len(sets), len(units) + 2, width_ratios=widths, squeeze=False)
    for row, one in enumerate(sets):
        words = (
            set_name(one, len(units)).replace(": ", ":\n").replace(", ", ",\n").replace("; ", "\n")
        )
        found, seen = one.distances.get("pixels"), one.combinations
        text = words if found is None else f"{words}\nmean distance {fixed(found.distance)}"
        grid[row, 0].text(0, 0.5, text, fontsize=7, va="center", transform=grid[row, 0].transAxes)
        for axes in grid[row]:
            axes.axis("off")
        what = {"target": "start = target", "other": "start", None: "target"}[one.start]
        _show(grid[row, 1], arrays["other" if one.start == "other" else "target"], what, "")
        solved = units if isinstance(one, RelaxedSet) else one.solved
        for at, point in enumerate(arrays[f"{layer.name}.{one.array}"]):
            place = units.index(solved[at])
            text = ""
            if seen is not None and seen.classes:
                text = f"{seen.classes[at]} ({seen.confidences[at]:.3f})"
            _show(grid[row, place + 2], point, text, f"unit {solved[at]}" if row == 0 else "")
    figure.suptitle(f"Vertices at {layer.title}; below each: class (confidence)", fontsize=9)
    return figure


def _show(axes: Any, image: NDArray[Any], below: str, above: str) -> None:
    axes.axis("on")
    show_digit(axes, image, below, above=above)


def pieces_figure(results: Lenet5Results) -> Figure | None:
    """Mean distance and mean least pre-activation against the number of regions entered."""
    shown = [(layer.title, rows) for layer in results.layers if (rows := _growth(layer))]
    if not shown:
        return None
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    axes = figure.subplots(1, 2)
    words = {
        "distance": "mean l2 distance of the units' best points",
        "mean_value": "change of the mean least pre-activation",
    }
    for place, (name, title) in enumerate(words.items()):
        for number, (layer, rows) in enumerate(shown):
            base = rows[0].mean_value if name == "mean_value" else 0.0
            axes[place].plot(
                [row.pieces for row in rows],
                [getattr(row, name) - base for row in rows],
                color=_COLOURS[number % len(_COLOURS)],
                marker=_MARKERS[number % len(_MARKERS)],
                label=layer,
            )
        axes[place].xaxis.set_major_locator(MaxNLocator(integer=True))
        axes[place].set_xlabel("linear regions entered, a unit")
        axes[place].set_ylabel(title, fontsize=8)
        axes[place].grid(alpha=0.3)
        axes[place].legend(fontsize=8)
    figure.suptitle("Exact collisions in neighbouring linear regions", fontsize=9)
    return figure


def _growth(layer: Layer) -> tuple[Growth, ...]:
    """What there is to draw a line of: two regions and two units at least."""
    rows = () if layer.pieces is None else layer.pieces.growth
    return rows if len(rows) > 1 and all(row.distance is not None for row in rows) else ()
