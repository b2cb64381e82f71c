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
    network: str
    control: str
    vertices: tuple[Minimum, ...]
    measured: SetMeasures | None = None

    @property
    def array(self) -> str:
        """Name of its points in `vertices.npz`."""
        return f"exact.{self.network}.{self.control}"

    @property
    def solved(self) -> tuple[int, ...]:
        """The units that were solved: of each there is a point."""
        return tuple(each.unit for each in self.vertices if each.status == "optimal")


@dataclass(frozen=True, kw_only=True)
class RelaxedSet:
    """The relaxed vertices of one search, each beside the exact one."""

    network: str
    family: str
    start: str
    control: str
    search: SearchSummary
    comparisons: tuple[Compared, ...]
    measured: SetMeasures | None = None

    @property
    def array(self) -> str:
        """Name of its points in `vertices.npz`."""
        return f"relaxed.{self.network}.{self.family}.{self.start}.{self.control}"


VertexSet = ExactSet | RelaxedSet


@dataclass(frozen=True, kw_only=True)
class Moment:
    """Where a search stands after some steps, all measured in floats.

    Attributes:
        step: taken so far.
        distance: mean l2 over the pairs of vertices.
        active: largest error of an active unit, over all vertices.
        inactive: largest positive pre-activation of an inactive unit, over all vertices; 0 if none.
        moved: mean l2 of the vertices from the start.
    """

    step: int
    distance: float
    active: float
    inactive: float
    moved: float


@dataclass(frozen=True, kw_only=True)
class Course:
    """The paper's recipe from one start, watched up to the limit of its steps.

    Attributes:
        start: "target" or "other".
        step_size: of the authors' optimiser.
        moments: at steps spaced evenly in their logarithm.
    """

    start: str
    step_size: float
    moments: tuple[Moment, ...]


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
class NetworkResults:
    """What was found on one network; relaxed sets without a control come first.

    Attributes:
        name: of the network, of `PRESETS`.
        network: how it was trained.
        target: the target, as this network sees it.
        other: likewise the second start.
        units: whose vertices these are, the first inactive ones.
        facts: of the target's set, by domain.
        relaxed: sets of a search.
        exact: sets of exact vertices.
        courses: the paper's recipe on its way, from each start.
        nearest: to each digit.
        curve: tolerance against distance.
    """

    name: str
    network: NetworkSummary
    target: Image
    other: Image
    units: tuple[int, ...]
    facts: tuple[Facts, ...]
    relaxed: tuple[RelaxedSet, ...]
    exact: tuple[ExactSet, ...]
    courses: tuple[Course, ...]
    nearest: tuple[NearDigit, ...]
    curve: Curve

    @property
    def sets(self) -> Iterator[VertexSet]:
        """Every set of vertices."""
        yield from self.relaxed
        yield from self.exact

    def search(self, family: str, start: str = "target", control: str = "none") -> RelaxedSet:
        """Returns the set that one search found."""
        wanted = (family, start, control)
        return next(s for s in self.relaxed if (s.family, s.start, s.control) == wanted)

    def vertices(self, control: str = "none") -> ExactSet:
        """Returns the exact vertices under one control."""
        return next(one for one in self.exact if one.control == control)


@dataclass(frozen=True, kw_only=True)
class MnistResults:
    """Everything that `collide mnist` found.

    Attributes:
        layer: whose collisions these are.
        images: distance of the test images.
        controls: by name; they know of no network.
        networks: in the order of `PRESETS`.
    """

    SCHEMA: ClassVar[str] = "collision-polytopes/mnist/3"

    layer: str
    images: ImageDistance
    controls: Mapping[str, Control]
    networks: tuple[NetworkResults, ...]

    @property
    def sets(self) -> Iterator[VertexSet]:
        """Every set of vertices of every network."""
        for each in self.networks:
            yield from each.sets
