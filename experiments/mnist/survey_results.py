"""What does the record of a survey hold?  Its rows, and what they say together."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from experiments.measure.sampling import Verdict
from experiments.models.summary import NetworkSummary

#: Columns of distances, in the order of the tables: relaxed, then exact ones.
RELAXED = ("absolute", "absolute_never", "absolute_rarely", "hinge")
EXACT = ("exact", "never", "rarely")
COLUMNS = (*RELAXED, *EXACT)


@dataclass(frozen=True, kw_only=True)
class ExactRow:
    """The exact vertices of one target.

    Attributes:
        distance: mean l2 over their pairs; None of fewer than two.
        decided: how many were proved.
        verified: certificates that the checker accepted.
        vertices: minimisers proved vertices.
        classes: that the network sees in them.
    """

    distance: float | None
    decided: int
    verified: int
    vertices: int
    classes: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RelaxedRow:
    """The relaxed vertices of one target.

    Attributes:
        distance: mean l2 over their pairs.
        max_relative_gap: to the exact minima; None where all of these are 0 or undecided.
        max_tolerance: at which every point collides.
        converged: searches that did.
        steps: most.
    """

    distance: float | None
    max_relative_gap: float | None
    max_tolerance: float
    converged: int
    steps: int = 0


@dataclass(frozen=True, kw_only=True)
class SurveyRow:
    """One target of one network.

    Attributes:
        seed: of the network.
        target: index of the test image.
        label: its digit.
        seen: what the network says of it.
        n_positive: N+.
        units: whose vertices were asked for.
        exact: of `EXACT` -> its vertices.
        relaxed: of `RELAXED` -> its vertices.
    """

    seed: int
    target: int
    label: int
    seen: Verdict
    n_positive: int
    units: tuple[int, ...]
    exact: Mapping[str, ExactRow]
    relaxed: Mapping[str, RelaxedRow]

    def distance(self, family: str) -> float | None:
        """Returns the mean distance of one of `COLUMNS`."""
        found = self.exact[family] if family in EXACT else self.relaxed[family]
        return found.distance


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Count, mean, standard deviation (of the sample), least and largest of some numbers."""

    count: int
    mean: float | None = None
    std: float | None = None
    min: float | None = None
    max: float | None = None


@dataclass(frozen=True, kw_only=True)
class Proved:
    """Exact vertices of all rows: asked for, decided, accepted by the checker, proved vertices."""

    asked: int
    decided: int
    verified: int
    vertices: int


@dataclass(frozen=True, kw_only=True)
class Searched:
    """Relaxed vertices of all rows."""

    asked: int
    converged: int
    max_relative_gap: Spread
    max_tolerance: Spread


@dataclass(frozen=True, kw_only=True)
class Observation:
    """A statement under test, row by row.

    Attributes:
        statement: in words.
        left: of `COLUMNS`, said to be larger.
        right: of `COLUMNS`.
        held: rows in which it held.
        rows: in which both distances are known.
        ratio: of left to right where right is not 0.
    """

    statement: str
    left: str
    right: str
    held: int
    rows: int
    ratio: Spread


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What the rows say together; families are those of `COLUMNS`.

    Attributes:
        distances: family -> of its vertices.
        ratios: family -> mean distance / that of test images.
        by_seed: seed -> family -> distances.
        by_label: digit -> family -> distances.
        proofs: of `EXACT`.
        searches: of `RELAXED`.
        observations: statements under test.
    """

    distances: Mapping[str, Spread]
    ratios: Mapping[str, float | None]
    by_seed: Mapping[int, Mapping[str, Spread]]
    by_label: Mapping[int, Mapping[str, Spread]]
    proofs: Mapping[str, Proved]
    searches: Mapping[str, Searched]
    observations: tuple[Observation, ...]


@dataclass(frozen=True, kw_only=True)
class SurveyResults:
    """Everything that the survey found.

    Attributes:
        network: name of their start, "wide" or "default".
        networks: by seed.
        controls: name -> pixels that it holds.
        image_distance: mean l2 over all pairs of test images.
        layer: of the networks.
        summary: of the rows.
        rows: one a target and network.
    """

    SCHEMA: ClassVar[str] = "collision-polytopes/survey/3"

    network: str
    networks: Mapping[int, NetworkSummary]
    controls: Mapping[str, int]
    image_distance: float
    layer: str
    summary: Summary
    rows: tuple[SurveyRow, ...]
