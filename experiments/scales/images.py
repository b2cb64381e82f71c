"""What do the nearest exact collisions look like, network by network?  Pictures and their file."""

from pathlib import Path

from matplotlib.figure import Figure

from experiments.readers.arrays import read_arrays
from experiments.scales.results import Row, ScalesResults, deviation_text
from experiments.show.figures import Arrays
from experiments.show.image_grid import Cell, image_grid
from experiments.show.image_grid import Row as GridRow
from experiments.show.numbers import fixed

#: Holds `target` (784,), `starts` (n, 784) and, for each first network, its collisions.
IMAGES = "collisions.npz"


def collisions_name(deviation: float | None) -> str:
    """Names the collisions (n, 784) of the first network of a deviation in `IMAGES`."""
    return f"collisions-{'default' if deviation is None else format(deviation, 'g')}"


def collisions_figure(folder: Path, results: ScalesResults) -> Figure | None:
    """Draws the starts, and below each the collision nearest to it, a row a deviation.

    Raises:
        FileFormatError: the images of the run are not there.
    """
    if not results.rows:
        return None
    arrays = read_arrays(Path(folder) / IMAGES)
    target = results.rows[0].target
    shown = [row for row in results.rows if row.target == target and row.seed == 0]
    first = shown[0]
    digits = [near.digit for near in first.found.near]
    starts = [Cell(image, "start") for image in arrays["starts"]]
    rows = [GridRow("test images", [*starts, Cell(arrays["target"], "target")])]
    rows += [_row(row, digits, arrays) for row in shown]
    title = (
        "Each test image, and the exact collision with the target that is nearest to it (l2); "
        "below: vote of its nearest training images, distance"
    )
    return image_grid(rows, title, label_width=1.2)


def _row(row: Row, digits: list[int], arrays: Arrays) -> GridRow:
    images = arrays[collisions_name(row.deviation)]
    cells = {
        near.digit: Cell(image, f"{look.neighbours}; {fixed(near.upper)}")
        for near, look, image in zip(row.found.near, row.looks, images, strict=True)
    }
    label = f"initial std\n{deviation_text(row.deviation)}"
    return GridRow(label, [cells.get(digit) for digit in digits] + [None])
