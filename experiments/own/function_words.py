"""What does the set of another function than the ReLU say about the true one?  In a sentence."""

from experiments.run.words import counted
from polytope.exact.brief import number
from polytope.sets.functions import Piecewise
from polytope.sets.nonlinear_layer import NonlinearLayer
from polytope.sets.rows import Rows

_ROUNDED = {
    "inner": "irrational ends rounded inwards: what is found truly collides",
    "outer": "irrational ends rounded outwards: what is proved absent is truly absent",
}


def in_words(layer: Rows) -> str:
    """Returns the function, the side its ends are rounded to, and how many units are saturated.

    A unit is saturated where the tolerance leaves its pre-activation without end on a side.  Empty
    for a ReLU layer and for half-spaces.
    """
    if not isinstance(layer, NonlinearLayer):
        return ""
    exact = isinstance(layer.function, Piecewise) or layer.tolerance == 0
    ends = "ends exact" if exact else _ROUNDED[layer.rounding]
    saturated = f"{len(layer.saturated):,} of {counted(layer.n_units, 'units')} saturated"
    return f"{layer.nonlinearity} within {number(layer.tolerance)}; {saturated}; {ends}"
