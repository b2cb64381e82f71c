"""How long may an exact program take?  Minimum and distance in a process with a time limit."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from experiments.run.limited import in_time
from experiments.run.proofs import Proofs
from experiments.run.record import jsonable
from polytope import Certificate, CollisionPolytope, LPStatus, verify
from polytope.network.region_polytope import RegionPolytope
from polytope.sets.layer import Layer

#: Certificates state the set as text: beyond so many weights they are checked, not saved.
MOST_SAVED = 4_000_000
#: Begins the reason of what a time limit ended.
OUT_OF_TIME = "the time limit"
#: Ends the names of certificates whose "units" are a composed layer's and then a region's rows.
IN_REGION = "-in-region"

Entry = dict[str, Any]


@dataclass(frozen=True)
class Solver:
    """How exact programs are solved and kept.

    Attributes:
        folder: of the run; certificates go into it.
        seconds: for the programs of one vertex in one space, at most.
    """

    folder: Path
    seconds: float

    def solve(
        self, polytope: CollisionPolytope, unit: int, point: np.ndarray, *, name: str
    ) -> Entry:
        """Returns the exact minimum of a unit's pre-activation and the distance of a point.

        Both come with their certificates, checked and saved; "undecided" where time ran out.

        Args:
            polytope: any.
            unit: an inactive one.
            point: (d,).
            name: certificates' names start with it.
        """
        # A fresh copy of the layer: what was cached in the old one does not go to a process.
        given = _Given(
            replace(polytope.layer),
            unit,
            point,
            self.folder,
            name,
            polytope.n_units if isinstance(polytope, RegionPolytope) else None,
            MOST_SAVED,
        )
        done = in_time(_solved, given, seconds=self.seconds)
        reason = f"{OUT_OF_TIME} of {self.seconds:g} seconds for a vertex" if done.reason else ""
        if done.reason and not done.reason.startswith("given up"):
            reason = done.reason
        entry: Entry = {
            "exact_value": None,
            "status": LPStatus.UNDECIDED.name.lower(),
            "reason": reason,
            "exact_is_vertex": False,
            "certificate": None,
            "point": None,
            "distance_linf": None,
            "distance_status": "undecided",
            "distance_reason": reason,
            "distance_certificate": None,
        }
        for found in done.items:
            entry |= found
        return entry


@dataclass(frozen=True)
class _Given:
    layer: Layer
    unit: int
    point: np.ndarray
    folder: Path
    name: str
    composed: int | None  # units of the layer, where rows of a region stand behind them
    most_saved: int


def _solved(given: _Given) -> Iterator[Entry]:
    """Runs in a process of its own: first the minimum, then the distance."""
    polytope = CollisionPolytope(given.layer)
    best = polytope.unit_vertex(given.unit)
    solved = best.status is LPStatus.OPTIMAL
    yield {
        "exact_value": best.value,
        "status": best.status.name.lower(),
        "reason": best.reason,
        "exact_is_vertex": best.is_vertex,
        "certificate": _kept(given, "minimum", best.certificate),
        "point": best.point_float().tolist() if solved else None,
    }
    near = polytope.nearest(given.point, norm="linf")
    yield {
        "distance_linf": near.distance,
        "distance_status": near.status.name.lower(),
        "distance_reason": near.reason,
        "distance_certificate": _kept(given, "distance", near.certificate),
    }


def _kept(given: _Given, what: str, certificate: Certificate | None) -> Entry | None:
    """The entry of a certificate, checked, and saved where the set is not too large."""
    if certificate is None:
        return None
    name, states = f"{given.name}-{what}", Entry()
    if given.composed is not None:
        name += IN_REGION
        states["units"] = (
            f"0 to {given.composed - 1}: the layer composed with those before it; from "
            f"{given.composed} on: rows of the linear region; see certificates/about.md"
        )
    if prod(given.layer.weight.shape) <= given.most_saved:
        kept: Entry = jsonable(Proofs(given.folder).keep(name, certificate))
        return kept | states
    return {"file": None, "claim": verify(certificate)} | states


def gap(value: Fraction, entry: Entry) -> Fraction | None:
    """Returns how far a found value lies above the exact minimum; None without one."""
    best: Fraction | None = entry["exact_value"]
    return None if best is None else value - best
