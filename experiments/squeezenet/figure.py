"""Where on the image does conv10 leave freedom?  Maps over its positions, from the record."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from experiments.run.files import open_run_folder
from experiments.show.figures import BLUE, FOLDER, GREEN, ORANGE, save
from experiments.squeezenet.results import Positions

#: Kind of set -> colour; what is not certified stays white.
KINDS = {"single point": BLUE, "bounded": GREEN, "unbounded": ORANGE, "undecided": "#999999"}


def write_positions_figure(folder: Path, positions: Positions) -> Path:
    """Draws `figures/positions.png`.

    Raises:
        OutputError: the file cannot be written.
    """
    place = open_run_folder(Path(folder) / FOLDER)
    return save(positions_figure(positions), place / "positions.png")


def positions_figure(positions: Positions) -> Figure:
    """Active units, the kind of the exact set, and how far each set of vertices moved."""
    titles = positions.titles
    figure = Figure(figsize=(4.2 * (2 + len(titles)), 4.6), layout="constrained")
    axes = figure.subplots(1, 2 + len(titles), squeeze=False)[0]
    _heat(figure, axes[0], positions, positions.n_positive, title="active units N+ of 1,000")
    _kinds(axes[1], positions)
    lengths = np.array(positions.target_length)
    for place, (key, words) in enumerate(titles.items(), start=2):
        share = np.array(positions.moved[key]).mean(axis=0) / np.where(lengths, lengths, 1)
        title = f"moved: {words},\nmean of the vertices, % of the target's length"
        _heat(figure, axes[place], positions, 100 * share, title=title)
    figure.suptitle(
        "conv10, one square a position of the image: what collides exactly, and what was found",
        fontsize=10,
    )
    return figure


def _heat(figure: Figure, axes: Axes, positions: Positions, values: Any, *, title: str) -> None:
    grid = np.array(values, dtype=float).reshape(positions.side)
    shown = axes.imshow(grid, cmap="viridis")
    figure.colorbar(shown, ax=axes, shrink=0.75)
    _plain(axes, title)


def _kinds(axes: Axes, positions: Positions) -> None:
    """The certified positions, coloured by kind, with the dimension in each."""
    names = list(KINDS)
    grid = np.full(positions.side, np.nan)
    for entry in positions.certified:
        row, column = divmod(entry.position, positions.side[1])
        kind = entry.kind
        grid[row, column] = names.index(kind)
        axes.annotate(
            "?" if entry.facts.dimension is None else str(entry.facts.dimension),
            (column, row),
            ha="center",
            va="center",
            fontsize=5.5,
            color="white" if kind == "single point" else "black",
        )
    axes.imshow(grid, cmap=ListedColormap(list(KINDS.values())), vmin=-0.5, vmax=len(names) - 0.5)
    present = {entry.kind for entry in positions.certified}
    axes.legend(
        handles=[Patch(color=KINDS[name], label=name) for name in names if name in present],
        loc="upper center",
        bbox_to_anchor=(0.5, -0.03),
        ncols=3,
        fontsize=8,
        frameon=False,
    )
    _plain(axes, "the exact set at x >= 0, its dimension\n(white: not asked)")


def _plain(axes: Axes, title: str) -> None:
    axes.set_title(title, fontsize=9)
    axes.set_xticks([])
    axes.set_yticks([])
