"""How do the images of a run look?  PNG figures from its record and vertices.npz."""

from pathlib import Path
from textwrap import wrap
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.images.results import ImageResults
from experiments.measure.sampling import weights
from experiments.readers.arrays import read_arrays
from experiments.run.files import open_run_folder
from experiments.show.figures import FOLDER, Arrays, save
from experiments.show.numbers import fixed, short

_PATH = 7  # interpolants shown of a row
_LONG = 22  # letters of a class


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


class _Sheet:
    """A figure with a row of pictures for each set of vertices, and words to the left of each."""

    def __init__(self, results: ImageResults, columns: int) -> None:
        rows = len(results.sets)
        self.results = results
        self.figure = Figure(figsize=(1.7 + 1.35 * columns, 0.7 + 1.6 * rows), layout="constrained")
        widths = [1.1] + [1.0] * columns
        self.grid = self.figure.subplots(rows, columns + 1, width_ratios=widths, squeeze=False)

    def label(self, row: int, more: str) -> None:
        """Recipe and start of a row's set, and something more."""
        words = self.results.title_of(self.results.sets[row])
        words = words.replace("; ", "\n").replace(", ", ",\n")
        axes = self.grid[row, 0]
        axes.text(0, 0.5, f"{words}\n{more}", fontsize=7, va="center", transform=axes.transAxes)
        axes.axis("off")

    def show(
        self, row: int, column: int, image: NDArray[Any], below: str = "", above: str = ""
    ) -> None:
        """Draws one image (3, H, W) in 0..255 as it would be saved: 8 bits, truncated."""
        axes = self.grid[row, column]
        axes.imshow(np.clip(np.moveaxis(image, 0, -1), 0, 255).astype(np.uint8))
        axes.set_xticks([])
        axes.set_yticks([])
        for edge in axes.spines.values():
            edge.set_linewidth(0.5)
        if below:
            axes.set_xlabel(below, fontsize=7, labelpad=2)
        if above:
            axes.set_title(above, fontsize=8, pad=3)

    def seen(self, index: int, confidence: float) -> str:
        """A class with its confidence, cut where it is long."""
        name = self.results.name_of(index)
        return f"{name if len(name) <= _LONG else name[: _LONG - 1] + '…'} ({confidence:.3f})"

    def finished(self, text: str) -> Figure:
        """Adds the title and what a reader must know, in lines not wider than the figure."""
        most = int(12 * self.figure.get_figwidth())  # characters of this size
        lines = [line for each in (text, *self.results.remarks) for line in wrap(each, most)]
        self.figure.suptitle("\n".join(lines), fontsize=9)
        return self.figure


def vertices_figure(results: ImageResults, arrays: Arrays) -> Figure:
    """The paper's Table 3: target, start, then the vertices, one row a set."""
    sheet = _Sheet(results, 2 + max(len(one.search.units) for one in results.sets))
    for row, one in enumerate(results.sets):
        found = one.measures.found
        sheet.label(row, f"mean distance\n{fixed(found.spread.distance)}")
        pictures = {"target": results.target, f"start.{one.start}": results.starts[one.start]}
        for column, (name, seen) in enumerate(pictures.items(), start=1):
            above = "" if row else name.partition(".")[0]
            text = sheet.seen(seen.winner, seen.confidence)
            sheet.show(row, column, arrays[name], text, above)
        for place, each in enumerate(found.vertices):
            text = sheet.seen(each.winner, each.confidence)
            sheet.show(row, place + 3, arrays[str(one)][place], text, f"unit {each.unit}")
    return sheet.finished(
        "Vertices of the collision polytope; below each: the network's class (confidence)"
    )


def differences_figure(results: ImageResults, arrays: Arrays) -> Figure:
    """Each vertex minus the mean of its set, on one scale for all, grey where nothing differs."""
    sheet = _Sheet(results, max(len(one.search.units) for one in results.sets))
    moves = [arrays[str(one)] - arrays[str(one)].mean(axis=0) for one in results.sets]
    largest = max(float(np.quantile(np.abs(move), 0.99)) for move in moves) or 1.0
    for row, one in enumerate(results.sets):
        sheet.label(row, "minus the mean of the set")
        for place, unit in enumerate(one.search.units):
            shown = 127.5 + 127.5 * moves[row][place] / largest
            text = f"l2 {fixed(one.measures.found.spread.from_mean[place])}"
            sheet.show(row, place + 1, shown, text, f"unit {unit}")
    return sheet.finished(
        f"Where the vertices differ: grey is no difference, black and white are {short(largest)} "
        "grey levels or more"
    )


def interpolants_figure(results: ImageResults, arrays: Arrays) -> Figure:
    """Random convex combinations of the vertices, the first ones with uniform weights."""
    sheet = _Sheet(results, _PATH)
    for row, one in enumerate(results.sets):
        vertices = arrays[str(one)].astype(np.float64)
        drawn = weights("uniform", samples=_PATH, points=len(vertices), seed=0)
        sheet.label(row, "combinations of images")
        for place, share in enumerate(drawn):
            image = np.tensordot(share, vertices, axes=1)
            text = " ".join(f"{100 * value:.0f}" for value in share)
            sheet.show(row, place + 1, image, text)
    return sheet.finished(
        "Random convex combinations of the vertices; below each: weights in percent"
    )
