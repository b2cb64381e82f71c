"""Does this thread keep numbers below 2.2e-308?  Exact arithmetic needs them: no weight may vanish.

torch.set_flush_denormal(True) and libraries built with fast math set two bits of the processor's
control register, and from then on even Python reads 5e-324 as 0 on that thread.
"""

from __future__ import annotations

import ctypes
import warnings
from contextlib import suppress

from polytope.errors import InputError
from polytope.exact.rounding import keep_nearest

_LEAST = 5e-324
_LEAST_NORMAL = 2.0**-1022
#: FE_DFL_ENV of glibc and musl, the floating-point environment a program starts with.
_START = ctypes.c_void_p(-1)


def keep_subnormals() -> None:
    """Make sure that this thread keeps subnormal numbers, and rounds to nearest.

    Flushing is switched off, with a warning.

    Raises:
        InputError: if it cannot be switched off here.
    """
    keep_nearest()
    if _LEAST and _LEAST_NORMAL / 2:
        return
    with suppress(OSError, AttributeError, TypeError):  # of what is no Unix C library
        ctypes.CDLL(None).fesetenv(_START)
    if not (_LEAST and _LEAST_NORMAL / 2):
        raise InputError(
            "set_flush_denormal: expected False on this thread, got True; numbers below 2.2e-308 "
            "are read as 0, so that nothing exact can be said"
        )
    warnings.warn(
        "this thread read numbers below 2.2e-308 as 0 (torch.set_flush_denormal(True)); it is "
        "switched off, since exact answers need them",
        RuntimeWarning,
        stacklevel=3,
    )
