"""Which units repeat each other?  Zero rows, parallel rows, and the same half-space twice.

All of them are legal, and change no answer; they are worth knowing, since a repeated row makes a
vertex degenerate, and two parallel equations with different right-hand sides make the set empty.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import gcd

import numpy as np

from polytope.exact.brief import Brief
from polytope.sets.rows import Rows

#: Rows compared at a time by their floats.
_CHUNK = 256
#: Nonzero entries whose ratios tell most rows apart.
_PROBED = 8

Groups = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, repr=False)
class RepeatedUnits(Brief):
    """Units whose rows say the same, exactly.

    Attributes:
        zero: units without a single weight.
        parallel: groups of units whose weights are multiples of each other, of either sign.
        repeated: groups of units whose weights and bias are one positive multiple of each other.
    """

    zero: tuple[int, ...]
    parallel: Groups
    repeated: Groups


def repeated_units(layer: Rows) -> RepeatedUnits:
    """Group the units of a layer by their exact rows."""
    zero, candidates = _candidates(layer)
    parallel: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
    repeated: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)
    for units in candidates:
        rows, scales = layer.weight.integer_rows(units)
        for unit, row, scale in zip(units, rows, scales, strict=True):
            divisor = gcd(*row)
            short = tuple(v // divisor for v in row)
            first = next(v for v in short if v)
            parallel[short if first > 0 else tuple(-v for v in short)].append(unit)
            sides = layer.half_space(unit)
            times = Fraction(scale, divisor)
            key = (short, *(None if side is None else side * times for side in sides))
            repeated[key].append(unit)
    return RepeatedUnits(zero, _groups(parallel.values()), _groups(repeated.values()))


def _groups(found: Iterable[list[int]]) -> Groups:
    return tuple(sorted(tuple(units) for units in found if len(units) > 1))


def _candidates(layer: Rows) -> tuple[tuple[int, ...], list[list[int]]]:
    """Zero rows, and groups of units that may be parallel: the others need no exact look.

    The quotient of two stored floats is rounded once, so that parallel rows have the same ones.
    """
    if not layer.weight.is_float64_exact:
        rows, _ = layer.weight.integer_rows(range(layer.n_units))
        rest = [unit for unit, row in enumerate(rows) if any(row)]
        return tuple(unit for unit, row in enumerate(rows) if not any(row)), [rest]
    zero: list[int] = []
    groups: defaultdict[tuple[float, ...], list[int]] = defaultdict(list)
    for start in range(0, layer.n_units, _CHUNK):
        units = range(start, min(start + _CHUNK, layer.n_units))
        block = layer.weight.take(units, range(layer.n_inputs)).approx
        for unit, row in zip(units, block, strict=True):
            places = np.flatnonzero(row)
            if not len(places):
                zero.append(unit)
                continue
            probed = places[:_PROBED]
            with np.errstate(all="ignore"):
                ratios = row[probed[1:]] / row[probed[0]]
            groups[(len(places), *probed.tolist(), *ratios.tolist())].append(unit)
    return tuple(zero), [units for units in groups.values() if len(units) > 1]
