"""How are images set side by side?  Rows of small squares, each row with words in front."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.show.figures import Arrays, hide_axes, label_row, show_digit


@dataclass(frozen=True, eq=False)
class Cell:
    """A square image (pixels,) in [0, 1], and its caption."""

    image: NDArray[Any]
    caption: str = ""


@dataclass(frozen=True, eq=False)
class Row:
    """Words, and the images behind them; None leaves a place empty."""

    label: str
    cells: Sequence[Cell | None]


def image_grid(
    rows: Sequence[Row], title: str, *, headings: Sequence[str] = (), label_width: float = 1.6
) -> Figure:
    """Draws rows of images, an inch each.

    Args:
        rows: one or more.
        title: above all of it.
        headings: of the columns of images.
        label_width: inches for the words in front.
    """
    count = max(len(row.cells) for row in rows)
    size = (0.1 + label_width + count, 0.6 + 1.14 * len(rows))
    figure = Figure(figsize=size, layout="constrained")
    widths = [label_width] + [1.0] * count
    grid = figure.subplots(len(rows), count + 1, width_ratios=widths, squeeze=False)
    for (label, *places), row in zip(grid, rows, strict=True):
        label_row(label, row.label)
        above = headings if row is rows[0] else ()
        for axes, cell, heading in zip_longest(places, row.cells, above):
            if cell is None:
                hide_axes(axes)
            else:
                show_digit(axes, cell.image, cell.caption, above=heading or "")
    figure.suptitle(title, fontsize=9)
    return figure


def short_lines(words: str) -> str:
    """Breaks words at their commas, colons and semicolons, for a label."""
    return words.replace("; ", "\n").replace(": ", ":\n").replace(", ", ",\n")


def start_cell(start: str | None, arrays: Arrays) -> Cell:
    """Returns the image a search started from, of "target" and "other"; None for no search."""
    what = {"target": "start = target", "other": "start", None: "target"}[start]
    return Cell(arrays["other" if start == "other" else "target"], what)
