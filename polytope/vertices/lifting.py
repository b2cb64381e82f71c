"""What are thousands of vertices exactly, at a few microseconds each?  Refinement, then rounding.

A float inverse R of a basis A (integers) is refined in integers: with ``y = round(2^40 R r)`` the
residual ``r <- 2^40 r - A y`` stays small, is computed exactly (in 64 bits, where wrapping around
is harmless as the true value fits), and each step adds 40 bits to ``x = A^-1 b`` (Wan 2006).
Cramer's rule gives x the denominator D = |det A|, so ``D x`` is found by rounding once the bits
suffice.  D itself follows the edges: the slack t of the row given up and the slack s of the row
taken up, at the two ends of an edge, satisfy ``D' t = D s``.  Every rounding is backed by a bound;
where one does not suffice, the basis is left to a rational solve.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import partial
from operator import mul
from typing import NamedTuple

import numpy as np
from flint import fmpz_mat

from polytope.lp.proposals import proposing
from polytope.vertices.ahead import ahead
from polytope.vertices.exact_bases import ExactRows

#: Bits of the first float solution that are used, and bits gained by each refinement.
_FIRST_BITS, _STEP_BITS = 44, 40
#: Entries of rows up to which the intermediate numbers can be expected to fit into 64 bits.
_ROW_BITS, _OFFSET_BITS = 44, 62
_BLOCK = 1024
_EPSILON = 2.0**-53
#: Units in the last place by which a refined solution may be off (a proved bound; usually 2).
_ERROR_BITS = 20
#: Bits beyond a determinant's own: 20 for the error above, the rest for the slacks that
#: ``_next_denominator`` divides (fewer only cost rational solves).
_ROOM_BITS = 60

Point = tuple[int, tuple[int, ...]]


class _Side(NamedTuple):
    """A row, and bits of the error of ``normal x`` in fixed-point units."""

    normal: Sequence[int]
    offset: int
    error_bits: int


def fits(rows: ExactRows) -> bool:
    """Whether the rows are small enough."""
    largest = max(max(map(abs, row)) for row in rows.normals)
    offset = max(map(abs, rows.offsets))
    return largest.bit_length() <= _ROW_BITS and offset.bit_length() <= _OFFSET_BITS


class FixedPoint(NamedTuple):
    """Integers (V, n) and the bits of their scales (V,), -1 where nothing was proved."""

    numbers: list[list[int]]
    scales: list[int]


class Refined:
    """Fixed-point solutions of many bases: ``0 < number - x 2^scale < 2^21``, proved."""

    def __init__(self, rows: ExactRows) -> None:
        self._normals = np.array(rows.normals, dtype=np.int64)
        self._offsets = np.array(rows.offsets, dtype=np.int64)
        #: Logarithms (base 2, rounded up) of the norms of the rows, for Hadamard's bound.
        self._norms = np.array([sum(v * v for v in a).bit_length() / 2 for a in rows.normals])

    def steps(self, bases: np.ndarray, parents: np.ndarray) -> np.ndarray:
        """Refinements (V,) each basis needs for its own determinant and its parent's."""
        bits = self._norms[bases].sum(axis=1)
        bits = np.maximum(bits, bits[parents]) + _ROOM_BITS - _FIRST_BITS
        steps: np.ndarray = np.maximum(1, np.ceil(bits / _STEP_BITS)).astype(np.int64)
        # Few bases are refined together: a group of their own costs more than bits not needed.
        return np.full_like(steps, steps.max()) if len(bases) < _BLOCK // 4 else steps

    def solve(
        self, bases: np.ndarray, steps: np.ndarray, inverses: np.ndarray | None = None
    ) -> FixedPoint:
        """Solve a block."""
        numbers: list[list[int]] = [[]] * len(bases)
        scales = [-1] * len(bases)
        for count in np.unique(steps).tolist():
            chosen = np.flatnonzero(steps == count)
            given = None if inverses is None else inverses[chosen]
            found = self._refine(bases[chosen], count, given)
            for k, number, scale in zip(chosen.tolist(), *found, strict=True):
                numbers[k], scales[k] = number, scale
        return FixedPoint(numbers, scales)

    def _refine(self, bases: np.ndarray, steps: int, inverses: np.ndarray | None) -> FixedPoint:
        square, right = self._normals[bases], self._offsets[bases]
        with np.errstate(all="ignore"):
            inverse, defect = _bounded_inverse(square, inverses)
            first = np.einsum("vij,vj->vi", inverse, right.astype(np.float64))
            _, exponent = np.frexp(np.abs(first).max(axis=1))
            shift = _FIRST_BITS - exponent.astype(np.int64)
            digits = [np.rint(np.ldexp(first, shift[:, None])).astype(np.int64)]
            shifted = np.where(shift < 64, right.T << np.clip(shift, 0, 63), 0).T
            residual = shifted - np.einsum("vij,vj->vi", square, digits[0])
            # |R| |b| 2^-40 at first, so that the same bound serves the first step.
            size = np.abs(inverse)
            reach = _reach(size, np.abs(right).astype(np.float64))
            reach = np.ldexp(reach, shift - _STEP_BITS)
            # Rows may differ in scale: |R| |r| <= (|R| |A| 1) max(|r| / |A| 1).
            rows = np.abs(square).sum(axis=2).astype(np.float64)
            norm = _reach(size, rows)
            largest = np.zeros(len(bases))
            for _ in range(steps):
                step = np.einsum("vij,vj->vi", inverse, residual.astype(np.float64))
                largest = np.maximum(largest, np.abs(step).max(axis=1))
                reach = np.maximum(reach, norm * (np.abs(residual) / rows).max(axis=1))
                digits.append(np.rint(step * 2.0**_STEP_BITS).astype(np.int64))
                product = np.einsum("vij,vj->vi", square, digits[-1])
                residual = (residual << _STEP_BITS) - product
            left = _reach(size, np.abs(residual).astype(np.float64))
            good = self._proved(rows, defect, reach, left) & (shift >= 0)
            good &= largest < 2.0 ** (52 - _STEP_BITS)  # the digits are whole numbers
        scales = np.where(good, shift + _STEP_BITS * steps, -1)
        return FixedPoint(_assembled(digits), scales.tolist())

    def _proved(
        self, rows: np.ndarray, defect: np.ndarray, reach: np.ndarray, left: np.ndarray
    ) -> np.ndarray:
        """Whether no residual can have wrapped around, and the last one is small enough.

        With ``e = A^-1 r`` exact and ``alpha = defect``: the float product R r is off from e by at
        most ``2 alpha |R| |r| + gamma |R| |r|``, half a unit more for the rounding; A times that,
        times 2^40, is the next residual.  The error in the end is ``|A^-1 r| <= 2 |R| |r|``.
        """
        gamma = (2 * rows.shape[1] + 12) * _EPSILON
        off = 1 + 2.0**_STEP_BITS * reach * (2 * defect + gamma)
        out: np.ndarray = (
            (rows.max(axis=1) * off < 2.0**62) & (defect < 0.25) & (2.1 * left < 2.0**_ERROR_BITS)
        )
        return out


