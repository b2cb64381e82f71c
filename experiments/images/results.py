"""What does a run on pairs of images keep?  Its results, as the record has them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from experiments.images.facts import LimitedFacts
from experiments.images.measures import Accuracy, SeenPoint, SeenVertex, Spread
from experiments.measure.collisions import Meanings
from experiments.measure.judged import Ball, Judged
from experiments.measure.search import SearchSummary

#: Form of the vertices that is measured, an attribute of `SetMeasures` -> its name in tables.
FORMS = {"found": "as found (float32)", "png": "as 8-bit PNG, truncated"}


def class_title(names: Sequence[str], index: int) -> str:
    """Returns the name of a class, or its number where no name is known."""
    return names[index] if index < len(names) else f"class {index}"


@dataclass(frozen=True, kw_only=True)
class SetName:
    """Names a set of vertices by the recipe that found it and the picture it started from."""

    recipe: str
    start: str

    def __str__(self) -> str:
        return f"{self.recipe}.{self.start}"


@dataclass(frozen=True, kw_only=True)
class ImageDistances:
    """The mean l2 distance over all pairs of images; None for fewer than two.

    Attributes:
        count: images.
        pairs: of them.
        which: images, and how they came to their size.
        mean_distance: in grey levels.
    """

    count: int
    pairs: int
    which: str
    mean_distance: float | None


@dataclass(frozen=True, kw_only=True)
class LayerSizes:
    """Sizes of the layer and its target's set, counted from the float run.

    Attributes:
        n_inputs: d.
        input_shape: of what enters.
        n_units: N.
        n_positive: N+.
        paper_bound: d - N+.
        halfspaces: N - N+.
        zeros: pre-activations that are exactly 0.
        least_lines: d - N where that is positive: lines that the set contains with x free.
        entered_nonnegative: whether what enters at the target is >= 0.
    """

    n_inputs: int
    input_shape: tuple[int, ...]
    n_units: int
    n_positive: int
    paper_bound: int
    halfspaces: int
    zeros: int
    least_lines: int
    entered_nonnegative: bool


@dataclass(frozen=True, kw_only=True)
class Searched(SearchSummary):
    """A finished search, and where its points are kept.

    Attributes:
        units: (V,) that each vertex pushed down.
        file: of the points, in the run folder.
        sha256: of that file.
        max_steps: limit of steps a vertex.
        max_seconds: limit of seconds; None for none.
    """

    units: tuple[int, ...]
    file: str
    sha256: str
    max_steps: int
    max_seconds: float | None


@dataclass(frozen=True, kw_only=True)
class ExactCounts:
    """Active units, pre-activations exactly 0, and units whose float sign is another, exactly."""

    n_positive: int
    ties: int
    sign_disagreements: int


@dataclass(frozen=True, kw_only=True)
class ExactPoint:
    """A found point in the exact layer.

    Attributes:
        collides: over the rationals, inside the domain.
        smallest_tolerance: the least at which it collides, but for the domain.
        worst_equality: largest |w_j x + b_j - z_j| over the active units.
        worst_inactive: largest positive pre-activation of an inactive unit, 0 if none.
        worst_domain: how far it leaves the domain.
        newly_active: inactive units of the target that fire.
        newly_inactive: active units of the target that do not.
    """

    collides: bool
    smallest_tolerance: Fraction
    worst_equality: Fraction
    worst_inactive: Fraction
    worst_domain: Fraction
    newly_active: int
    newly_inactive: int


@dataclass(frozen=True, kw_only=True)
class ExactAnswers:
    """What was asked of the exact layer.

    Attributes:
        reason: why nothing was, or "".
        counts: of the target's set.
        points: name of a set of vertices -> its points.
        facts: of the target's set; None where they were not asked.
    """

    reason: str = ""
    counts: ExactCounts | None = None
    points: Mapping[str, tuple[ExactPoint, ...]]
    facts: LimitedFacts | None = None


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One form of a set of vertices, measured.

    Attributes:
        spread: its distances.
        vertices: one by one.
        pixels: combinations of images, by scheme.
        layer: combinations of what enters the layer, by scheme; none where `layer_reason` says why.
        layer_reason: "" where there are some.
    """

    spread: Spread
    vertices: tuple[SeenVertex, ...]
    pixels: Mapping[str, Judged]
    layer: Mapping[str, Judged]
    layer_reason: str


@dataclass(frozen=True, kw_only=True)
class SetMeasures:
    """A set of vertices, measured.

    Attributes:
        meanings: in which float senses each vertex collides.
        found: the vertices as found.
        png: the vertices as 8-bit images.
        ball: the authors' control, where asked.
    """

    meanings: tuple[Meanings, ...]
    found: Measured
    png: Measured
    ball: Ball | None

    def forms(self) -> dict[str, Measured]:
        """Returns the forms by their names in tables."""
        return {title: getattr(self, form) for form, title in FORMS.items()}


@dataclass(frozen=True, kw_only=True)
class VertexSet(SetName):
    """A set of vertices: the search that found it, and its measures."""

    search: Searched
    measures: SetMeasures


@dataclass(frozen=True, kw_only=True)
class SeenPicture:
    """What the network says of a picture.

    Attributes:
        name: of its file.
        label: its class, where known.
        label_name: likewise.
        winner: the class that wins.
        class_name: of that class.
        confidence: its probability.
        target_class_confidence: probability of the target's class.
    """

    name: str
    label: int | None
    label_name: str | None
    winner: int
    class_name: str
    confidence: float
    target_class_confidence: float


@dataclass(frozen=True, kw_only=True)
class RecipeWords:
    """A recipe's title, and its rule in words."""

    title: str
    rule: str


@dataclass(frozen=True, kw_only=True)
class ImageResults:
    """The results of a run.

    Attributes:
        title: the network in a few words.
        layer_name: of the layer.
        remarks: what must stand below every table.
        device: of searches and float runs.
        class_names: of the logits; empty where they are not known.
        recipes: of the searches.
        samples: combinations a scheme and space.
        target: the picture to collide with.
        starts: name -> picture from which searches started.
        images: their distances.
        accuracy: of the network, where asked.
        layer: its sizes.
        exact: what was asked of the exact layer.
        exact_vertex: what the network says of an exact vertex, rounded to float32.
        sets: of vertices.
    """

    SCHEMA: ClassVar[str] = "collision-polytopes/images/2"

    title: str
    layer_name: str
    remarks: tuple[str, ...]
    device: str
    class_names: tuple[str, ...]
    recipes: Mapping[str, RecipeWords]
    samples: int
    target: SeenPicture
    starts: Mapping[str, SeenPicture]
    images: ImageDistances
    accuracy: Accuracy | None
    layer: LayerSizes
    exact: ExactAnswers
    exact_vertex: SeenPoint | None
    sets: tuple[VertexSet, ...]

    def title_of(self, one: SetName) -> str:
        """Returns recipe and start of a set of vertices, in words."""
        start = "target" if one.start == "target" else self.starts[one.start].name
        return f"{self.recipes[one.recipe].title}; start: {start}"

    def name_of(self, index: int) -> str:
        """Returns the name of a class, or its number."""
        return class_title(self.class_names, index)
