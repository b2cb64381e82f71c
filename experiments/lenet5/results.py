"""What does the record of `collide lenet5` hold?  All that its tables, figures and report show."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import ClassVar

from experiments.measure.collisions import Meanings
from experiments.measure.compared import Placed
from experiments.measure.distances import Distances, ImageDistance
from experiments.measure.facts import Facts
from experiments.measure.interpolation import Interpolation
from experiments.measure.judged import Judged
from experiments.measure.minimum import Minimum
from experiments.measure.sampling import Verdict
from experiments.measure.search import SearchSummary
from experiments.models.summary import NetworkSummary
from experiments.run.proofs import Proof

#: Network -> what a table calls it.
TITLES = {"lenet5": "LeNet-5", "mlp": "MLP"}


@dataclass(frozen=True, kw_only=True)
class Image:
    """A test image, and what each network says of it."""

    index: int
    label: int
    seen: Mapping[str, Verdict]


@dataclass(frozen=True, kw_only=True)
class SpaceFacts:
    """The facts of a layer's set in one space.

    Attributes:
        space: "layer" or "pixels".
        reason: why some were given up, else "".
        facts: as far as they were proved; None where even the sizes took too long.
        region_rows: in pixels, rows of the linear region.
        region_ties: of them, those the target lies on.
    """

    space: str
    reason: str
    facts: Facts | None
    region_rows: int | None = None
    region_ties: int | None = None


@dataclass(frozen=True, kw_only=True)
class Combinations:
    """What the network says of vertices and of their convex combinations.

    Attributes:
        classes: of vertices that are images.
        pixels: scheme -> of combinations of the images; empty without images.
        layer: scheme -> of combinations of what enters the layer.
    """

    classes: tuple[Verdict, ...] = ()
    pixels: Mapping[str, Judged] = field(default_factory=dict)
    layer: Mapping[str, Judged]


@dataclass(frozen=True, kw_only=True)
class Through:
    """A found image put through the whole network in exact arithmetic.

    Attributes:
        unit: that it was to push down.
        found_value: the unit's pre-activation.
        smallest_tolerance: at which it collides.
        decisions: of the ReLUs and max-pools before the layer.
        differences: of them, those that differ from the target's.
    """

    unit: int
    found_value: Fraction
    smallest_tolerance: Fraction
    decisions: int
    differences: int


@dataclass(frozen=True, kw_only=True)
class Measures:
    """What is known of found images, one for each unit of a case.

    Attributes:
        layer: what enters the layer at each, in the exact set of the layer's own space.
        pixels: each through the whole network.
        meanings: in which senses each collides.
        combinations: what the network says of them.
        shares: scheme -> how many combinations collide.
    """

    layer: tuple[Placed, ...]
    pixels: tuple[Through, ...]
    meanings: tuple[Meanings, ...]
    combinations: Combinations
    shares: Mapping[str, Interpolation]


@dataclass(frozen=True, kw_only=True)
class RelaxedSet(Measures):
    """The relaxed vertices of one family from one start.

    Attributes:
        family: of `experiments.measure.search.FAMILIES`.
        start: "target" or "other".
        search: of their units.
        distances: "pixels" or "layer" -> of the vertices there.
    """

    family: str
    start: str
    search: SearchSummary
    distances: Mapping[str, Distances] = field(default_factory=dict)

    @property
    def array(self) -> str:
        """Name of its points in `vertices.npz`, after the layer's."""
        return f"{self.family}.{self.start}"


