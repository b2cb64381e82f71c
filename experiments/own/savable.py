"""Is a certificate of a set small enough to be checked?  Said before the work, with its size."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from polytope import checker
from polytope.errors import LimitError
from polytope.exact.scaled import ScaledMatrix
from polytope.exact.sparse import LARGEST_DENSE, SparseMatrix
from polytope.sets.rows import Rows

#: Entries of an array of fractions whose length as text is measured.
_SAMPLE = 1000


def expect_savable(rows: Rows, *, named: Mapping[str, Any]) -> None:
    """Raise LimitError where what a certificate states of a set is more than the checker reads.

    Args:
        rows: of the set.
        named: the arrays that lie in files of the user's, which a certificate names.
    """
    text, values = 0, 0
    for role, array in rows.arrays.items():
        count = math.prod(array.shape)
        if role in named:
            continue
        if count > LARGEST_DENSE:
            raise _too_large(role, array.shape, f"{count:,} numbers", f"{LARGEST_DENSE:,}")
        if array.dtype in ("Fraction", "int"):
            values += 2 * count
            text += _text(array, count)
            most = f"{checker.MAX_VALUES // 2:,} fractions, {checker.MAX_CERTIFICATE_BYTES:,} bytes"
            if values > checker.MAX_VALUES or text > checker.MAX_CERTIFICATE_BYTES:
                raise _too_large(
                    role, array.shape, f"{count:,} fractions, some {text:,} bytes of text", most
                )
        elif count * _width(array) > checker.MAX_TENSOR_FILE_BYTES:
            size = count * _width(array)
            raise _too_large(
                role, array.shape, f"{size:,} bytes", f"{checker.MAX_TENSOR_FILE_BYTES:,}"
            )


def _width(array: Any) -> int:
    size: int = np.dtype(array.dtype).itemsize
    return size


def _text(array: Any, count: int) -> int:
    """Bytes of an array of fractions in a certificate, by the length of some of them."""
    if isinstance(array, ScaledMatrix):
        rows = zip(array.integers, array.denominators, strict=True)
        sample = [(v, scale) for row, scale in rows for v in row[: _SAMPLE // 10]][:_SAMPLE]
        stored = count
    else:
        held = array.values if isinstance(array, SparseMatrix) else array
        sample = [(v.numerator, v.denominator) for v in held.data.reshape(-1)[:_SAMPLE].tolist()]
        stored = math.prod(held.shape)
    length = sum(len(f"{above:x}") + len(f"{below:x}") + 6 for above, below in sample)
    zeros = count - stored  # of a sparse one, "0" and "1" each
    return stored * length // max(1, len(sample)) + 8 * zeros


def _too_large(role: str, shape: tuple[int, ...], size: str, most: str) -> LimitError:
    sizes = " x ".join(f"{each:,}" for each in shape)
    return LimitError(
        f"certificate: expected at most {most}, which the checker reads, got {role} of {sizes}: "
        f"{size}"
    )
