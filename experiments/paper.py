"""What did the paper print?  Every number of Li, Zhang & Malik (NeurIPS 2019), as data.

The numbers are copied as printed. One that the paper does not print, or prints only in the
appendix that is not available to us, is None with the reason: tables show an empty cell and say
why, nothing is filled in.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields

APPENDIX = "in the paper's appendix, which is not available to us"
HIDDEN = 256  # units of each of the two hidden layers of the MNIST network, sec. 3.1


@dataclass(frozen=True, kw_only=True)
class Printed:
    """One number of the paper.

    Attributes:
        value: the number; percentages as fractions of 1; None where it is not known.
        text: as printed, e.g. "100%"; empty where it is not known.
        unit: "fraction", "probability", "l2", "count", "pixels" or "minutes". Distances are between
            MNIST images in [0, 1], a deduction from their size, and ImageNet images in 0..255.
        where: the place in the paper.
        reason: why there is no value; empty where there is one.
    """

    value: float | None
    text: str
    unit: str
    where: str
    reason: str = ""

    def __str__(self) -> str:
        return self.text


def _percent(text: str, where: str) -> Printed:
    value = round(float(text.removesuffix("%")) / 100, 6)
    return Printed(value=value, text=text, unit="fraction", where=where)


def _number(text: str, unit: str, where: str) -> Printed:
    return Printed(value=float(text.replace(",", "")), text=text, unit=unit, where=where)


def _missing(unit: str, where: str, reason: str) -> Printed:
    return Printed(value=None, text="", unit=unit, where=where, reason=reason)


@dataclass(frozen=True, kw_only=True)
class CollisionRow:
    """One row of Tables 2, 4 or 6, or of a table of the appendix: one polytope of five vertices.

    Attributes:
        table: the table's number, or a word for one of the appendix.
        row: counted from 1.
        title: the experiment in words.
        success: random convex combinations put into the target's class.
        target_confidence: top class probability of the target.
        sample_confidence: top class probability of the combinations, in the mean.
        image_distance: mean l2 distance between images of the data set.
        vertex_distance: mean l2 distance between the five vertices.
    """

    table: str
    row: int
    title: str
    success: Printed
    target_confidence: Printed
    sample_confidence: Printed
    image_distance: Printed
    vertex_distance: Printed

    @property
    def ratio(self) -> float | None:
        """Vertex distance over image distance, computed from the printed numbers."""
        if self.vertex_distance.value is None or self.image_distance.value is None:
            return None
        return self.vertex_distance.value / self.image_distance.value

    def numbers(self) -> Iterator[tuple[str, Printed]]:
        """Yields the row's cells by column name."""
        for column in fields(self):
            value = getattr(self, column.name)
            if isinstance(value, Printed):
                yield column.name, value


def _row(table: str, row: int, title: str, *cells: str) -> CollisionRow:
    where = f"Table {table}, row {row}"
    success, target, samples, images, vertices = cells
    return CollisionRow(
        table=table,
        row=row,
        title=title,
        success=_percent(success, where),
        target_confidence=_number(target, "probability", where),
        sample_confidence=_number(samples, "probability", where),
        image_distance=_number(images, "l2", where),
        vertex_distance=_number(vertices, "l2", where),
    )


def _missing_row(table: str, title: str, reason: str) -> CollisionRow:
    where = f"Table {table}" if table.isdigit() else "appendix"
    return CollisionRow(
        table=table,
        row=1,
        title=title,
        success=_missing("fraction", where, reason),
        target_confidence=_missing("probability", where, reason),
        sample_confidence=_missing("probability", where, reason),
        image_distance=_missing("l2", where, reason),
        vertex_distance=_missing("l2", where, reason),
    )


TABLE_2 = (
    _row("2", 1, "MNIST, start = target", "100%", "1.0", "1.0", "10.21", "1.33"),
    _row("2", 2, "MNIST, start = another digit", "100%", "1.0", "1.0", "10.21", "1.28"),
)
TABLE_4 = (
    _row(
        "4",
        1,
        "VGG-16 fc6, pixels, start = another image",
        *("100%", "0.993", "0.995", "37538.22", "4906.56"),
    ),
)
TABLE_6 = (
    _row(
        "6",
        1,
        "VGG-16 fc6, patches, church to itself",
        *("100%", "0.952", "0.877", "37538.22", "8597.34"),
    ),
    _row(
        "6",
        2,
        "VGG-16 fc6, patches, church to cleaver",
        *("100%", "0.999", "0.800", "37538.22", "9587.92"),
    ),
)
TABLE_11 = (_missing_row("11", "VGG-16 fc6, pixels, all rows", APPENDIX),)
LENET_5 = (_missing_row("LeNet-5", "LeNet-5 on MNIST", APPENDIX),)
ROWS = (*TABLE_2, *TABLE_4, *TABLE_6, *TABLE_11, *LENET_5)

_MNIST, _IMAGENET, _PATCHES = "section 3.1", "section 3.2", "section 4.1"

# Numbers of the text. Ranges are two numbers, "lowest" and "highest".
TEXT = {
    "mnist_hidden_layers": _number("2", "count", _MNIST),
    "mnist_hidden_units": _number("256", "count", _MNIST),
    "mnist_accuracy": _percent("96.64%", _MNIST),
    "mnist_vertices": _number("5", "count", _MNIST),
    "mnist_samples": _number("2000", "count", _MNIST),
    "mnist_sample_confidence": _number("1.0", "probability", _MNIST),
    "mnist_distance_ratio_lowest": _percent("12%", _MNIST),
    "mnist_distance_ratio_highest": _percent("13%", _MNIST),
    "lenet5_accuracy": _missing("fraction", "appendix", APPENDIX),
    "vgg16_top5_accuracy": _percent("92.7%", _IMAGENET),
    "vgg16_top1_accuracy": _missing("fraction", _IMAGENET, "the paper prints top-5 only"),
    "imagenet_samples": _number("2000", "count", _IMAGENET),
    "imagenet_sample_confidence_lowest": _number("0.963", "probability", _IMAGENET),
    "imagenet_sample_confidence_highest": _number("0.996", "probability", _IMAGENET),
    "imagenet_distance_ratio_lowest": _percent("12%", _IMAGENET),
    "imagenet_distance_ratio_highest": _percent("24%", _IMAGENET),
    "patch_images_share": _percent("10%", _PATCHES),
    "patch_side": _number("32", "pixels", _PATCHES),
    "patch_count": _number("37,011,074", "count", _PATCHES),
    "patch_search_minutes": _number("5", "minutes", _PATCHES),
    "patch_success": _percent("100%", _PATCHES),
}


def all_numbers() -> dict[str, Printed]:
    """Returns every number by a key such as "table2.row1.vertex_distance" or "mnist_accuracy".

    >>> print(all_numbers()["table2.row1.vertex_distance"])
    1.33
    >>> all_numbers()["lenet5_accuracy"].reason
    "in the paper's appendix, which is not available to us"
    """
    found = dict(TEXT)
    for row in ROWS:
        for name, number in row.numbers():
            found[f"table{row.table}.row{row.row}.{name}"] = number
    return found
