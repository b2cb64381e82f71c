"""Does this thread round to the nearest float?  Every proved error bound takes it for granted.

A library may leave another mode behind, and the thread then reads and adds all floats otherwise.
PPL rounds upwards for intervals that nobody here uses, and pplpy 0.9.0 leaves it so from its import
on (0.8 took it back).
"""

from __future__ import annotations

import ctypes
import warnings
from contextlib import suppress
from typing import Any

from polytope.errors import InputError

#: Numbers that only rounding to nearest adds as :func:`_nearest` expects; no constants, which the
#: compiler would add.
_ONE, _HALF, _MORE = 1.0, 2.0**-53, 3 * 2.0**-54
#: FE_TONEAREST of glibc and musl on every processor they know.
_TO_NEAREST = 0


def _nearest() -> bool:
    even = _ONE + _HALF == _ONE and -_ONE - _HALF == -_ONE  # neither up nor down
    return even and _ONE + _MORE > _ONE  # nor towards zero


def _set_nearest() -> None:
    with suppress(OSError, AttributeError):  # of what is no Unix C library
        ctypes.CDLL(None).fesetround(_TO_NEAREST)


def keep_nearest() -> None:
    """Make sure that this thread rounds to nearest: set it so, with a warning.

    Raises:
        InputError: if it cannot be set here.
    """
    if _nearest():
        return
    _set_nearest()
    if not _nearest():
        raise InputError(
            "rounding: expected that of this thread to be to nearest, got another mode; no bound "
            "of an error holds, so that nothing exact can be said"
        )
    warnings.warn(
        "this thread did not round to nearest (a library has left another mode behind); it does "
        "so again, since proved bounds need it",
        RuntimeWarning,
        stacklevel=4,
    )


def load_ppl() -> Any:
    """Import PPL, slow to load, and round to nearest again.

    Raises:
        ImportError: it is not installed.
        InputError: the mode cannot be set back here.
    """
    import ppl

    if not _nearest():
        _set_nearest()
    keep_nearest()
    return ppl
