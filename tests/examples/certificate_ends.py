"""Certificates of functions and rows that turn on one comparison, and whether each is proved."""

import copy
from dataclasses import dataclass
from fractions import Fraction as F
from typing import Any

import mpmath
import numpy as np

from polytope import CollisionPolytope
from polytope.sets.rows import StatedRows
from tests.examples.certificate_forms import rational
from tests.examples.certificate_functions import function_document

HALF = F(1, 2)


@dataclass(frozen=True)
class Turning:
    """A certificate, and whether what it claims is true and shown."""

    document: Any
    proved: bool


def with_end(document: Any, side: str, unit: int, value: F | int) -> Any:
    """The certificate with another end of a unit, or with one where none was stated."""
    changed = copy.deepcopy(document)
    ends = changed["problem"][side]
    num, den = rational(F(value))
    if unit in ends["units"]:
        k = ends["units"].index(unit)
        ends["num"][k], ends["den"][k] = num, den
    else:
        for name, entry in (("units", unit), ("num", num), ("den", den)):
            ends[name].append(entry)
    return changed


def claiming(document: Any, claim: Any, witness: Any) -> Any:
    """Another claim about the same problem."""
    return {**copy.deepcopy(document), "claim": claim, "witness": witness}


def _just_above_the_end() -> F:
    """Less than 2^-200 above the u with sigmoid(u) = sigmoid(1/2) + 1/8, by mpmath."""
    with mpmath.workdps(200):
        v = 1 / (1 + mpmath.exp(-mpmath.mpf(1) / 2)) + mpmath.mpf(1) / 8
        return F(int(mpmath.floor(mpmath.log(v / (1 - v)) * 2**200)) + 1, 1 << 200)


def _floor_alone() -> Any:
    """That x >= 0 holds no line, by the row of its one unit, which has no ceiling."""
    rows = StatedRows.of([[1]], [0], floors=[0], ceilings=[None])
    certificate = CollisionPolytope(rows).lineality().certificate
    assert certificate is not None
    return certificate.document()


def turnings() -> dict[str, Turning]:
    """By name."""
    clipped = {"name": "clipped_relu(6)", "rounding": "outer"}
    upper = function_document(**clipped, tolerance=1, target=(5, 3))
    lower = function_document(**clipped, tolerance=1, target=(1, 3))
    wanted = function_document("sigmoid", tolerance=F(1, 100), activation=(HALF, HALF))
    all_values = function_document(
        "sigmoid", tolerance=HALF, activation=(HALF, HALF), rounding="outer"
    )
    levels = function_document("tanh", tolerance=0)
    identity = np.eye(2, dtype=int)
    minor = {
        "rows": [["equality", 0], ["equality", 1]],
        "columns": [0, 1],
        "modulus": "7ff",
        "inverse": [[format(v, "x") for v in row] for row in identity.tolist()],
    }
    dimension = {"kind": "dimension", "value": 0, "paper_bound": 0}
    active = {"kind": "active_set", "active": [0, 1], "zero": []}
    above = with_end(function_document("sigmoid"), "ceilings", 0, _just_above_the_end())
    return {
        "a ceiling at the corner above which f is constant": Turning(
            with_end(upper, "ceilings", 0, 6), proved=False
        ),
        "a floor at the corner below which f is constant": Turning(
            with_end(lower, "floors", 0, 0), proved=False
        ),
        "a floor at the corner below which f falls": Turning(
            function_document(**clipped, tolerance=0, target=(6, 3)), proved=True
        ),
        "a wanted value": Turning(wanted, proved=True),
        "the wanted value as its own pre-activation": Turning(
            with_end(wanted, "ceilings", 0, HALF), proved=False
        ),
        "an end 2^-200 too far": Turning(above, proved=False),
        "a ceiling where every value is near enough": Turning(
            with_end(all_values, "ceilings", 0, 1000), proved=False
        ),
        "a floor where every value is near enough": Turning(
            with_end(all_values, "floors", 0, -1000), proved=False
        ),
        "active units of another function than the ReLU": Turning(
            claiming(levels, active, {}), proved=False
        ),
        "a dimension at the target, of another function": Turning(
            claiming(levels, dimension, {"target": minor}), proved=False
        ),
        "a unit with a floor alone": Turning(_floor_alone(), proved=True),
    }