def _reach(inverse_size: np.ndarray, vector_size: np.ndarray) -> np.ndarray:
    """Largest entry (V,) of ``|R| |v|``."""
    out: np.ndarray = np.einsum("vij,vj->vi", inverse_size, vector_size).max(axis=1)
    return out


def _bounded_inverse(
    square: np.ndarray, inverse: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Float inverses (V, n, n), and a bound (V,) of ``|I - R A|`` with all rounding errors."""
    floats = square.astype(np.float64)
    n = square.shape[1]
    if inverse is None:
        with proposing():
            inverse = np.linalg.inv(floats)
        if inverse is None:
            return np.full(floats.shape, np.nan), np.full(len(square), np.inf)
    rest = np.abs(inverse @ floats - np.eye(n)).sum(axis=2).max(axis=1)
    rows = np.abs(floats).sum(axis=2)
    spread = np.einsum("vij,vj->vi", np.abs(inverse), rows).max(axis=1)
    return inverse, 1.01 * rest + (2 * n + 12) * _EPSILON * (1 + spread)


def _assembled(digits: list[np.ndarray]) -> list[list[int]]:
    """Sum overlapping signed digits in base 2^40, the first one largest, into integers (V, n).

    Added to each sum is the bound of its error, so that rounding down is rounding to the truth.
    """
    count, n = digits[0].shape
    each = _STEP_BITS // 8
    width = each * (len(digits) - 1) + 8  # the top digit keeps all its bytes
    packed = np.empty((count, n, width), dtype=np.uint8)
    total = digits[-1] + (1 << _ERROR_BITS)  # from now on an upper bound
    for k, digit in enumerate(digits[-2::-1]):
        packed[:, :, k * each : (k + 1) * each] = _bytes(total)[:, :, :each]
        total = digit + (total >> _STEP_BITS)
    packed[:, :, width - 8 :] = _bytes(total)
    pieces = struct.unpack(f"{width}s" * (count * n), packed.tobytes())
    flat = list(map(partial(int.from_bytes, byteorder="little", signed=True), pieces))
    return [flat[k : k + n] for k in range(0, len(flat), n)]


def _bytes(values: np.ndarray) -> np.ndarray:
    """The 8 bytes of each number, lowest first."""
    little = np.ascontiguousarray(values, dtype="<i8")
    return little.view(np.uint8).reshape(*values.shape, 8)


def solve_along_edges(
    rows: ExactRows,
    bases: np.ndarray,
    neighbors: np.ndarray,
    inverses: np.ndarray | None = None,
) -> list[Point]:
    """Points of the bases of a simple set, ``(denominator, numerators)`` each.

    Args:
        rows: the set, not perturbed.
        bases: (B, n).
        neighbors: (B, n) basis at the end of each edge, negative where there is none.
        inverses: (B, n, n) float inverses, if they are at hand.
    """
    refined = Refined(rows)
    parents, ends = _tree(bases, neighbors)
    steps = refined.steps(bases, np.minimum(parents, len(bases) - 1))
    blocks = [slice(begin, begin + _BLOCK) for begin in range(0, len(bases), _BLOCK)]

    def solve(block: slice) -> FixedPoint:
        given = None if inverses is None else inverses[block]
        return refined.solve(bases[block], steps[block], given)

    points: list[Point] = []
    sides = [
        _Side(a, b, sum(map(abs, a)).bit_length() + _ERROR_BITS + 1)
        for a, b in zip(rows.normals, rows.offsets, strict=True)
    ]
    edges = iter(zip(parents.tolist(), ends.tolist(), strict=True))
    for numbers, scales in ahead(solve, blocks):
        for number, scale in zip(numbers, scales, strict=True):
            parent, (taken, given) = next(edges)
            den = None
            if parent < len(points) and scale > 0:
                den = _next_denominator(points[parent], sides[taken], sides[given], number, scale)
            if den is None or not _whole(den, number, scale):
                points.append(_solved(rows, bases[len(points)].tolist()))
            else:
                # D x is an integer, and D number 2^-scale exceeds it by less than 1.
                points.append((den, tuple([den * v >> scale for v in number])))
    return points


def _whole(denominator: int, number: list[int], scale: int) -> bool:
    """Whether the bits suffice; the sum of the coordinates is looked at, as an alarm."""
    bits = denominator.bit_length() + _ERROR_BITS + 1
    excess = denominator * sum(number) & ((1 << scale) - 1)
    return bits <= scale and excess.bit_length() <= bits + len(number).bit_length()


def _solved(rows: ExactRows, basis: Sequence[int]) -> Point:
    """The point over |det| itself: a rational solve gives the least denominator at times."""
    point = rows.solve(basis)
    if point is None:
        raise AssertionError("a basis that was proved is singular")
    determinant = abs(int(fmpz_mat([list(rows.normals[j]) for j in basis]).det()))
    factor, rest = divmod(determinant, point.den)
    if rest:
        raise AssertionError("a denominator does not divide the determinant")
    return determinant, tuple([factor * v for v in point.x])


def _tree(bases: np.ndarray, neighbors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each basis its first neighbor (B,), and the rows (B, 2) taken up and given up there."""
    first = np.where(neighbors >= 0, neighbors, len(bases))
    position = first.argmin(axis=1)
    each = np.arange(len(bases))
    parent = first[each, position]
    near = np.minimum(parent, len(bases) - 1)
    given = bases[near, (neighbors[near] == each[:, None]).argmax(axis=1)]
    return parent, np.stack([bases[each, position], given], axis=1)


def _next_denominator(
    before: Point,
    taken: _Side,
    given: _Side,
    number: list[int],
    scale: int,
) -> int | None:
    """Denominator at the far end of an edge; None if the bits do not suffice.

    Args:
        before: the point at the near end.
        taken: row tight at the far end only.
        given: row tight at the near end only.
        number: the far end's fixed-point coordinates.
        scale: their scale.
    """
    denominator, x = before
    near: int = taken.offset * denominator - sum(map(mul, taken.normal, x))
    far: int = (given.offset << scale) - sum(map(mul, given.normal, number))
    # far errs by less than e = 2^error, and the quotient near 2^scale / far by less than
    # 2 near 2^scale e / far^2 (as far > 2 e), here < 1/4.
    error, size = given.error_bits, far.bit_length()
    if far <= 0 or size < error + 3 or near.bit_length() + scale + error + 3 > 2 * (size - 1):
        return None
    return ((near << (scale + 1)) // far + 1) >> 1
