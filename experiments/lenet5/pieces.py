"""How far do exact collisions reach beyond the target's linear region?  Pieces, each certified."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from experiments.lenet5.case import DeepCase, InFolder, proofs_for
from experiments.lenet5.results import Growth, Piece, Pieces, UnitPieces
from experiments.measure.distances import mean_pairwise
from experiments.measure.minimum import Minimum
from experiments.run.limited import in_time
from experiments.run.outcomes import Key, Outcome
from polytope.network import neighbours


@dataclass(frozen=True)
class PiecesKey(Key[Pieces]):
    """The pieces of one layer's set, next to the target's."""

    WORK = "pieces"
    layer: str


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
    def key(self) -> PiecesKey:
        """The row's key."""
        return PiecesKey(self.case.name)

    def run(self, folder: Path) -> Outcome[Pieces]:
        """Explores, certifies and checks."""
        found = in_time(_explored, InFolder(self, folder), seconds=self.seconds)
        units, arrays = {}, {}
        for each in found.items:
            units[each.known.unit] = each.known
            if each.points:
                arrays[f"unit{each.known.unit}"] = np.array(each.points)
        results = Pieces(units=tuple(units.values()), reason=found.reason, limit=self.pieces)
        return Outcome(results, arrays)


@dataclass(frozen=True)
class _Explored:
    """The pieces of a unit as far as they are known, and where each attains its optimum, once."""

    known: UnitPieces
    points: list[list[float]] = field(default_factory=list)


def _explored(given: InFolder[PiecesJob]) -> Iterator[_Explored]:
    """Yields the pieces of each unit, then what takes longer: check and dimension, one by one."""
    job, case = given.job, given.job.case
    share = 0.5 * job.seconds / len(case.units)
    known: dict[int, UnitPieces] = {}
    every: dict[int, Sequence[neighbours.Piece]] = {}
    for unit in case.units:
        found = neighbours.explore(
            case.pixel_polytope, unit, max_pieces=job.pieces, max_seconds=share
        )
        every[unit] = found.pieces
        optima = [piece.optimum.point for piece in found.pieces]
        points = [point.to_float().tolist() for point in optima if point is not None]
        known[unit] = UnitPieces(
            unit=unit,
            pieces=tuple(
                Piece(optimum=Minimum.of(unit, piece.optimum, None), parent=piece.parent)
                for piece in found.pieces
            ),
            complete=found.complete,
            reason=found.reason,
        )
        yield _Explored(known[unit], points if len(points) == len(optima) else [])
    for what in _LATER:
        for unit, pieces in every.items():
            for number, piece in enumerate(pieces):
                entries = list(known[unit].pieces)
                entries[number] = _proved(entries[number], piece, what, given, number)
                known[unit] = replace(known[unit], pieces=tuple(entries))
                yield _Explored(known[unit])


_Later = Literal["optimum", "dimension"]
_LATER: tuple[_Later, ...] = ("optimum", "dimension")


def _proved(
    entry: Piece, piece: neighbours.Piece, what: _Later, given: InFolder[PiecesJob], number: int
) -> Piece:
    """What is known of a piece once its optimum was checked, or its dimension computed."""
    proofs = proofs_for(piece.polytope, given.folder)
    unit = entry.optimum.unit
    name = f"piece-{given.job.case.name}-{unit}-{number}-{what}"
    if what == "optimum":
        proof = proofs.keep(name, piece.optimum.certificate)
        return replace(entry, optimum=replace(entry.optimum, certificate=proof))
    found = piece.polytope.dimension()
    proof = proofs.keep(name, found.certificate)
    return replace(entry, dimension=found.value, dimension_certificate=proof)


def growth(
    units: Sequence[UnitPieces], arrays: Mapping[str, NDArray[np.float64]]
) -> tuple[Growth, ...]:
    """Returns how the known set grows with the number of pieces a unit.

    For k = 1, 2, ...: the points where each unit is least among its first k pieces.  Units without
    a proved point in their first piece are left out.

    Args:
        units: of a `PiecesJob`.
        arrays: its arrays.
    """
    shown = [each for each in units if f"unit{each.unit}" in arrays]
    most = max((len(each.pieces) for each in shown), default=0)
    rows = []
    for count in range(1, most + 1):
        points, values = [], []
        for each in shown:
            optima = (piece.optimum.value for piece in each.pieces[:count])
            known = [float(value) for value in optima if value is not None]
            best = int(np.argmin(known))
            points.append(arrays[f"unit{each.unit}"][best])
            values.append(known[best])
        distance = mean_pairwise(np.array(points)) if len(points) > 1 else None
        rows.append(
            Growth(
                pieces=count,
                units=len(points),
                distance=distance,
                mean_value=float(np.mean(values)),
            )
        )
    return tuple(rows)
