"""Which network is in a `.nnet` file?  The text format of ACAS Xu (Julian and Kochenderfer, NNet).

After lines of comments (`//`) come: numbers of layers, inputs, outputs, and the largest layer; the
sizes of all layers; a flag that is not used; the smallest and largest values of each input; means
and ranges of the inputs, and one for all outputs; then each layer's weights, a line a unit, and
its biases, a line each.  Between layers stand ReLUs.  The network takes ``(x - mean) / range`` and
its outputs are ``y * range + mean``; both are steps of the module.  Decimals are read as the
nearest float64.  The four lines of bounds, means and ranges may all hold as many numbers too many
between those of the inputs and that of the outputs: quantities that choose among several networks.

The program of the format's authors first moves inputs into the stated bounds.  That is no part of
the module: the bounds say which inputs the network was made for.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from pathlib import Path

import numpy as np
from torch import nn

from experiments.models.foreign.network import ForeignNetwork, Scaled, chain, doubles, linear
from experiments.readers.foreign_files import refuse_foreign
from polytope.errors import FileFormatError

LARGEST = 1 << 28  # bytes of text; ACAS Xu's files have half a million
_MOST_LAYERS, _WIDEST = 1_000, 1 << 20


@dataclass(frozen=True, eq=False)
class _Header:
    """What stands in front of the weights; arrays in float64."""

    sizes: tuple[int, ...]
    lower: np.ndarray
    upper: np.ndarray
    means: np.ndarray
    ranges: np.ndarray


def read_nnet(path: Path) -> ForeignNetwork:
    """Returns the network of a `.nnet` file, in float64; its layers are `layer1`, `layer2`, ...

    Raises:
        FileFormatError: it cannot be read, or holds other numbers than its header declares.
    """
    path = Path(path)
    try:
        refuse_foreign(path)
        if (size := path.stat().st_size) > LARGEST:
            raise FileFormatError(f"{path}: expected at most {LARGEST:,} bytes, got {size:,}")
        text = path.read_bytes().decode("latin-1")
    except OSError as problem:
        raise FileFormatError(f"{path}: expected a file, got: {problem.strerror}") from problem
    lines = _lines(text)
    header = _header(path, lines)
    needed = sum((before + 1) * after for before, after in pairwise(header.sizes))
    rest = ",".join(line for _, line in lines)
    if needed > len(rest):  # a number takes a digit at least
        raise FileFormatError(f"{path}: expected {needed:,} weights and biases, got fewer")
    numbers = _floats(path, rest, "weights and biases")
    if len(numbers) != needed:
        raise FileFormatError(
            f"{path}: expected {needed:,} weights and biases, as sizes {header.sizes} need, got "
            f"{len(numbers):,}"
        )
    return ForeignNetwork(
        module=chain(_steps(header, numbers)),
        input_shape=header.sizes[:1],
        words=_words(header),
        ends=(float(header.lower.min()), float(header.upper.max())),
    )


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines that hold anything but a comment, with their numbers."""
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("//"):
            yield number, line.strip().strip(",")


def _header(path: Path, lines: Iterator[tuple[int, str]]) -> _Header:
    counts = _sizes(path, lines, "numbers of layers, inputs, outputs, and the largest layer")
    if len(counts) != 4 or not 1 <= counts[0] <= _MOST_LAYERS:
        raise FileFormatError(
            f"{path}: expected four numbers first, of layers (1 to {_MOST_LAYERS:,}), inputs, "
            f"outputs and the largest layer, got {counts!s:.80}"
        )
    sizes = _sizes(path, lines, f"sizes of {counts[0] + 1} layers")
    fits = len(sizes) == counts[0] + 1 and (sizes[0], sizes[-1]) == (counts[1], counts[2])
    if not fits or min(sizes) < 1 or max(sizes) > _WIDEST:
        raise FileFormatError(
            f"{path}: expected sizes of {counts[0] + 1} layers, {counts[1]} inputs first and "
            f"{counts[2]} outputs last, each 1 to {_WIDEST:,}, got {sizes!s:.80}"
        )
    next(lines, None)  # the flag
    inputs = sizes[0]
    rows = [_row(path, lines, words, least=n) for words, n in _rows(inputs)]
    more = {len(row) - n for row, (_, n) in zip(rows, _rows(inputs), strict=True)}
    if len(more) > 1:
        raise FileFormatError(
            f"{path}: expected bounds of {inputs} inputs, means and ranges of one more, got "
            f"{', '.join(str(len(row)) for row in rows)} numbers"
        )
    lower, upper = rows[0][:inputs], rows[1][:inputs]
    means, ranges = (np.append(row[:inputs], row[-1]) for row in rows[2:])
    if not (lower <= upper).all() or not ranges.all():
        raise FileFormatError(
            f"{path}: expected bounds in order and ranges that are not 0, got others"
        )
    return _Header(sizes, lower, upper, means, ranges)


