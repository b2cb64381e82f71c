"""How is a figure drawn and kept?  Colours, digits, files; shared by all experiments."""

from collections.abc import Mapping
from math import isqrt
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.run.files import open_run_folder
from polytope.files import atomic_path

FOLDER = "figures"
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"


Arrays = Mapping[str, NDArray[Any]]


def save(figure: Figure, path: Path) -> Path:
    """Writes a figure as PNG, atomically; equal figures give equal bytes."""
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=150, metadata={"Software": None})
    return path


def write_figures(folder: Path, drawn: Mapping[str, Figure | None]) -> list[Path]:
    """Writes figures by name into `folder/figures`; those that were not drawn are left out.

    Raises:
        OutputError: a file cannot be written.
    """
    place = open_run_folder(Path(folder) / FOLDER)
    return [save(figure, place / f"{name}.png") for name, figure in drawn.items() if figure]


def show_digit(axes: Axes, image: NDArray[Any], below: str = "", *, above: str = "") -> None:
    """Draws a square image (pixels,) in [0, 1] with a thin frame, a caption and a heading."""
    side = isqrt(image.size)
    axes.imshow(image.reshape(side, side), cmap="gray_r", vmin=0, vmax=1)
    axes.set_xticks([])
    axes.set_yticks([])
    for edge in axes.spines.values():
        edge.set_linewidth(0.5)
    if below:
        axes.set_xlabel(below, fontsize=7, labelpad=2)
    if above:
        axes.set_title(above, fontsize=8, pad=3)


def hide_axes(axes: Axes) -> None:
    """Leaves a place of a grid empty."""
    axes.axis("off")


def label_row(axes: Axes, text: str) -> None:
    """Writes words into a place of a grid."""
    axes.text(0, 0.5, text, fontsize=8, va="center", ha="left", transform=axes.transAxes)
    hide_axes(axes)
