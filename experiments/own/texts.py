"""Which units, sizes, bounds or bytes does a text mean?  Options with a form of their own."""

import math
import re
from typing import Literal

from experiments.run.checks import refused

_SIZES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


#: Numbers that a range may stand for.
_LONGEST = 100_000


def _numbers(text: str) -> list[int] | None:
    """The whole numbers between commas; None where there is another part, or no number."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    return [int(part) for part in parts]


def read_list(text: str) -> tuple[int, ...] | None:
    """Returns the numbers of a list with ranges, each once; None where it is no such list.

    >>> read_list("3,8-10"), read_list("3-"), read_list("5-4")
    ((3, 8, 9, 10), None, None)
    """
    found: list[int] = []
    for part in (each.strip() for each in text.split(",") if each.strip()):
        match = re.fullmatch(r"(\d{1,12})(?:-(\d{1,12}))?", part, re.ASCII)
        if match is None:
            return None
        first, last = int(match[1]), int(match[2] or match[1])
        if not first <= last < first + _LONGEST:
            return None
        found += range(first, last + 1)
    return tuple(dict.fromkeys(found)) or None


def read_units(text: str) -> int | tuple[int, ...]:
    """Returns how many units, or which: a list has a comma or a range.

    Raises:
        InputError: it is neither.

    >>> read_units("5"), read_units("3,"), read_units("3,8"), read_units("3-5")
    (5, (3,), (3, 8), (3, 4, 5))
    """
    found = read_list(text)
    if found is None:
        raise refused(
            f"units: expected a number of units, or a list of units such as 3,8 (3, for one; 3-8 "
            f"for a range), got {text!r}"
        )
    return found if "," in text or "-" in text else found[0]


def read_shape(text: str) -> tuple[int, ...]:
    """Returns the sizes of one input, as in "3,224,224".

    Raises:
        InputError: it is no list of positive numbers.
    """
    found = _numbers(text)
    if found is None or 0 in found:
        raise refused(f"input-shape: expected sizes such as 3,224,224, got {text!r}")
    return tuple(found)


def read_bounds(text: str) -> tuple[float, float] | Literal["none"]:
    """Returns lower and upper bound from "LOWER,UPPER", or the word none.

    Raises:
        InputError: it is neither, or they are not finite and in order.

    >>> read_bounds("0,255"), read_bounds("None")
    ((0.0, 255.0), 'none')
    """
    if text.strip().lower() == "none":
        return "none"
    try:
        lower, upper = (float(part) for part in text.split(","))
    except ValueError:
        raise refused(
            f"bounds: expected two numbers LOWER,UPPER or the word none, got {text!r}"
        ) from None
    if not (math.isfinite(lower) and math.isfinite(upper) and lower < upper):
        raise refused(f"bounds: expected finite numbers, lower < upper, got {text!r}")
    return lower, upper


def read_bytes(text: str) -> int:
    """Returns the number of bytes that a text such as "500M" or "2G" means.

    Raises:
        InputError: it is no such text.

    >>> read_bytes("2G") == 2 * 2**30
    True
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([kmg]?)b?", text.strip().lower(), re.ASCII)
    if match is None or float(match[1]) <= 0:
        raise refused(f"max-memory: expected bytes such as 500M or 2G, got {text!r}")
    return max(1, int(float(match[1]) * _SIZES[match[2]]))
