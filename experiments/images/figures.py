"""How do the images of a run look?  PNG figures from its record and vertices.npz."""

from collections.abc import Mapping
from pathlib import Path
from textwrap import wrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.images.detail_tables import title_of
from experiments.measure.sampling import weights
from experiments.readers.arrays import read_arrays
from experiments.run.files import open_run_folder
from experiments.show.figures import FOLDER, save
from experiments.show.numbers import fixed, short

Arrays = Mapping[str, NDArray[Any]]
Results = Mapping[str, Any]

_PATH = 7  # interpolants shown of a row


def write_image_figures(folder: Path, results: Results) -> list[Path]:
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


def _show(axes: Axes, image: NDArray[Any], below: str = "", *, bgr: bool, above: str = "") -> None:
    """Draws one image (3, H, W) in 0..255 as it would be saved: 8 bits, truncated."""
    rgb = np.moveaxis(image[::-1] if bgr else image, 0, -1)
    axes.imshow(np.clip(rgb, 0, 255).astype(np.uint8))
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


def _row_title(axes: Axes, results: Results, one: Mapping[str, Any], more: str) -> None:
    words = title_of(results, one).replace("; ", "\n").replace(", ", ",\n")
    axes.text(0, 0.5, f"{words}\n{more}", fontsize=7, va="center", transform=axes.transAxes)
    axes.axis("off")


def _shorten(text: str, most: int = 22) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _seen(results: Results, index: int, confidence: float) -> str:
    known = results["class_names"]
    name = known[index] if index < len(known) else f"class {index}"
    return f"{_shorten(name)} ({confidence:.3f})"


def _heading(figure: Figure, text: str, results: Results) -> None:
    """The title, and what a reader must know, in lines that are not wider than the figure."""
    most = int(12 * figure.get_figwidth())  # characters of this size
    lines = [line for each in (text, *results["remarks"]) for line in wrap(each, most)]
    figure.suptitle("\n".join(lines), fontsize=9)


def vertices_figure(results: Results, arrays: Arrays) -> Figure:
    """The paper's Table 3: target, start, then the vertices, one row a set."""
    sets, bgr = results["sets"], results["bgr"]
    count = max(len(one["search"]["units"]) for one in sets)
    figure, grid = _grid(len(sets), count + 2)
    target = results["target"]
    for row, one in enumerate(sets):
        _row_title(grid[row, 0], results, one, f"mean distance\n{fixed(one['float']['distance'])}")
        text = _seen(results, target["class"], target["confidence"])
        _show(grid[row, 1], arrays["target"], text, bgr=bgr, above="" if row else "target")
        start = results["starts"][one["start"]]
        text = _seen(results, start["class"], start["confidence"])
        _show(
            grid[row, 2],
            arrays[f"start.{one['start']}"],
            text,
            bgr=bgr,
            above="" if row else "start",
        )
        for place, each in enumerate(one["float"]["vertices"]):
            text = _seen(results, each["class"], each["confidence"])
            heading = f"unit {each['unit']}"
            _show(grid[row, place + 3], arrays[one["key"]][place], text, bgr=bgr, above=heading)
    _heading(
        figure,
        "Vertices of the collision polytope; below each: the network's class (confidence)",
        results,
    )
    return figure


def differences_figure(results: Results, arrays: Arrays) -> Figure:
    """Each vertex minus the mean of its set, on one scale for all, grey where nothing differs."""
    sets, bgr = results["sets"], results["bgr"]
    count = max(len(one["search"]["units"]) for one in sets)
    figure, grid = _grid(len(sets), count)
    moves = {one["key"]: arrays[one["key"]] - arrays[one["key"]].mean(axis=0) for one in sets}
    largest = max(float(np.quantile(np.abs(move), 0.99)) for move in moves.values()) or 1.0
    for row, one in enumerate(sets):
        away = one["float"]["from_mean"]
        _row_title(grid[row, 0], results, one, "minus the mean of the set")
        for place, unit in enumerate(one["search"]["units"]):
            shown = 127.5 + 127.5 * moves[one["key"]][place] / largest
            text = f"l2 {fixed(away[place])}"
            _show(grid[row, place + 1], shown, text, bgr=bgr, above=f"unit {unit}")
    _heading(
        figure,
        f"Where the vertices differ: grey is no difference, black and white are {short(largest)} "
        "grey levels or more",
        results,
    )
    return figure


def interpolants_figure(results: Results, arrays: Arrays) -> Figure:
    """Random convex combinations of the vertices, the first ones with uniform weights."""
    sets, bgr = results["sets"], results["bgr"]
    figure, grid = _grid(len(sets), _PATH)
    for row, one in enumerate(sets):
        vertices = arrays[one["key"]].astype(np.float64)
        drawn = weights("uniform", samples=_PATH, points=len(vertices), seed=0)
        _row_title(grid[row, 0], results, one, "combinations of images")
        for place, share in enumerate(drawn):
            image = np.tensordot(share, vertices, axes=1)
            text = " ".join(f"{100 * value:.0f}" for value in share)
            _show(grid[row, place + 1], image, text, bgr=bgr)
    _heading(
        figure,
        "Random convex combinations of the vertices; below each: weights in percent",
        results,
    )
    return figure
