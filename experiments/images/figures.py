"""How do the images of a run look?  PNG figures from its record and vertices.npz."""

from pathlib import Path
from textwrap import wrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.images.results import ImageResults, SetName
from experiments.measure.sampling import weights
from experiments.readers.arrays import read_arrays
from experiments.run.files import open_run_folder
from experiments.show.figures import FOLDER, Arrays, save
from experiments.show.numbers import fixed, short

_PATH = 7  # interpolants shown of a row


def write_image_figures(folder: Path, results: ImageResults) -> list[Path]:
    """Draws all figures of a run into `folder/figures`.

    Raises:
        OutputError: a file cannot be written.
    """
    place = open_run_folder(Path(folder) / FOLDER)
    arrays = read_arrays(Path(folder) / "vertices.npz")
    drawn = {
        "table3": vertices_figure(results, arrays),
        "differences": differences_figure(results, arrays),
        "interpolants": interpolants_figure(results, arrays),
    }
    return [save(figure, place / f"{name}.png") for name, figure in drawn.items()]


def _show(axes: Axes, image: NDArray[Any], below: str = "", above: str = "") -> None:
    """Draws one image (3, H, W) in 0..255 as it would be saved: 8 bits, truncated."""
    axes.imshow(np.clip(np.moveaxis(image, 0, -1), 0, 255).astype(np.uint8))
    axes.set_xticks([])
    axes.set_yticks([])
    for edge in axes.spines.values():
        edge.set_linewidth(0.5)
    if below:
        axes.set_xlabel(below, fontsize=7, labelpad=2)
    if above:
        axes.set_title(above, fontsize=8, pad=3)


def _grid(rows: int, columns: int) -> tuple[Figure, Any]:
    figure = Figure(figsize=(1.7 + 1.35 * columns, 0.7 + 1.6 * rows), layout="constrained")
    widths = [1.1] + [1.0] * columns
    return figure, figure.subplots(rows, columns + 1, width_ratios=widths, squeeze=False)


def _row_title(axes: Axes, results: ImageResults, one: SetName, more: str) -> None:
    words = results.title_of(one).replace("; ", "\n").replace(", ", ",\n")
    axes.text(0, 0.5, f"{words}\n{more}", fontsize=7, va="center", transform=axes.transAxes)
    axes.axis("off")


def _shorten(text: str, most: int = 22) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _seen(results: ImageResults, index: int, confidence: float) -> str:
    return f"{_shorten(results.name_of(index))} ({confidence:.3f})"


def _heading(figure: Figure, text: str, results: ImageResults) -> None:
    """The title, and what a reader must know, in lines that are not wider than the figure."""
    most = int(12 * figure.get_figwidth())  # characters of this size
    lines = [line for each in (text, *results.remarks) for line in wrap(each, most)]
    figure.suptitle("\n".join(lines), fontsize=9)


def vertices_figure(results: ImageResults, arrays: Arrays) -> Figure:
    """The paper's Table 3: target, start, then the vertices, one row a set."""
    sets, target = results.sets, results.target
    figure, grid = _grid(len(sets), 2 + max(len(one.search.units) for one in sets))
    for row, one in enumerate(sets):
        found, start = one.measures.found, results.starts[one.start]
        _row_title(grid[row, 0], results, one, f"mean distance\n{fixed(found.spread.distance)}")
        for column, (name, array, seen) in enumerate(
            (("target", "target", target), ("start", f"start.{one.start}", start)), start=1
        ):
            text = _seen(results, seen.winner, seen.confidence)
            _show(grid[row, column], arrays[array], text, "" if row else name)
        for place, each in enumerate(found.vertices):
            text = _seen(results, each.winner, each.confidence)
            _show(grid[row, place + 3], arrays[str(one)][place], text, f"unit {each.unit}")
    _heading(
        figure,
        "Vertices of the collision polytope; below each: the network's class (confidence)",
        results,
    )
    return figure


def differences_figure(results: ImageResults, arrays: Arrays) -> Figure:
    """Each vertex minus the mean of its set, on one scale for all, grey where nothing differs."""
    sets = results.sets
    figure, grid = _grid(len(sets), max(len(one.search.units) for one in sets))
    moves = [arrays[str(one)] - arrays[str(one)].mean(axis=0) for one in sets]
    largest = max(float(np.quantile(np.abs(move), 0.99)) for move in moves) or 1.0
    for row, one in enumerate(sets):
        _row_title(grid[row, 0], results, one, "minus the mean of the set")
        for place, unit in enumerate(one.search.units):
            shown = 127.5 + 127.5 * moves[row][place] / largest
            text = f"l2 {fixed(one.measures.found.spread.from_mean[place])}"
            _show(grid[row, place + 1], shown, text, f"unit {unit}")
    _heading(
        figure,
        f"Where the vertices differ: grey is no difference, black and white are {short(largest)} "
        "grey levels or more",
        results,
    )
    return figure


def interpolants_figure(results: ImageResults, arrays: Arrays) -> Figure:
    """Random convex combinations of the vertices, the first ones with uniform weights."""
    figure, grid = _grid(len(results.sets), _PATH)
    for row, one in enumerate(results.sets):
        vertices = arrays[str(one)].astype(np.float64)
        drawn = weights("uniform", samples=_PATH, points=len(vertices), seed=0)
        _row_title(grid[row, 0], results, one, "combinations of images")
        for place, share in enumerate(drawn):
            image = np.tensordot(share, vertices, axes=1)
            text = " ".join(f"{100 * value:.0f}" for value in share)
            _show(grid[row, place + 1], image, text)
    _heading(
        figure,
        "Random convex combinations of the vertices; below each: weights in percent",
        results,
    )
    return figure
