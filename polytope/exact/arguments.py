"""Is this argument of the type that was asked for?  One sentence that names it, if not.

Arrays of numbers are checked by polytope/exact/rational.py; here are counts, indices, seeds and
objects.
"""

from __future__ import annotations

from operator import index
from typing import Any, TypeVar

import numpy as np

from polytope.errors import InputError

T = TypeVar("T")

#: Characters of a refused value that a message shows.
_SHOWN = 200


def integer(
    value: Any, name: str, *, least: int | None = None, error: type[InputError] = InputError
) -> int:
    """Return an int, Python's or NumPy's; no bool, and no float even if it is whole.

    Raises:
        InputError: (or ``error``) for anything else, or an int below ``least``.
    """
    expected = "an int" if least is None else f"an int >= {least}"
    try:
        number = None if isinstance(value, (bool, np.bool_)) else index(value)
    except TypeError:
        number = None
    if number is None or (least is not None and number < least):
        raise error(f"{name}: expected {expected}, got {shown(value)}")
    return number


def shown(value: Any) -> str:
    """Say what came, in a few words: Python refuses to write ints of thousands of digits."""
    try:
        text = repr(value)
    except ValueError:
        return f"a number of type {type(value).__name__} with thousands of digits"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}... ({type(value).__name__})"


def integers(values: Any, name: str, *, error: type[InputError] = InputError) -> tuple[int, ...]:
    """Return the ints of a sequence (or another iterable), in its order.

    Raises:
        InputError: (or ``error``) if it is none, or holds something else.
    """
    try:
        found = None if isinstance(values, (str, bytes)) else list(values)
    except TypeError:
        found = None
    if found is None:
        raise error(f"{name}: expected a sequence of ints, got {shown(values)}")
    return tuple(integer(v, f"{name}[{i}]", error=error) for i, v in enumerate(found))


def instance(value: Any, kind: type[T], name: str) -> T:
    """Return the value if it is of a class.

    Raises:
        InputError: naming both classes, if it is not.
    """
    if not isinstance(value, kind):
        raise InputError(f"{name}: expected {kind.__name__}, got {type(value).__name__}")
    return value


def random_numbers(seed: int | None) -> np.random.Generator:
    """Return NumPy's generator of this seed; None takes the system's entropy.

    Raises:
        InputError: if the seed is no nonnegative int.
    """
    return np.random.default_rng(None if seed is None else integer(seed, "seed", least=0))
