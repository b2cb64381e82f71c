"""What lying float routines return: garbage, NaN, zeros, nearly the truth, or an exception."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

Rng = np.random.Generator
#: Far more than a float holds, and what floats return when they fail.
_SPECIAL = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1e308, -1e308, 5e-324, 1.0, -1.0)
_RAISED = (
    RuntimeError("a solver gave up"),
    ValueError("array must not contain infs or NaNs"),
    np.linalg.LinAlgError("did not converge"),
    ZeroDivisionError("float division by zero"),
    OverflowError("cannot convert float infinity to integer"),
    IndexError("index 7 is out of bounds"),
    TypeError("unsupported operand"),
)


def raises(rng: Rng) -> Exception:
    """One of the exceptions that float libraries raise."""
    return _RAISED[int(rng.integers(len(_RAISED)))]


# ---- What is made of a float result ------------------------------------------------------------


def _special(value: np.ndarray, rng: Rng) -> np.ndarray:
    return rng.choice(_SPECIAL, value.shape)


def _nan(value: np.ndarray, _: Rng) -> np.ndarray:
    return np.full(value.shape, np.nan)


def _zeros(value: np.ndarray, _: Rng) -> np.ndarray:
    return np.zeros(value.shape)


def _random(value: np.ndarray, rng: Rng) -> np.ndarray:
    return np.asarray(rng.standard_normal(value.shape))


def _nearly(value: np.ndarray, rng: Rng) -> np.ndarray:
    """The truth, off by one part in ten thousand: the most dangerous kind."""
    return np.asarray(value * (1 + 1e-4 * rng.standard_normal(value.shape)))


def _reversed(value: np.ndarray, _: Rng) -> np.ndarray:
    return np.ascontiguousarray(value[..., ::-1])


DISTORTIONS = (_special, _nan, _zeros, _random, _nearly, _reversed)


def distorted(result: Any, change: Callable[..., Any], rng: Rng) -> Any:
    """Change all float arrays of a result; permutations and flags stay in range, reversed."""
    if isinstance(result, OptimizeResult) and result.status == 0:
        for part in (result.eqlin, result.ineqlin):
            part["marginals"] = change(np.asarray(part["marginals"], dtype=float), rng)
        return result
    if isinstance(result, tuple):
        return tuple(distorted(part, change, rng) for part in result)
    if isinstance(result, np.ndarray) and result.dtype.kind == "f":
        return change(result, rng)
    if isinstance(result, np.ndarray) and result.dtype.kind in "iu":
        return np.ascontiguousarray(result[::-1])
    return result
