"""What do `find` and `compare` find out?  Their results, as records keep them."""

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from experiments.measure.collisions import Meanings
from experiments.measure.compared import Missed
from experiments.measure.interpolation import Interpolation
from experiments.measure.search import SearchSummary
from experiments.own.solver import Distance, Lowest
from experiments.run.outcomes import Key
from experiments.run.words import counted

#: Statuses of a search that did not end by itself.
LIMITS = ("step_limit", "time_limit")


@dataclass(frozen=True, kw_only=True)
class FoundVertex:
    """One relaxed vertex, measured in floats; None for what is not finite.

    Attributes:
        unit: pushed down.
        pre_activation: of that unit.
        equality_residual: largest error of an active unit.
        violation: largest positive pre-activation of an inactive unit.
        status, steps: of its search.
        moved: l2 distance from the target, in the input.
    """

    unit: int
    pre_activation: float | None
    equality_residual: float | None
    violation: float | None
    status: str
    steps: int
    moved: float | None


@dataclass(frozen=True, kw_only=True)
class Against:
    """A found point against the exact set of one space; None for what was not computed.

    Attributes:
        missed: how far it misses the rows of the set.
        n_tight, is_vertex: rows that it meets, and whether it is a vertex of the set.
        minimum: the exact one of its unit.
        gap: the unit's value there less the minimum.
        distance: to the set.
    """

    missed: Missed | None
    n_tight: int | None = None
    is_vertex: bool | None = None
    minimum: Lowest | None = None
    gap: Fraction | None = None
    distance: Distance | None = None


@dataclass(frozen=True, kw_only=True)
class AgainstRegion(Against):
    """The same in the network's input space, where the set lies in the target's linear region.

    Attributes:
        decisions_differ: ReLUs and max-pools that decide otherwise than at the target.
        in_region: whether none does.
    """

    decisions_differ: int
    in_region: bool


@dataclass(frozen=True, kw_only=True)
class ComparedVertex:
    """A found vertex against the exact sets, in the layer's own space and in the network's."""

    unit: int
    layer: Against
    input: AgainstRegion | None

    @property
    def exact_point(self) -> tuple[float, ...] | None:
        """The exact vertex in the network's input: of the region, or of a first layer."""
        minimum = (self.input or self.layer).minimum
        return None if minimum is None else minimum.point


@dataclass(frozen=True, kw_only=True)
class Searched:
    """A relaxed search of a network of the user's own.

    Attributes:
        model, layer: as they were named.
        weights: where they are from.
        remarks: how bounds and files were changed to be those of an input.
        bounds: of every number of the input.
        search: how it went.
        vertices: that were found.
    """

    model: str
    layer: str
    weights: str
    remarks: tuple[str, ...]
    bounds: tuple[float, float] | None
    search: SearchSummary
    vertices: tuple[FoundVertex, ...] | tuple[ComparedVertex, ...]

    @property
    def limit_note(self) -> str:
        """Says which searches a limit ended; "" where none did."""
        units = [each.unit for each in self.vertices]
        pairs = zip(units, self.search.status, strict=True)
        ended = [str(unit) for unit, status in pairs if status in LIMITS]
        if not ended:
            return ""
        some = ", ".join(ended[:8]) + (", ..." if len(ended) > 8 else "")
        which, were = ("unit", "was") if len(ended) == 1 else ("units", "were")
        return (
            f"limit: {len(ended)} of {counted(len(self.vertices), 'searches')} ({which} {some}) "
            f"{were} ended by --steps or --max-seconds"
        )


@dataclass(frozen=True, kw_only=True)
class Found(Searched):
    """What `collide find` found.

    Attributes:
        target_sha256: of the target's numbers as float64.
        n_inputs, n_units, n_positive: d, N, and N+ in the float run.
        relu_checked: whether it is known that a ReLU follows.
    """

    SCHEMA: ClassVar[str] = "collision-polytopes/find/2"

    target_sha256: str
    n_inputs: int
    n_units: int
    n_positive: int
    relu_checked: bool
    vertices: tuple[FoundVertex, ...]


@dataclass(frozen=True)
class VertexKey(Key[ComparedVertex]):
    """Names a vertex by its place in the search."""

    WORK = "vertex"
    index: int


@dataclass(frozen=True, kw_only=True)
class LayerSpaceSummary:
    """The exact set in the layer's own space.

    Attributes:
        domain, words: where what enters the layer may lie, and why.
        is_first: whether that is the network's input itself.
        n_inputs, n_units, products: sizes.
        n_positive, ties: active units, and zeros; None where the layer was not written out.
        left_out: what was not done, in sentences.
    """

    domain: str
    words: str
    is_first: bool
    n_inputs: int
    n_units: int
    products: int
    n_positive: int | None
    ties: int | None
    left_out: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RegionSummary:
    """The exact set in the network's input, inside the linear region of the target.

    Attributes:
        domain: of the input, in words.
        n_inputs: d.
        decisions: of the ReLUs and max-pools before the layer.
        region_rows, region_ties: rows that say them, and how many the target meets.
        units: what the units of its certificates are.
    """

    domain: str
    n_inputs: int
    decisions: int
    region_rows: int
    region_ties: int
    units: str


@dataclass(frozen=True, kw_only=True)
class InputSpaceSummary:
    """That set, or why it was left out."""

    left_out: str | None
    region: RegionSummary | None


@dataclass(frozen=True, kw_only=True)
class PointMeanings(Meanings):
    """In which senses one point collides.

    Attributes:
        point: "relaxed", or "exact, rounded".
        unit: whose vertex it is.
        image: its file in the run folder.
        network_tolerance: the least at which it collides in the network's exact arithmetic.
    """

    point: str
    unit: int
    image: str | None
    network_tolerance: Fraction | None


@dataclass(frozen=True, kw_only=True)
class Comparison(Searched):
    """What `collide compare` found.

    Attributes:
        device, dtype: of the float runs.
        layer_space: the exact set in the layer's own space.
        input_space: that in the network's input; None where it was not asked for.
        meanings: in which senses found points and exact vertices collide.
        interpolation: random convex combinations of the found points.
    """

    SCHEMA: ClassVar[str] = "collision-polytopes/compare/2"

    device: str
    dtype: str
    layer_space: LayerSpaceSummary
    input_space: InputSpaceSummary | None
    vertices: tuple[ComparedVertex, ...]
    meanings: tuple[PointMeanings, ...]
    interpolation: tuple[Interpolation, ...]
