"""What are thousands of vertices exactly, at a few microseconds each?  Refinement, then rounding.

A float inverse R of a basis A (integers) is refined in integers: with ``y = round(2^32 R r)`` the
residual ``r <- 2^32 r - A y`` stays small, is computed exactly (in 64 bits, where wrapping around
is harmless as the true value fits), and each step adds 32 bits to ``x = A^-1 b`` (Wan 2006).
Cramer's rule gives x the denominator D = |det A|, so ``D x`` is found by rounding once the bits
suffice.  D itself follows the edges: the slack t of the row given up and the slack s of the row
taken up, at the two ends of an edge, satisfy ``D' t = D s``.  Every rounding is backed by a bound;
where one does not suffice, the basis is left to a rational solve.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import mul

import numpy as np

from polytope.ahead import ahead
from polytope.exact_bases import ExactRows

#: Bits of the first float solution that are used, and bits gained by each refinement.
_FIRST_BITS, _STEP_BITS = 44, 32
#: Entries of rows up to which the intermediate numbers can be expected to fit into 64 bits.
_ROW_BITS, _OFFSET_BITS = 44, 62
_BLOCK = 512
_EPSILON = 2.0**-53
#: Units in the last place by which a refined solution may be off (a proved bound; usually 2).
_ERROR_BITS = 20

Point = tuple[int, tuple[int, ...]]


def fits(rows: ExactRows) -> bool:
    """Whether the rows are small enough."""
    largest = max(max(map(abs, row)) for row in rows.normals)
    offset = max(map(abs, rows.offsets))
    return largest.bit_length() <= _ROW_BITS and offset.bit_length() <= _OFFSET_BITS


class Refined:
    """Fixed-point solutions of many bases: ``|x 2^scale - digits| < 2^20``, proved."""

    def __init__(self, normals: np.ndarray, offsets: np.ndarray, steps: int) -> None:
        self._normals, self._offsets, self._steps = normals, offsets, steps

    def block(self, bases: np.ndarray) -> tuple[list[list[int]], list[int]]:
        """Solve a block: integers (V, n) and their scales (V,), -1 where nothing was proved."""
        square, right = self._normals[bases], self._offsets[bases]
        with np.errstate(all="ignore"):
            inverse, defect = _float_inverse(square)
            first = np.einsum("vij,vj->vi", inverse, right.astype(np.float64))
            largest = np.abs(first).max(axis=1)
            _, exponent = np.frexp(largest)
            shift = _FIRST_BITS - exponent.astype(np.int64)
            digits = [np.rint(np.ldexp(first, shift[:, None]))]
            shifted = np.where(shift < 64, right.T << np.clip(shift, 0, 63), 0).T
            residual = shifted - np.einsum("vij,vj->vi", square, digits[0].astype(np.int64))
            # |R| |b| 2^-32 at first, so that the same bound serves the first step.
            size = np.abs(inverse)
            reach = _reach(size, np.abs(right).astype(np.float64))
            reach = np.ldexp(reach, shift - _STEP_BITS)
            for _ in range(self._steps):
                floats = residual.astype(np.float64)
                step = np.einsum("vij,vj->vi", inverse, floats)
                reach = np.maximum(reach, _reach(size, np.abs(floats)))
                digits.append(np.rint(step * 2.0**_STEP_BITS))
                product = np.einsum("vij,vj->vi", square, digits[-1].astype(np.int64))
                residual = (residual << _STEP_BITS) - product
            left = _reach(size, np.abs(residual).astype(np.float64))
            good = self._proved(square, defect, reach, left) & (shift >= 0)
            whole = [d.astype(np.int64) for d in digits]
        numbers = _assembled(whole)
        scales = np.where(good, shift + _STEP_BITS * self._steps, -1)
        return numbers, scales.tolist()

    def _proved(
        self, square: np.ndarray, defect: np.ndarray, reach: np.ndarray, left: np.ndarray
    ) -> np.ndarray:
        """Whether no residual can have wrapped around, and the last one is small enough.

        With ``e = A^-1 r`` exact and ``alpha = defect``: the float product R r is off from e by at
        most ``2 alpha |R| |r| + gamma |R| |r|``, half a unit more for the rounding; A times that,
        times 2^32, is the next residual.  The error in the end is ``|A^-1 r| <= 2 |R| |r|``.
        """
        rows = np.abs(square).sum(axis=2).max(axis=1).astype(np.float64)
        gamma = (2 * square.shape[1] + 12) * _EPSILON
        off = 1 + 2.0**_STEP_BITS * reach * (2 * defect + gamma)
        fits = (rows * off < 2.0**62) & (2.0**_STEP_BITS * reach < 2.0**52)
        out: np.ndarray = fits & (defect < 0.25) & (2.1 * left < 2.0**_ERROR_BITS)
        return out


def _reach(inverse_size: np.ndarray, vector_size: np.ndarray) -> np.ndarray:
    """Largest entry (V,) of ``|R| |v|``."""
    out: np.ndarray = np.einsum("vij,vj->vi", inverse_size, vector_size).max(axis=1)
    return out


def _float_inverse(square: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Float inverses (V, n, n), and a bound (V,) of ``|I - R A|`` with all rounding errors."""
    floats = square.astype(np.float64)
    n = square.shape[1]
    try:
        inverse = np.linalg.inv(floats)
    except np.linalg.LinAlgError:
        return np.full(floats.shape, np.nan), np.full(len(square), np.inf)
    rest = np.abs(inverse @ floats - np.eye(n)).sum(axis=2).max(axis=1)
    rows = np.abs(floats).sum(axis=2)
    spread = np.einsum("vij,vj->vi", np.abs(inverse), rows).max(axis=1)
    return inverse, 1.01 * rest + (2 * n + 12) * _EPSILON * (1 + spread)


