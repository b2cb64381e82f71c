"""What does the record of `collide small` hold?  All that its tables, figures and report show."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from experiments.measure.compared import Compared
from experiments.measure.facts import Facts
from experiments.measure.inequalities import Facets
from experiments.measure.minimum import Minimum
from experiments.measure.search import SearchSummary
from experiments.measure.set_measures import Ball, MeanDistance, Measured, Volume
from experiments.measure.uniqueness import Uniqueness
from experiments.run.proofs import Proof


@dataclass(frozen=True, kw_only=True)
class Data:
    """The points: how many train and test, in which box; the share of the images' variance kept."""

    name: str
    dimension: int
    n_train: int
    n_test: int
    classes: int
    variance: float
    lower: tuple[float, ...]
    upper: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Network:
    """The network in words, the layer, its test accuracy, the penalty on its mean activation."""

    architecture: str
    layer: str
    accuracy: float
    sparsity: float


@dataclass(frozen=True, kw_only=True)
class Target:
    """The set of one test point, its vertices listed completely.

    Attributes:
        index: among the test points.
        label: its class.
        winner: the network's.
        n_positive: N+.
        paper_bound: d - N+.
        dimension: of the set; None where the list is not proved complete.
        vertices: how many; likewise.
        status: of the list.
        certificate: of it.
    """

    index: int
    label: int
    winner: int
    n_positive: int
    paper_bound: int
    dimension: int | None
    vertices: int | None
    status: str
    certificate: Proof | None


@dataclass(frozen=True, kw_only=True)
class ActiveUnits:
    """All test points with one number of active units.

    Attributes:
        n_positive: N+.
        paper_bound: d - N+.
        targets: how many.
        certified: with a complete list.
        dimensions: that occur, rising.
        alone: of dimension 0.
        least: vertices of a set; None where none was listed.
        median: likewise.
        largest: likewise.
    """

    n_positive: int
    paper_bound: int
    targets: int
    certified: int
    dimensions: tuple[int, ...]
    alone: int
    least: int | None
    median: float | None
    largest: int | None


@dataclass(frozen=True, kw_only=True)
class Listed:
    """The vertices of the target's set: the list, its facets, the largest ball."""

    status: str
    dimension: int
    count: int
    facets: Facets
    ball: Ball
    certificate: Proof | None


@dataclass(frozen=True, kw_only=True)
class Relaxed:
    """The relaxed vertices of every inactive unit, beside the exact ones."""

    search: SearchSummary
    comparisons: tuple[Compared, ...]


@dataclass(frozen=True, kw_only=True)
class MeanWidth:
    """The mean width over random directions of the affine hull, and its standard error."""

    value: float
    standard_error: float


@dataclass(frozen=True, kw_only=True)
class Interval:
    """Proved bounds."""

    lower: float
    upper: float


@dataclass(frozen=True, kw_only=True)
class Directed(Interval):
    """A directed distance, largest at the point of this index."""

    index: int


@dataclass(frozen=True, kw_only=True)
class Hull:
    """How much of the set the hull of some points shows.

    Attributes:
        points: how many.
        distinct: different ones.
        mean_pairwise_distance: of all of them.
        diameter: likewise.
        mean_width: of the hull.
        volume_ratio: of the hull, projected onto the set's affine hull, to the set; None without
            a volume.
        from_set: the largest distance from the set to the hull.
        from_hull: the other way.
        hausdorff: the larger.
    """

    points: int
    distinct: int
    mean_pairwise_distance: float
    diameter: float
    mean_width: MeanWidth
    volume_ratio: float | None
    from_set: Directed
    from_hull: Directed
    hausdorff: Interval


@dataclass(frozen=True, kw_only=True)
class WholeSet:
    """The set itself."""

    points: int
    mean_pairwise_distance: MeanDistance
    diameter: Measured
    mean_width: MeanWidth
    volume: Volume


@dataclass(frozen=True, kw_only=True)
class SmallResults:
    """Everything that `collide small` found.

    Attributes:
        data: the points.
        network: trained on them.
        target: the test point all else but `targets` is about.
        facts: of its set.
        uniqueness: likewise.
        vertices: likewise.
        units: exact minima of every inactive unit.
        relaxed: penalty -> found vertices of these units.
        hulls: "absolute", "hinge" (found vertices) and "units" (exact ones) -> their hull.
        whole: the set.
        targets: every test point.
        by_active_units: the same in groups.
    """

    SCHEMA: ClassVar[str] = "collision-polytopes/small/2"

    data: Data
    network: Network
    target: Target
    facts: Facts
    uniqueness: Uniqueness
    vertices: Listed
    units: tuple[Minimum, ...]
    relaxed: Mapping[str, Relaxed]
    hulls: Mapping[str, Hull]
    whole: WholeSet
    targets: tuple[Target, ...]
    by_active_units: tuple[ActiveUnits, ...]