@dataclass(frozen=True, kw_only=True)
class ExactSet:
    """The exact vertices of a case's units in one space.

    Attributes:
        space: "layer" or "pixels".
        vertices: of the units that were reached.
        reason: why some were given up, else "".
        combinations: of two vertices or more.
        distances: likewise, by space.
    """

    start: ClassVar[None] = None
    space: str
    vertices: tuple[Minimum, ...]
    reason: str
    combinations: Combinations | None = None
    distances: Mapping[str, Distances] = field(default_factory=dict)

    @property
    def array(self) -> str:
        """Name of its points in `vertices.npz`, after the layer's."""
        return f"exact.{self.space}"

    @property
    def solved(self) -> tuple[int, ...]:
        """The units that were solved: of each there is a point."""
        return tuple(each.unit for each in self.vertices if each.status == "optimal")


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A polytope of exact collisions in one linear region.

    Attributes:
        optimum: of the unit in it; its certificate where it was checked in time.
        parent: number of the piece it was entered from; None for the target's own.
        dimension: None where it was not proved in time.
        dimension_certificate: of it.
    """

    optimum: Minimum
    parent: int | None
    dimension: int | None = None
    dimension_certificate: Proof | None = None


@dataclass(frozen=True, kw_only=True)
class UnitPieces:
    """The pieces along one unit's descent, whether they are all that could help, and why not."""

    unit: int
    pieces: tuple[Piece, ...]
    complete: bool
    reason: str


@dataclass(frozen=True, kw_only=True)
class Growth:
    """How far the known set reaches with so many pieces a unit.

    Attributes:
        pieces: a unit, at most.
        units: with a proved point.
        distance: mean l2 over pairs of the units' best points; None for a single one.
        mean_value: mean least pre-activation.
    """

    pieces: int
    units: int
    distance: float | None
    mean_value: float


@dataclass(frozen=True, kw_only=True)
class Pieces:
    """The pieces next to the target's, unit by unit; why some were given up; the most asked for."""

    units: tuple[UnitPieces, ...]
    reason: str
    limit: int
    growth: tuple[Growth, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OwnPoint:
    """Whether the linear region of a found point holds an exact collision.

    Attributes:
        unit: of the point.
        feasible: None where it is undecided.
        certificate: of a point there, or that there is none.
        minimum: of the unit there.
    """

    unit: int
    feasible: bool | None
    certificate: Proof | None
    minimum: Minimum | None = None


@dataclass(frozen=True, kw_only=True)
class OwnRegions:
    """The same for the points of one search that were reached, and why some were given up."""

    family: str
    start: str
    points: tuple[OwnPoint, ...]
    reason: str


@dataclass(frozen=True, kw_only=True)
class Layer:
    """Everything about one layer of one network.

    Attributes:
        network: "lenet5" or "mlp".
        layer: its name there.
        units: whose vertices are asked for.
        layer_distance: mean l2 of what enters the layer at the first `layer_images` test images.
        layer_images: how many.
        facts: in each of its spaces.
        relaxed: sets of vertices.
        exact: in each of its spaces.
        pieces: None for a first layer, or where none were asked for.
        own_regions: likewise.
    """

    network: str
    layer: str
    units: tuple[int, ...]
    layer_distance: float
    layer_images: int
    facts: tuple[SpaceFacts, ...]
    relaxed: tuple[RelaxedSet, ...]
    exact: tuple[ExactSet, ...]
    pieces: Pieces | None
    own_regions: tuple[OwnRegions, ...]

    @property
    def name(self) -> str:
        """Network and layer, for files and arrays."""
        return f"{self.network}-{self.layer}"

    @property
    def title(self) -> str:
        """What a table calls it, e.g. "LeNet-5 fc1"."""
        return f"{TITLES[self.network]} {self.layer}"

    @property
    def is_first(self) -> bool:
        """Whether it reads the pixels, so that there is one space only."""
        return len(self.facts) == 1

    @property
    def sets(self) -> Iterator[RelaxedSet | ExactSet]:
        """Every set of vertices."""
        yield from self.relaxed
        yield from self.exact


@dataclass(frozen=True, kw_only=True)
class Lenet5Results:
    """Everything that `collide lenet5` found."""

    SCHEMA: ClassVar[str] = "collision-polytopes/lenet5/2"

    networks: Mapping[str, NetworkSummary]
    target: Image
    other: Image
    images: ImageDistance
    layers: tuple[Layer, ...]