def _assembled(digits: list[np.ndarray]) -> list[list[int]]:
    """Sum overlapping signed digits in base 2^32, the first one largest, into integers (V, n)."""
    count, n = digits[0].shape
    words = np.empty((count, n, len(digits) + 1), dtype="<u4")
    carry = np.zeros((count, n), dtype=np.int64)
    for k, digit in enumerate(reversed(digits)):
        total = digit + carry
        words[:, :, k] = total & 0xFFFFFFFF
        carry = total >> _STEP_BITS
    words[:, :, -1] = carry & 0xFFFFFFFF
    data, width = words.tobytes(), 4 * (len(digits) + 1)
    flat = [
        int.from_bytes(data[k : k + width], "little", signed=True)
        for k in range(0, len(data), width)
    ]
    return [flat[k : k + n] for k in range(0, len(flat), n)]


def determinant_bits(normals: Sequence[Sequence[int]]) -> int:
    """Hadamard's bound for the determinant of any n of the rows, in bits."""
    norms = sorted((sum(v * v for v in row).bit_length() for row in normals), reverse=True)
    return sum(norms[: len(normals[0])]) // 2 + len(normals[0])


def solve_along_edges(rows: ExactRows, bases: np.ndarray, neighbors: np.ndarray) -> list[Point]:
    """Points of the bases of a simple set, ``(denominator, numerators)`` each.

    Args:
        rows: the set, not perturbed.
        bases: (B, n).
        neighbors: (B, n) basis at the end of each edge, negative where there is none.
    """
    normals = np.array(rows.normals, dtype=np.int64)
    offsets = np.array(rows.offsets, dtype=np.int64)
    # Twice the room of a determinant's own size, for the slacks of next_denominator.
    bits = determinant_bits(rows.normals) + 2 * _ERROR_BITS
    refined = Refined(normals, offsets, max(1, -(-(bits - _FIRST_BITS) // _STEP_BITS)))
    tree = _tree(bases, neighbors)
    points: list[Point] = []
    blocks = [bases[begin : begin + _BLOCK] for begin in range(0, len(bases), _BLOCK)]
    for numbers, scales in ahead(refined.block, blocks):
        for number, scale in zip(numbers, scales, strict=True):
            v = len(points)
            parent, taken, given = tree[v]
            point = None
            if parent < v and scale > 0:
                ends = [(rows.normals[j], rows.offsets[j]) for j in (taken, given)]
                denominator = _next_denominator(points[parent], ends[0], ends[1], number, scale)
                point = _rounded(number, scale, denominator)
            points.append(_solved(rows, bases[v]) if point is None else point)
    return points


def _solved(rows: ExactRows, basis: np.ndarray) -> Point:
    point = rows.solve(basis.tolist())
    if point is None:
        raise AssertionError("a basis that was proved is singular")
    return point.den, point.x


def _tree(bases: np.ndarray, neighbors: np.ndarray) -> list[tuple[int, int, int]]:
    """For each basis its first neighbor, the row taken up from there, and the row given up."""
    first = np.where(neighbors >= 0, neighbors, len(bases))
    position = first.argmin(axis=1)
    each = np.arange(len(bases))
    parent = first[each, position]
    taken = bases[each, position]
    near = np.minimum(parent, len(bases) - 1)
    given = bases[near, (neighbors[near] == each[:, None]).argmax(axis=1)]
    return list(zip(parent.tolist(), taken.tolist(), given.tolist(), strict=True))


def _rounded(number: list[int], scale: int, denominator: int | None) -> Point | None:
    """``denominator * number / 2^scale``, rounded; None if the bits do not suffice."""
    if denominator is None or scale < denominator.bit_length() + _ERROR_BITS + 2:
        return None
    half = 1 << (scale - 1)
    return denominator, tuple([(denominator * v + half) >> scale for v in number])


def _next_denominator(
    before: Point,
    taken: tuple[Sequence[int], int],
    given: tuple[Sequence[int], int],
    number: list[int],
    scale: int,
) -> int | None:
    """Denominator at the far end of an edge; None if the bits do not suffice.

    Args:
        before: the point at the near end.
        taken: row (normal, offset) tight at the far end only.
        given: row tight at the near end only.
        number: the far end's fixed-point coordinates.
        scale: their scale.
    """
    near: int = taken[1] * before[0] - sum(map(mul, taken[0], before[1]))
    far: int = (given[1] << scale) - sum(map(mul, given[0], number))
    if far <= 0:
        return None
    # With |given| the sum of its entries' sizes, far errs by less than e = |given| 2^20, and the
    # quotient near 2^scale / far by less than 2 near 2^scale e / far^2 (far > 2 e), here < 1/4.
    error = sum(map(abs, given[0])).bit_length() + _ERROR_BITS
    if far.bit_length() < error + 3:
        return None
    if near.bit_length() + scale + error + 3 > 2 * (far.bit_length() - 1):
        return None
    return ((near << (scale + 1)) // far + 1) >> 1
