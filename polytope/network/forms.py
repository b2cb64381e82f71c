"""Which affine functions of the input does a layer hold, inside one linear region?  Exact ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import lcm

from flint import fmpz, fmpz_mat

from polytope.exact.rational import RationalVector
from polytope.network.graph import Affine, check_size

Form = list[fmpz]
"""Coefficients of d inputs and a constant, (d + 1,)."""


@dataclass(frozen=True, eq=False)
class Forms:
    """A vector of affine functions ``(rows @ (x, 1)) / denominator`` of the network's input x.

    Attributes:
        rows: (n, d + 1) integers; None stands for the input itself (rows of the unit matrix).
        denominator: > 0.
        n_inputs: d.
    """

    rows: list[Form] | None
    denominator: int
    n_inputs: int

    @classmethod
    def of_input(cls, n_inputs: int) -> Forms:
        """The input as a function of itself."""
        return cls(None, 1, n_inputs)

    @cached_property
    def table(self) -> list[Form]:
        """The rows, written out."""
        if self.rows is not None:
            return self.rows
        zero, one = fmpz(0), fmpz(1)
        return [
            [one if j == i else zero for j in range(self.n_inputs + 1)]
            for i in range(self.n_inputs)
        ]

    @property
    def zero(self) -> Form:
        """The function 0."""
        return [fmpz(0)] * (self.n_inputs + 1)

    def through(self, node: Affine) -> Forms:
        """The node's output.

        Raises:
            LimitError: it is too large to be written out.
        """
        check_size(node.weight.shape[0], self.n_inputs + 1)
        own = node.integers
        if self.rows is None:
            joined = [[*map(fmpz, r), fmpz(b)] for r, b in zip(own.rows, own.biases, strict=True)]
            return Forms(joined, own.denominator, self.n_inputs)
        product = (node.matrix * fmpz_mat(self.rows)).tolist()
        for row, bias in zip(product, own.biases, strict=True):
            row[-1] += bias * self.denominator
        return Forms(product, own.denominator * self.denominator, self.n_inputs)

    def picked(self, rows: list[Form]) -> Forms:
        """Other rows over the same denominator."""
        return Forms(rows, self.denominator, self.n_inputs)

    def values(self, x: RationalVector) -> list[int]:
        """The functions at x, times ``denominator * x.denominator``."""
        if self.rows is None:
            return list(x.numerators)
        column = fmpz_mat(len(x) + 1, 1, [*x.numerators, x.denominator])
        return list(map(int, (fmpz_mat(self.rows) * column).entries()))


def over_one_denominator(parts: Sequence[Forms]) -> list[Forms]:
    """The same parts, scaled so that all have the same denominator."""
    common = lcm(*(part.denominator for part in parts))
    scaled = []
    for part in parts:
        factor = common // part.denominator
        rows = part.table
        rows = rows if factor == 1 else [[v * factor for v in row] for row in rows]
        scaled.append(Forms(rows, common, part.n_inputs))
    return scaled
