"""Which signs can floats decide rigorously?

A dot product of floats errs by at most ``gamma_n sum |a_k||v_k|`` (Higham 2002, section 3.1), so a
computed value larger than that has the right sign, whatever the order of summation.  Everything
closer to zero, overflowed or not a number is left to exact arithmetic.
"""

from __future__ import annotations

import numpy as np

_UNIT_ROUNDOFF = 2.0**-53
#: Entries and products below the normal range lose relative accuracy; this covers each of them.
_UNDERFLOW = 2.0**-1021


def certain_signs(table: np.ndarray, vector: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Signs of ``table @ v + o`` for the exact numbers behind rounded ``vector`` and ``offset``.

    Args:
        table: (m, k) each entry the exact one, correctly rounded (0 where it underflowed).
        vector: (k,) each entry the exact one, correctly rounded.
        offset: (m,) each entry the exact one, correctly rounded.

    Returns:
        (m,) int8: +1 or -1 where proved, 0 where undecided (a true zero is never decided).
    """
    with np.errstate(all="ignore"):
        value = table @ vector + offset
        size = np.abs(table) @ np.abs(vector) + np.abs(offset)
        largest = np.abs(table).max(axis=1, initial=0.0) + np.abs(vector).max(initial=0.0)
        error = dot_error(size, largest, table.shape[1])
        decided = np.isfinite(value) & np.isfinite(error) & (np.abs(value) > error)
    return np.where(decided, np.sign(value), 0).astype(np.int8)


def dot_error(size: np.ndarray, largest: np.ndarray | float, terms: int) -> np.ndarray:
    """How far sums of ``terms`` products and an offset, computed in any order, can be off.

    Args:
        size: (m,) the same sums with every term's absolute value, computed in floats.
        largest: at least the largest entries of the row and of the vector in size, added; what
            underflows in one of them is multiplied by the other.
        terms: products a sum.
    """
    terms += 4  # the offset and the roundings of the entries
    # A margin of 2 covers the rounding of the bound itself.
    gamma = 2 * terms * _UNIT_ROUNDOFF / (1 - terms * _UNIT_ROUNDOFF)
    bound: np.ndarray = gamma * size + terms * _UNDERFLOW * (1 + largest)
    return bound
