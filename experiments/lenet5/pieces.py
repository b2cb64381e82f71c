"""How far do exact collisions reach beyond the target's linear region?  Pieces, each certified."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.lenet5.case import NETWORKS, DeepCase
from experiments.lenet5.sets import keep
from experiments.measure.entries import lp_entry
from experiments.run.jobs import Outcome
from experiments.run.limited import in_time
from optimize import exact_network
from polytope import Box, LPStatus
from polytope.network.neighbours import Piece, explore
from polytope.network.region import linear_region
from polytope.network.region_polytope import region_polytope

Entry = dict[str, Any]


@dataclass(frozen=True, eq=False)
class PiecesJob:
    """Pieces next to the target's, found along the descent of each unit of the case.

    Attributes:
        case: layer, target and units.
        pieces: at most so many a unit.
        seconds: for all units together.
    """

    case: DeepCase
    pieces: int
    seconds: float

    @property
    def key(self) -> str:
        """The row's name."""
        return f"pieces.{self.case.name}"

    def run(self, folder: Path) -> Outcome:
        """Explores, certifies and checks."""
        found = in_time(_explored, (self, folder), seconds=self.seconds)
        units: dict[int, Entry] = {}
        arrays = {}
        for unit, number, values, points in found.items:
            if number is None:
                units[unit] = values
                if points:
                    arrays[f"unit{unit}"] = np.array(points)
            else:
                piece = units[unit]["pieces"][number]
                certificates = piece["certificates"] | values.pop("certificates")
                piece |= values | {"certificates": certificates}
        results = {"units": list(units.values()), "reason": found.reason, "limit": self.pieces}
        return Outcome(results, arrays)


#: Unit, number of a piece or None for all of them, values, points.
_Found = tuple[int, int | None, Entry, list[list[float]]]


def _explored(given: tuple[PiecesJob, Path]) -> Iterator[_Found]:
    """Yields the pieces of each unit, then what takes longer: check and dimension, one by one."""
    job, folder = given
    case = job.case
    share = 0.5 * job.seconds / len(case.units)
    later: list[tuple[int, int, Piece]] = []
    for unit in case.units:
        found = explore(case.pixel_polytope, unit, max_pieces=job.pieces, max_seconds=share)
        later += [(unit, number, piece) for number, piece in enumerate(found.pieces)]
        points = [
            [] if piece.optimum.point is None else piece.optimum.point.to_float().tolist()
            for piece in found.pieces
        ]
        entry = {
            "unit": unit,
            "pieces": [_piece_entry(piece) for piece in found.pieces],
            "complete": found.complete,
            "reason": found.reason,
        }
        yield unit, None, entry, points if all(points) else []
    for unit, number, piece in later:
        kept = keep(piece.polytope, folder, f"piece-{case.name}-{unit}-{number}-optimum")
        proof = kept(piece.optimum.certificate)
        yield unit, number, {"certificates": {"optimum": proof}}, []
    for unit, number, piece in later:
        dimension = piece.polytope.dimension()
        kept = keep(piece.polytope, folder, f"piece-{case.name}-{unit}-{number}-dimension")
        proofs = {"dimension": kept(dimension.certificate)}
        yield unit, number, {"dimension": dimension.value, "certificates": proofs}, []


def _piece_entry(piece: Piece) -> Entry:
    """What a record keeps of one piece before its check and its dimension are there."""
    return {
        **lp_entry(piece.optimum),
        "parent": piece.parent,
        "dimension": None,
        "certificates": {"optimum": None, "dimension": None},
    }


@dataclass(frozen=True, eq=False)
class OwnRegionJob:
    """Is there an exact collision in the linear region of a found point?

    Attributes:
        case: layer, target and units.
        name: of the set of points.
        points: (k, 784), one for each unit of the case.
        seconds: for all of them.
    """

    case: DeepCase
    name: str
    points: NDArray[np.float64] = field(repr=False)
    seconds: float

    @property
    def key(self) -> str:
        """The row's name."""
        return f"own.{self.case.name}.{self.name}"

    def run(self, folder: Path) -> Outcome:
        """Decides, certifies and checks."""
        found = in_time(_own_regions, (self, folder), seconds=self.seconds)
        points = [point for _, point in found.items if point is not None]
        arrays = {"points": np.array(points)} if points else {}
        return Outcome({"points": [e for e, _ in found.items], "reason": found.reason}, arrays)


def _own_regions(given: tuple[OwnRegionJob, Path]) -> Iterator[tuple[Entry, list[float] | None]]:
    """Yields (entry, the exact minimum in the point's own region or None), a point each."""
    job, folder = given
    case = job.case
    network = exact_network(case.model, case.layer, NETWORKS[case.network][1])
    wanted = _activation(case)
    for unit, x in zip(case.units, job.points, strict=True):
        polytope = region_polytope(linear_region(network, x), activation=wanted, domain=Box(0, 1))
        found = polytope.feasibility()
        name = f"own-{case.name}-{job.name}-{unit}"
        proof = keep(polytope, folder, f"{name}-feasibility")(found.certificate)
        entry: Entry = {"unit": unit, "feasible": found.feasible}
        if not found.feasible:
            yield entry | {"certificates": {"empty": proof}}, None
            continue
        result = polytope.unit_vertex(unit)
        proofs = {
            "point": proof,
            "minimum": keep(polytope, folder, f"{name}-minimum")(result.certificate),
        }
        point = result.point_float().tolist() if result.status is LPStatus.OPTIMAL else None
        yield entry | {"minimum": lp_entry(result), "certificates": proofs}, point


def _activation(case: DeepCase) -> tuple[Fraction, ...]:
    """The target's exact post-activation, through the whole network."""
    found: tuple[Fraction, ...] = case.pixel_polytope.map.layer.post_activation
    return found


def growth(
    units: list[Mapping[str, Any]], arrays: Mapping[str, NDArray[np.float64]]
) -> list[Entry]:
    """Returns how the known set grows with the number of pieces a unit.

    For k = 1, 2, ...: the points where each unit is least among its first k pieces.  Units without
    a proved point in their first piece are left out.

    Args:
        units: entries of a `PiecesJob`.
        arrays: its arrays.
    """
    from experiments.measure.distances import mean_pairwise

    shown = [each for each in units if f"unit{each['unit']}" in arrays]
    most = max((len(each["pieces"]) for each in shown), default=0)
    rows = []
    for count in range(1, most + 1):
        points, values = [], []
        for each in shown:
            known = [_float(piece["value"]) for piece in each["pieces"][:count]]
            best = int(np.argmin(known))
            points.append(arrays[f"unit{each['unit']}"][best])
            values.append(known[best])
        rows.append(
            {
                "pieces": count,
                "units": len(points),
                "distance": mean_pairwise(np.array(points)) if len(points) > 1 else None,
                "mean_value": float(np.mean(values)),
            }
        )
    return rows


def _float(value: Any) -> float:
    return float(value["approx"] if isinstance(value, Mapping) else value)
