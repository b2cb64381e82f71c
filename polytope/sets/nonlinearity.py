"""What stands behind the weights, by its name?  "tanh", "elu(0.5)", "clipped_relu(6)", ..."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from polytope.errors import InputError
from polytope.exact.arguments import shown
from polytope.sets import functions
from polytope.sets.functions import Function

#: The layer of the paper, which needs no rounding: polytope/sets/layer.py.
RELU = "relu"
#: Functions whose level sets are unions of intervals.
_NOT_MONOTONE = ("gelu", "silu", "swish", "mish", "hard_swish", "hardswish")
_ZERO, _ONE = Fraction(0), Fraction(1)
_CALL = re.compile(r"([a-z_0-9]+)(?:\(([^()]*)\))?")


@dataclass(frozen=True)
class _Made:
    """How a function is made of its parameter (> 0); `default` None: it has to be given."""

    make: Callable[[Fraction], Function]
    default: float | None


_PLAIN: dict[str, Callable[[], Function]] = {
    "sigmoid": functions.sigmoid,
    "tanh": functions.tanh,
    "softplus": functions.softplus,
    "selu": functions.selu,
    "hard_tanh": lambda: functions.clip("hard_tanh", _ONE, _ZERO, low=-_ONE, high=_ONE),
    # As torch defines it: min(max(u / 6 + 1 / 2, 0), 1).
    "hard_sigmoid": lambda: functions.clip(
        "hard_sigmoid", Fraction(1, 6), Fraction(1, 2), low=_ZERO, high=_ONE
    ),
    "relu6": lambda: functions.clip("relu6", _ONE, _ZERO, low=_ZERO, high=Fraction(6)),
}
_WITH_PARAMETER = {
    "elu": _Made(functions.elu, 1.0),
    "leaky_relu": _Made(functions.leaky_relu, 0.01),
    "clipped_relu": _Made(
        lambda most: functions.clip("clipped_relu", _ONE, _ZERO, low=_ZERO, high=most), None
    ),
}
NAMES = (RELU, *_PLAIN, *_WITH_PARAMETER)


def function_of(nonlinearity: object) -> Function | None:
    """The function of a name; None for the ReLU.

    Args:
        nonlinearity: one of `NAMES`; those with a parameter may be called with it, as in
            "elu(0.5)": a number > 0, read as the float next to it, as torch keeps it.

    Raises:
        InputError: for any other name, or a parameter that does not belong.
    """
    if not isinstance(nonlinearity, str):
        raise InputError(f"nonlinearity: expected a name, got {shown(nonlinearity)}")
    call = _CALL.fullmatch(nonlinearity)
    name, argument = (call[1], call[2]) if call else (nonlinearity, None)
    if name in _NOT_MONOTONE:
        raise InputError(
            f"nonlinearity: expected a monotone function, whose levels are intervals, got {name}"
        )
    if name not in NAMES:
        raise InputError(
            f"nonlinearity: expected one of {', '.join(NAMES)}; got {shown(nonlinearity)}"
        )
    if name in _WITH_PARAMETER:
        made = _WITH_PARAMETER[name]
        return made.make(_parameter(name, argument, made.default))
    if argument is not None:
        raise InputError(f"nonlinearity: expected {name} without a parameter, got {nonlinearity}")
    return None if name == RELU else _PLAIN[name]()


def _parameter(name: str, argument: str | None, default: float | None) -> Fraction:
    try:
        given = default if argument is None else float(argument)
        value = Fraction(given) if given is not None else None
    except (ValueError, OverflowError):
        value = None
    if value is None or value <= 0:
        got = name if argument is None else f"{name}({argument})"
        raise InputError(f"nonlinearity: expected {name}(X) with a number X > 0, got {got}")
    return value