def _next(path: Path, lines: Iterator[tuple[int, str]], words: str) -> tuple[str, str]:
    found = next(lines, None)
    if found is None:
        raise FileFormatError(f"{path}: expected {words}, got the end of the file")
    return f"{path}, line {found[0]}", found[1]


def _sizes(path: Path, lines: Iterator[tuple[int, str]], words: str) -> tuple[int, ...]:
    place, line = _next(path, lines, words)
    parts = [part.strip() for part in line.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        raise FileFormatError(f"{place}: expected {words}, got {line!r:.80}")
    return tuple(map(int, parts))


def _rows(inputs: int) -> list[tuple[str, int]]:
    """What the four lines hold, and how many numbers at least."""
    bounds = [("smallest inputs", inputs), ("largest inputs", inputs)]
    return [*bounds, ("means", inputs + 1), ("ranges", inputs + 1)]


def _row(path: Path, lines: Iterator[tuple[int, str]], words: str, *, least: int) -> np.ndarray:
    place, line = _next(path, lines, words)
    found = _floats(place, line, words)
    if len(found) < least:
        raise FileFormatError(f"{place}: expected {least} {words}, got {len(found)}")
    return found


def _floats(place: Path | str, text: str, words: str) -> np.ndarray:
    parts = text.replace(",", " ").split()
    try:
        if "_" in text:  # Python would read 1_0 as 10
            raise ValueError("a number with an underscore")
        found = np.array([float(part) for part in parts])
    except ValueError as problem:
        raise FileFormatError(f"{place}: expected {words} in numbers, got: {problem}") from problem
    if not np.isfinite(found).all():
        raise FileFormatError(
            f"{place}: expected finite {words}, got {found[~np.isfinite(found)][0]}"
        )
    return found


def _steps(header: _Header, numbers: np.ndarray) -> Iterator[tuple[str, nn.Module]]:
    if header.means[:-1].any() or (header.ranges[:-1] != 1).any():
        shift, scale = doubles(header.means[:-1]), doubles(header.ranges[:-1])
        yield "normalised", Scaled(shift, scale, divides=True)
    place = 0
    last = len(header.sizes) - 1
    for number, shape in enumerate(pairwise(header.sizes), start=1):
        inputs, units = shape
        weight = numbers[place : place + prod(shape)].reshape(units, inputs)
        place += prod(shape)
        bias = numbers[place : place + units]
        place += units
        yield f"layer{number}", linear(doubles(weight), doubles(bias))
        if number < last:
            yield f"relu{number}", nn.ReLU()
    if header.means[-1] or header.ranges[-1] != 1:
        shift, scale = doubles(header.means[-1]), doubles(header.ranges[-1])
        yield "rescaled", Scaled(shift, scale, divides=False)


def _words(header: _Header) -> str:
    lower, upper = header.lower, header.upper
    if (lower == lower[0]).all() and (upper == upper[0]).all():
        return f"made for inputs in [{lower[0]:g}, {upper[0]:g}]"
    return (
        f"made for inputs between bounds of their own, {lower.min():g} to {upper.max():g}, which "
        "are not applied"
    )
