"""What does the record of `collide mnist` hold?  All that its tables, figures and report show."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from experiments.measure.compared import Compared
from experiments.measure.distances import Distances, ImageDistance, Move
from experiments.measure.facts import Facts
from experiments.measure.minimum import Minimum
from experiments.measure.sampling import Combined, Verdict
from experiments.measure.search import SearchSummary
from experiments.models.summary import NetworkSummary
from experiments.run.proofs import Proof


@dataclass(frozen=True, kw_only=True)
class Image:
    """A test image, and what the network says of it."""

    index: int
    label: int
    seen: Verdict


@dataclass(frozen=True, kw_only=True)
class Control:
    """Pixels that a control holds, and how many of them the target lights."""

    pixels: int
    lit_in_target: int


@dataclass(frozen=True, kw_only=True)
class SetMeasures(Distances):
    """How large a set of vertices is, and what the network says of it.

    Attributes:
        classes: of each vertex.
        combinations: scheme -> of random convex combinations.
    """

    classes: tuple[Verdict, ...]
    combinations: Mapping[str, Combined]


@dataclass(frozen=True, kw_only=True)
class ExactSet:
    """The exact vertices of the units under one control; `measured` of two or more."""

    family: ClassVar[str] = "exact"
    start: ClassVar[None] = None
    control: str
    vertices: tuple[Minimum, ...]
    measured: SetMeasures | None = None

    @property
    def array(self) -> str:
        """Name of its points in `vertices.npz`."""
        return f"exact.{self.control}"

    @property
    def solved(self) -> tuple[int, ...]:
        """The units that were solved: of each there is a point."""
        return tuple(each.unit for each in self.vertices if each.status == "optimal")


@dataclass(frozen=True, kw_only=True)
class RelaxedSet:
    """The relaxed vertices of one search, each beside the exact one."""

    family: str
    start: str
    control: str
    search: SearchSummary
    comparisons: tuple[Compared, ...]
    measured: SetMeasures | None = None

    @property
    def array(self) -> str:
        """Name of its points in `vertices.npz`."""
        return f"relaxed.{self.family}.{self.start}.{self.control}"


VertexSet = ExactSet | RelaxedSet


@dataclass(frozen=True, kw_only=True)
class Looks:
    """What the network says of a collision; label and l2 distance of the nearest training image."""

    seen: Verdict
    nearest_training_label: int
    nearest_training_distance: float


@dataclass(frozen=True, kw_only=True)
class NearPoint:
    """The collision nearest to an image in one norm.

    Attributes:
        status: "exact", "bounded", ...
        distance: exact; None where there are bounds only.
        lower: proved.
        upper: proved; None without a point.
        reason: why nothing was proved.
        certificate: of the distance.
        to_target: from the collision; None without a point.
        to_image: likewise.
        looks: likewise.
    """

    status: str
    distance: Fraction | None
    lower: float
    upper: float | None
    reason: str
    certificate: Proof | None
    to_target: Move | None = None
    to_image: Move | None = None
    looks: Looks | None = None


@dataclass(frozen=True, kw_only=True)
class Near:
    """The collisions nearest to one image.

    Attributes:
        tolerance: within which they collide.
        image_tolerance: at which the image itself collides, exact.
        norms: "linf", "l1" or "l2" -> the nearest.
    """

    tolerance: float
    image_tolerance: Fraction
    norms: Mapping[str, NearPoint]


@dataclass(frozen=True, kw_only=True)
class NearDigit:
    """The same for the image of a digit; the image's own distance to the target beside it."""

    digit: int
    image: Image
    image_to_target: Move
    near: Near


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Tolerance against distance to another digit's image.

    Attributes:
        image: the other digit's.
        image_tolerance: at which it collides itself.
        points: one a tolerance of the grid.
        first_other_class: least tolerance of the grid whose l2 nearest collision is of another
            class than the target; None where there is none.
        first_other_neighbour: the same of the label of its nearest training image.
    """

    image: Image
    image_tolerance: Fraction | None
    points: tuple[Near, ...]
    first_other_class: float | None
    first_other_neighbour: float | None


@dataclass(frozen=True, kw_only=True)
class MnistResults:
    """Everything that `collide mnist` found; relaxed sets without a control come first."""

    SCHEMA: ClassVar[str] = "collision-polytopes/mnist/2"

    network: NetworkSummary
    layer: str
    target: Image
    other: Image
    units: tuple[int, ...]
    images: ImageDistance
    controls: Mapping[str, Control]
    facts: tuple[Facts, ...]
    relaxed: tuple[RelaxedSet, ...]
    exact: tuple[ExactSet, ...]
    nearest: tuple[NearDigit, ...]
    curve: Curve

    @property
    def sets(self) -> Iterator[VertexSet]:
        """Every set of vertices."""
        yield from self.relaxed
        yield from self.exact
