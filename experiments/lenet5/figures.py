"""How does a run of `collide lenet5` look?  PNG figures from its record and vertices.npz."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")  # no window, and none is needed

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from experiments.lenet5.tables import layer_name, set_name
from experiments.readers.arrays import read_arrays
from experiments.run.files import open_run_folder
from experiments.show.figures import BLUE, FOLDER, GREEN, ORANGE, RED, save, show_digit
from experiments.show.numbers import fixed

Arrays = Mapping[str, NDArray[Any]]
Results = Mapping[str, Any]

_COLOURS = (BLUE, ORANGE, GREEN, RED, "#CC79A7")
_MARKERS = ("o", "s", "^", "D", "v")


def write_lenet5_figures(folder: Path, results: Results) -> list[Path]:
    """Draws all figures of a run into `folder/figures`.

    Raises:
        OutputError: a file cannot be written.
    """
    place = open_run_folder(Path(folder) / FOLDER)
    arrays = read_arrays(Path(folder) / "vertices.npz")
    drawn: dict[str, Figure | None] = {
        f"vertices-{layer['name']}": vertices_figure(layer, arrays) for layer in results["layers"]
    }
    drawn["pieces"] = pieces_figure(results)
    return [save(figure, place / f"{name}.png") for name, figure in drawn.items() if figure]


def vertices_figure(layer: Mapping[str, Any], arrays: Arrays) -> Figure | None:
    """The start, then the vertices that are images, one row a set."""
    first = len(layer["spaces"]) == 1
    sets = [
        one
        for one in layer["sets"]
        if one["key"] in arrays and (one["kind"] == "relaxed" or first or one["space"] == "pixels")
    ]
    if not sets:
        return None
    units = layer["units"]
    figure = Figure(figsize=(2.9 + len(units), 0.6 + 1.16 * len(sets)), layout="constrained")
    widths = [1.7] + [1.0] * (len(units) + 1)
    grid = figure.subplots(len(sets), len(units) + 2, width_ratios=widths, squeeze=False)
    for row, one in enumerate(sets):
        words = (
            set_name(one, len(units)).replace(": ", ":\n").replace(", ", ",\n").replace("; ", "\n")
        )
        distance = one.get("distances", {}).get("pixels", {}).get("distance")
        text = f"{words}\nmean distance {fixed(distance)}" if distance is not None else words
        grid[row, 0].text(0, 0.5, text, fontsize=7, va="center", transform=grid[row, 0].transAxes)
        for axes in grid[row]:
            axes.axis("off")
        other = one["start"] == "other"
        what = {"target": "start = target", "other": "start", None: "target"}[one["start"]]
        _show(grid[row, 1], arrays["other" if other else "target"], what, "")
        solved = one.get("solved", units)
        for number, point in zip(solved, arrays[one["key"]], strict=True):
            place = units.index(number)
            seen = one.get("combinations", {})
            text = ""
            if "classes" in seen:
                at = solved.index(number)
                text = f"{seen['classes'][at]} ({seen['confidences'][at]:.3f})"
            _show(grid[row, place + 2], point, text, f"unit {number}" if row == 0 else "")
    figure.suptitle(f"Vertices at {layer_name(layer)}; below each: class (confidence)", fontsize=9)
    return figure


def _show(axes: Any, image: NDArray[Any], below: str, above: str) -> None:
    axes.axis("on")
    show_digit(axes, image, below, above=above)


def pieces_figure(results: Results) -> Figure | None:
    """Mean distance and mean least pre-activation against the number of regions entered."""
    shown = [layer for layer in results["layers"] if _grows(layer)]
    if not shown:
        return None
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    axes = figure.subplots(1, 2)
    words = {
        "distance": "mean l2 distance of the units' best points",
        "mean_value": "change of the mean least pre-activation",
    }
    for place, (name, title) in enumerate(words.items()):
        for number, layer in enumerate(shown):
            rows = layer["pieces"]["growth"]
            base = rows[0]["mean_value"] if name == "mean_value" else 0.0
            values = [row[name] - base for row in rows]
            axes[place].plot(
                [row["pieces"] for row in rows],
                values,
                color=_COLOURS[number % len(_COLOURS)],
                marker=_MARKERS[number % len(_MARKERS)],
                label=layer_name(layer),
            )
        axes[place].xaxis.set_major_locator(MaxNLocator(integer=True))
        axes[place].set_xlabel("linear regions entered, a unit")
        axes[place].set_ylabel(title, fontsize=8)
        axes[place].grid(alpha=0.3)
        axes[place].legend(fontsize=8)
    figure.suptitle("Exact collisions in neighbouring linear regions", fontsize=9)
    return figure


def _grows(layer: Mapping[str, Any]) -> bool:
    """Whether there is a line to draw: two regions and two units at least."""
    rows = layer["pieces"]["growth"] if layer["pieces"] else []
    return len(rows) > 1 and all(row["distance"] is not None for row in rows)
