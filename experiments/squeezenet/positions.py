"""What is conv10's collision polytope, position by position, and where do the found points lie?

A 1 x 1 convolution sees each position by itself: at x >= 0 the set is the product of one polytope a
position, 1,000 units on 512 inputs.  Each is asked exactly, the certificates are saved.  Where one
is a single point, everything that truly collides has the target's own numbers there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from experiments.images.results import ImageResults
from experiments.measure.compared import compare_point
from experiments.measure.facts import Fact, Facts, ask, sizes_of
from experiments.measure.minimum import Minimum
from experiments.run.files import open_run_folder
from experiments.run.jobs import FILE_NAME, run_kept
from experiments.run.outcomes import Key, Outcome
from experiments.run.progress import Progress
from experiments.run.proofs import FOLDER, Proof, Proofs
from experiments.run.rows import RowFile
from experiments.squeezenet.conv10 import Conv10
from experiments.squeezenet.dimension import Dimension, limited_dimension
from experiments.squeezenet.options import SqueezeNetOptions
from experiments.squeezenet.results import (
    CertifiedPosition,
    ChosenUnit,
    Positions,
    SqueezeNetResults,
)
from polytope import Certificate, CollisionPolytope
from polytope.sets.layer import relu_layer

#: Fact -> what ends the name of its certificate.
_NAMES: dict[Fact, str] = {"boundedness": "bounded", "rank": "rank", "kernel": "kernel"}


@dataclass(frozen=True)
class PositionKey(Key[CertifiedPosition]):
    """One position of conv10."""

    WORK = "position"
    position: int


@dataclass(frozen=True)
class Chosen:
    """A unit that a vertex of each set pushed down.

    Attributes:
        number: in the layer, row-major (class, position).
        index: its class, which is its number at its position.
        vertex: row of its vertex in each set.
    """

    number: int
    index: int
    vertex: int


@dataclass(frozen=True)
class PositionJob:
    """One position of conv10, and the chosen units there."""

    position: int
    chosen: tuple[Chosen, ...]

    @property
    def key(self) -> PositionKey:
        """Names it."""
        return PositionKey(self.position)

    def run(self, folder: Path) -> Outcome[CertifiedPosition]:
        """Facts, the chosen units' exact vertices, and how the found points differ here."""
        whole = Conv10.read(folder)
        layer, name = whole.at(self.position), f"conv10-{self.position}"
        polytope, proofs = layer.polytope(), Proofs(folder)
        dimension = limited_dimension(polytope, layer, folder, name)
        points = {key: block[:, self.position] for key, block in whole.found.items()}

        def unit(chosen: Chosen) -> ChosenUnit:
            exact = polytope.unit_vertex(chosen.index)
            start = f"conv10-unit{chosen.number}-class{chosen.index}"
            proof = proofs.keep(f"{start}-vertex", exact.certificate)
            minimum = Minimum.of(chosen.index, exact, proof)
            return ChosenUnit(
                unit=chosen.number,
                minimum=minimum,
                target_value=relu_layer(polytope.layer).pre_activation(chosen.index),
                found={
                    key: compare_point(
                        polytope, block[chosen.vertex], minimum, proofs, f"{start}-nearest-{key}"
                    )
                    for key, block in points.items()
                },
            )

        return Outcome(
            CertifiedPosition(
                position=self.position,
                support=int((layer.target > 0).sum()),
                facts=_facts(polytope, dimension, proofs, name),
                dimension_reason=dimension.reason,
                units=tuple(map(unit, self.chosen)),
                tolerance={
                    key: tuple(polytope.residuals(x).smallest_tolerance for x in block)
                    for key, block in points.items()
                },
            )
        )


def _facts(polytope: CollisionPolytope, dimension: Dimension, proofs: Proofs, name: str) -> Facts:
    """Dimension, boundedness, rank and kernel condition, each certificate kept."""

    def keep(fact: Fact, certificate: Certificate | None) -> Proof | None:
        return proofs.keep(f"{name}-{_NAMES[fact]}", certificate)

    known = replace(
        sizes_of(polytope, "nonnegative"),
        dimension=dimension.value,
        certificates={"dimension": dimension.proof},
    )
    for fact in _NAMES:
        known = ask(known, fact, polytope, keep)
    return known


def certify_positions(
    layer: Conv10,
    results: ImageResults,
    folder: Path,
    options: SqueezeNetOptions,
    progress: Progress,
) -> Positions:
    """Returns what is known exactly of conv10's set and of the found points.

    Args:
        layer: taken apart.
        results: of the run at this layer.
        folder: of that run.
        options: how many positions besides those of the units, and processes.
        progress: reports.
    """
    open_run_folder(folder / FOLDER)
    layer.write(folder)
    count, units = len(layer.target), results.sets[0].search.units
    chosen = [Chosen(unit, unit // count, vertex) for vertex, unit in enumerate(units)]
    jobs = [
        PositionJob(position, tuple(c for c in chosen if c.number % count == position))
        for position in spread_positions(count, options.positions, [u % count for u in units])
    ]
    identity = {str(one): one.search.sha256 for one in results.sets}
    path, schema = folder / f"positions-{FILE_NAME}", SqueezeNetResults.SCHEMA
    with RowFile(path, options=identity, schema=schema) as kept:
        done = run_kept(jobs, folder, kept, workers=options.workers, progress=progress)
    lengths = np.linalg.norm(layer.target.astype(np.float64), axis=1)
    return Positions(
        side=layer.side,
        units=units,
        titles={
            str(one): f"{results.recipes[one.recipe].title}, start: {one.start}"
            for one in results.sets
        },
        certified=tuple(done[job.key].results for job in jobs),
        n_positive=tuple(layer.active().tolist()),
        target_length=tuple(lengths.tolist()),
        moved={
            key: tuple(map(tuple, layer.moved(points).tolist()))
            for key, points in layer.found.items()
        },
        exact={key: tuple(map(layer.tolerance, points)) for key, points in layer.found.items()},
    )


def spread_positions(count: int, wanted: int, besides: Sequence[int]) -> list[int]:
    """Returns evenly spread positions, and some others."""
    even = np.linspace(0, count - 1, min(wanted, count)).round().astype(int).tolist()
    return sorted({*even, *besides})
