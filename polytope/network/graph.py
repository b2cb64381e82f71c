"""What does a ReLU network compute?  A graph of affine maps, ReLUs and maxima over flat vectors.

Every operation between two ReLUs is affine (a linear layer, a convolution, an average pool, a
batch normalisation in evaluation mode, a reshape), so a few kinds of node say everything that an
exact walk through the layers needs.  Vectors are flat, in row-major order (channel, height, width).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import lcm
from typing import NamedTuple

import numpy as np
from flint import fmpz_mat

from polytope.errors import InputError, LimitError, ShapeError
from polytope.exact.array import ExactArray
from polytope.exact.brief import Brief
from polytope.exact.matrix import Matrix
from polytope.exact.rational import RationalVector

#: Number of a vector: 0 is the network's input, k the output of ``nodes[k - 1]``.
Source = int

#: Entries of an affine map, or of the functions of the input that a layer holds, which are written
#: out as exact integers (some 80 bytes each).
LARGEST_MAP = 1 << 24


def check_size(n: int, m: int) -> None:
    """Refuse to write out n functions of m numbers where that takes gigabytes.

    Raises:
        LimitError: n m exceeds `LARGEST_MAP`.
    """
    if n * m > LARGEST_MAP:
        raise LimitError(
            f"network: expected affine maps of at most {LARGEST_MAP} entries to go through the "
            f"layers exactly, got one of {n} x {m} (about {80 * n * m / 2**30:.1f} GiB); ask in "
            "the layer's own space"
        )


class IntegerMap(NamedTuple):
    """Weight rows and biases times one common denominator."""

    rows: list[list[int]]
    biases: list[int]
    denominator: int


@dataclass(frozen=True, eq=False, repr=False)
class Affine(Brief):
    """``weight @ x + bias``: weight (n, m) sparse or dense, bias (n,)."""

    source: Source
    weight: Matrix
    bias: ExactArray

    @cached_property
    def integers(self) -> IntegerMap:
        """The map in integers."""
        n, m = self.weight.shape
        check_size(n, m)
        rows, scales = self.weight.integer_rows(range(n))
        biases = self.bias.fractions()
        common = lcm(*scales, *(b.denominator for b in biases))
        scaled = [
            row if scale == common else [v * (common // scale) for v in row]
            for row, scale in zip(rows, scales, strict=True)
        ]
        constants = [b.numerator * (common // b.denominator) for b in biases]
        return IntegerMap(scaled, constants, common)

    @cached_property
    def matrix(self) -> fmpz_mat:
        """The integer weight rows, for products."""
        return fmpz_mat(self.integers.rows)


@dataclass(frozen=True, eq=False, repr=False)
class Relu(Brief):
    """``max(0, x)``, entry by entry."""

    source: Source


@dataclass(frozen=True, eq=False, repr=False)
class Maximum(Brief):
    """``max(x[windows[i]])`` for each output i: windows (n, k) places, -1 where there is none."""

    source: Source
    windows: np.ndarray

    @cached_property
    def places(self) -> list[list[int]]:
        """The places of each window, without the missing ones."""
        return [[j for j in row if j >= 0] for row in self.windows.tolist()]


@dataclass(frozen=True, eq=False, repr=False)
class Concat(Brief):
    """The vectors one behind the other."""

    sources: tuple[Source, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Sum(Brief):
    """The sum of vectors of equal length (a residual connection)."""

    sources: tuple[Source, ...]


Node = Affine | Relu | Maximum | Concat | Sum


@dataclass(frozen=True, eq=False, repr=False)
class Network(Brief):
    """``nodes[-1]``, the pre-activation of the layer asked about, as a function of the input.

    Raises:
        ShapeError, InputError: where the nodes do not fit together.
    """

    n_inputs: int
    nodes: tuple[Node, ...]

    def __post_init__(self) -> None:
        """Check every node against those before it."""
        if not self.nodes or not isinstance(self.nodes[-1], Affine):
            raise InputError("network: expected an Affine node at its end, the layer asked about")
        _ = self.lengths

    @cached_property
    def lengths(self) -> tuple[int, ...]:
        """Length of each vector, the input first."""
        found = [self.n_inputs]
        for k, node in enumerate(self.nodes):
            for source in sources_of(node):
                if not 0 <= source <= k:
                    raise InputError(
                        f"network: expected a source from 0 to {k} at node {k + 1}, got {source}"
                    )
            found.append(_length(node, found, k + 1))
        return tuple(found)

    @cached_property
    def fused(self) -> frozenset[int]:
        """Numbers of the ReLUs that max-pools alone read: one decision with theirs."""
        readers: dict[int, list[bool]] = {}
        for node in self.nodes:
            for source in sources_of(node):
                readers.setdefault(source, []).append(isinstance(node, Maximum))
        return frozenset(
            k
            for k, node in enumerate(self.nodes, start=1)
            if isinstance(node, Relu) and all(readers.get(k, [False]))
        )

    def values(self, x: RationalVector) -> tuple[RationalVector, ...]:
        """Every vector at the input x (d,), exact: the input first, the pre-activation last."""
        if len(x) != self.n_inputs:
            raise ShapeError(f"x: expected {self.n_inputs} numbers, got {len(x)}")
        found = [x]
        for node in self.nodes:
            found.append(_value(node, found).reduced())
        return tuple(found)


def sources_of(node: Node) -> tuple[Source, ...]:
    """The vectors that a node reads."""
    return node.sources if isinstance(node, Concat | Sum) else (node.source,)


def _length(node: Node, lengths: list[int], number: int) -> int:
    if isinstance(node, Affine):
        n, m = node.weight.shape
        if m != lengths[node.source] or node.bias.shape != (n,):
            raise ShapeError(
                f"network: expected {lengths[node.source]} columns and {n} biases at node "
                f"{number}, got {m} and {node.bias.shape}"
            )
        return n
    if isinstance(node, Relu):
        return lengths[node.source]
    if isinstance(node, Maximum):
        windows, most = node.windows, lengths[node.source]
        if windows.ndim != 2 or windows.max(initial=-1) >= most or not all(node.places):
            raise ShapeError(
                f"network: expected windows (n, k) of places below {most}, none of them empty, at "
                f"node {number}, got shape {windows.shape} up to {windows.max(initial=-1)}"
            )
        return len(windows)
    parts = [lengths[source] for source in node.sources]
    if isinstance(node, Concat):
        return sum(parts)
    if len(set(parts)) != 1:
        raise ShapeError(f"network: expected equal lengths at node {number}, got {parts}")
    return parts[0]


def _value(node: Node, found: list[RationalVector]) -> RationalVector:
    if isinstance(node, Affine):
        x = found[node.source]
        biases, common = node.integers.biases, node.integers.denominator
        column = fmpz_mat(len(x), 1, list(x.numerators))
        products = map(int, (node.matrix * column).entries())
        numerators = [p + b * x.denominator for p, b in zip(products, biases, strict=True)]
        return RationalVector(tuple(numerators), common * x.denominator)
    if isinstance(node, Relu):
        x = found[node.source]
        return RationalVector(tuple(max(v, 0) for v in x.numerators), x.denominator)
    if isinstance(node, Maximum):
        x = found[node.source]
        best = tuple(max(x.numerators[j] for j in window) for window in node.places)
        return RationalVector(best, x.denominator)
    parts = [found[source] for source in node.sources]
    common = lcm(*(part.denominator for part in parts))
    scaled = [[v * (common // part.denominator) for v in part.numerators] for part in parts]
    if isinstance(node, Concat):
        return RationalVector(tuple(v for part in scaled for v in part), common)
    return RationalVector(tuple(map(sum, zip(*scaled, strict=True))), common)
