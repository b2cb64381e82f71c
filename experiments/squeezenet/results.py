"""What does a run of `collide squeezenet` keep, besides each layer's own results?"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from experiments.images.measures import Accuracy
from experiments.images.results import ImageResults
from experiments.measure.compared import Compared
from experiments.measure.facts import Facts
from experiments.measure.minimum import Minimum
from experiments.squeezenet.conv10 import ExactTolerance


@dataclass(frozen=True, kw_only=True)
class ChosenUnit:
    """A unit that vertices pushed down, at its position.

    Attributes:
        unit: its number in the layer, class x positions + position.
        minimum: the exact one over the position's set, where its unit is the class.
        target_value: its pre-activation at the target.
        found: name of a set -> that set's vertex for the unit.
    """

    unit: int
    minimum: Minimum
    target_value: Fraction
    found: Mapping[str, Compared]


@dataclass(frozen=True, kw_only=True)
class CertifiedPosition:
    """What is known exactly at one position.

    Attributes:
        position: its number, row by row.
        support: inputs that are not 0 at the target.
        facts: of the set at x >= 0.
        dimension_reason: why the dimension is undecided.
        units: the chosen ones at this position.
        tolerance: name of a set -> the least tolerance of each of its vertices, here.
    """

    position: int
    support: int
    facts: Facts
    dimension_reason: str
    units: tuple[ChosenUnit, ...]
    tolerance: Mapping[str, tuple[Fraction, ...]]

    @property
    def kind(self) -> str:
        """What kind of set it is: "single point", "bounded" or "unbounded"."""
        if self.facts.dimension is None or self.facts.bounded is None:
            return "undecided"
        if self.facts.dimension == 0:
            return "single point"
        return "bounded" if self.facts.bounded else "unbounded"


@dataclass(frozen=True, kw_only=True)
class Positions:
    """conv10, position by position.

    Attributes:
        side: height and width.
        units: the chosen ones.
        titles: name of a set of vertices -> recipe and start in words.
        certified: positions.
        n_positive: active units of every position, by floats.
        target_length: of the inputs of every position at the target, in l2.
        moved: name of a set -> by vertex how far it is from the target, at every position.
        exact: name of a set -> the least tolerance of each vertex, over all positions.
    """

    side: tuple[int, int]
    units: tuple[int, ...]
    titles: Mapping[str, str]
    certified: tuple[CertifiedPosition, ...]
    n_positive: tuple[int, ...]
    target_length: tuple[float, ...]
    moved: Mapping[str, tuple[tuple[float, ...], ...]]
    exact: Mapping[str, tuple[ExactTolerance, ...]]

    def place_of(self, number: int) -> str:
        """Returns row and column of a position, e.g. "(3, 12)"."""
        row, column = divmod(number, self.side[1])
        return f"({row}, {column})"


@dataclass(frozen=True, kw_only=True)
class WeightsFile:
    """The file of weights, and what its checksum was compared with."""

    sha256: str
    verified: str


@dataclass(frozen=True, kw_only=True)
class SqueezeNetResults:
    """The results of a run.

    Attributes:
        title: the network in words.
        source: "release" or "torchvision".
        weights: their file.
        images: which they are.
        resize: how they came to their size.
        accuracy: of the network on them.
        layers: the results at each layer, by the names they were asked by.
        positions: of conv10; None where it was not asked for.
    """

    SCHEMA: ClassVar[str] = "collision-polytopes/squeezenet/2"

    title: str
    source: str
    weights: WeightsFile
    images: str
    resize: str
    accuracy: Accuracy
    layers: Mapping[str, ImageResults]
    positions: Positions | None
