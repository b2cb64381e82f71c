"""How does a run of `collide lenet5` look?  PNG figures from its record and vertices.npz."""

from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments.lenet5.results import ExactSet, Growth, Layer, Lenet5Results
from experiments.lenet5.tables import set_name
from experiments.readers.arrays import read_arrays
from experiments.show.figures import BLUE, GREEN, ORANGE, RED, Arrays, write_figures
from experiments.show.image_grid import Cell, Row, image_grid, short_lines, start_cell
from experiments.show.numbers import fixed

_COLOURS = (BLUE, ORANGE, GREEN, RED, "#CC79A7")
_MARKERS = ("o", "s", "^", "D", "v")


def write_lenet5_figures(folder: Path, results: Lenet5Results) -> list[Path]:
    """Draws all figures of a run into `folder/figures`.

    Raises:
        OutputError: a file cannot be written.
    """
    arrays = read_arrays(Path(folder) / "vertices.npz")
    drawn = {f"vertices-{layer.name}": vertices_figure(layer, arrays) for layer in results.layers}
    return write_figures(folder, drawn | {"pieces": pieces_figure(results)})


def vertices_figure(layer: Layer, arrays: Arrays) -> Figure | None:
    """The start, then the vertices that are images, one row a set."""
    rows = []
    for one in layer.sets:
        points, units = arrays.get(f"{layer.name}.{one.array}"), layer.units
        if isinstance(one, ExactSet):
            points, units = points if layer.is_first or one.space == "pixels" else None, one.solved
        if points is None:
            continue
        label = short_lines(set_name(one, len(layer.units)))
        if (found := one.distances.get("pixels")) is not None:
            label += f"\nmean distance {fixed(found.distance)}"
        seen = one.combinations.classes if one.combinations else ()
        captions = [f"{each.winner} ({each.confidence:.3f})" for each in seen] or [""] * len(points)
        cells = dict(zip(units, map(Cell, points, captions), strict=True))
        rows.append(Row(label, [start_cell(one.start, arrays), *map(cells.get, layer.units)]))
    if not rows:
        return None
    title = f"Vertices at {layer.title}; below each: class (confidence)"
    return image_grid(rows, title, headings=["", *(f"unit {unit}" for unit in layer.units)])


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
