"""How does a foreign H-representation come in?  Each inequality and equation is a unit.

An inequality ``a x <= b`` is a row with the ceiling b, an equation ``a x = f`` one whose floor and
ceiling are f; biases are 0.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from polytope.errors import ShapeError
from polytope.exact.arguments import shown
from polytope.exact.array import ExactArray
from polytope.sets.rows import StatedRows


class _Block(NamedTuple):
    """Rows, None where there are none; their right-hand sides; columns, None where not known."""

    rows: ExactArray | None
    right: list[Fraction]
    width: int | None


def halfspace_rows(
    matrix: Any, bound: Any, *, equalities: Any = None, values: Any = None
) -> StatedRows:
    """Return the rows of ``{x : matrix x <= bound, equalities x = values}``.

    Args:
        matrix: (m, d), or None; of shape (0, d) it says d alone, and the set may be all of R^d.
        bound: (m,).
        equalities: (e, d), or None; likewise.
        values: (e,).

    Returns:
        Units 0 .. m - 1 are the inequalities, units m .. m + e - 1 the equations.

    Raises:
        ShapeError: if the shapes do not fit, or nothing says d.
        NonFiniteError: for NaN or infinite numbers, naming argument and index.
        InexactError: for anything that is not a real number.
    """
    upper = _block(matrix, bound, "matrix", "bound")
    equal = _block(equalities, values, "equalities", "values")
    widths = [block.width for block in (upper, equal) if block.width is not None]
    if not widths:
        raise ShapeError("matrix: expected at least one inequality or equation, got none")
    if widths[0] != widths[-1]:
        shape = (len(equal.right), widths[-1])
        raise ShapeError(
            f"equalities: expected {widths[0]} columns as in matrix, got shape {shape}"
        )
    blocks = [block.rows for block in (upper, equal) if block.rows is not None]
    rows = _stacked(blocks) if blocks else np.zeros((0, widths[0]))
    floors = [None] * len(upper.right) + equal.right
    ceilings = upper.right + equal.right
    zeros = np.zeros(len(ceilings), dtype=np.int64)
    return StatedRows.of(rows, zeros, floors=floors, ceilings=ceilings)


def _block(matrix: Any, rhs: Any, name: str, right_name: str) -> _Block:
    """Return rows and right-hand sides, exact; None and nothing where there are no rows."""
    matrix = matrix.toarray() if hasattr(matrix, "toarray") else matrix  # scipy's sparse ones
    if _is_nothing(matrix):
        if not _is_nothing(rhs):
            raise ShapeError(f"{right_name}: expected none without {name}, got {shown(rhs)}")
        shape = tuple(getattr(matrix, "shape", ()))
        return _Block(None, [], shape[1] if len(shape) == 2 and shape[1] else None)
    rows = ExactArray.of(matrix, name, ndim=2)
    if rhs is None:
        raise ShapeError(f"{right_name}: expected length {rows.shape[0]}, got None")
    right = ExactArray.of(rhs, right_name, ndim=1)
    if right.shape[0] != rows.shape[0]:
        raise ShapeError(
            f"{right_name}: expected length {rows.shape[0]} for {name} of shape {rows.shape}, "
            f"got {right.shape[0]}"
        )
    if rows.shape[1] == 0:
        raise ShapeError(f"{name}: expected at least one column, got shape {rows.shape}")
    return _Block(rows, right.fractions(), rows.shape[1])


def _is_nothing(values: Any) -> bool:
    return values is None or (hasattr(values, "__len__") and len(values) == 0)


def _stacked(blocks: list[ExactArray]) -> Any:
    """Stack the rows; stored types are kept where they agree, all else becomes Fractions."""
    if len({block.data.dtype for block in blocks}) == 1:
        return np.concatenate([block.data for block in blocks])
    rows = np.empty((sum(block.shape[0] for block in blocks), blocks[0].shape[1]), dtype=object)
    entries: list[Fraction] = [v for block in blocks for v in block.fractions()]
    rows.ravel()[:] = entries
    return rows
