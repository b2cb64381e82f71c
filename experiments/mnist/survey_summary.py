"""What do all rows of the survey say together?  Means with spread, and the observations."""

from collections.abc import Iterable, Sequence

import numpy as np

from experiments.mnist.survey_results import (
    COLUMNS,
    EXACT,
    RELAXED,
    Observation,
    Proved,
    Searched,
    Spread,
    Summary,
    SurveyRow,
)

Rows = Sequence[SurveyRow]
_FARTHER = "the exact vertices lie farther apart than the paper's penalty's"
#: Family said to lie farther apart, family, and the statement.
_PAIRS = (
    ("exact", "absolute", _FARTHER),
    ("never", "absolute_never", f"{_FARTHER}, never-lit pixels held in both"),
    ("rarely", "absolute_rarely", f"{_FARTHER}, rarely lit pixels held in both"),
    ("hinge", "absolute", "the hinge's vertices lie farther apart than the paper's penalty's"),
    ("exact", "never", "holding never-lit pixels brings the exact vertices nearer"),
    ("never", "rarely", "holding rarely lit pixels brings them nearer still"),
)


def spread(values: Iterable[float | None]) -> Spread:
    """Returns the spread of the numbers that are known.

    >>> spread([1.0, 3.0, None]).mean, round(spread([1.0, 3.0]).std, 3)
    (2.0, 1.414)
    """
    known = [value for value in values if value is not None]
    if not known:
        return Spread(count=0)
    array = np.array(known, dtype=np.float64)
    return Spread(
        count=len(known),
        mean=float(array.mean()),
        std=float(array.std(ddof=1)) if len(known) > 1 else None,
        min=float(array.min()),
        max=float(array.max()),
    )


def distances(rows: Rows) -> dict[str, Spread]:
    """Returns the spread of each family's distances."""
    return {family: spread(row.distance(family) for row in rows) for family in COLUMNS}


def summarise(rows: Rows, image_distance: float) -> Summary:
    """Returns means with spread, by seed and in all, counts of proofs, and the observations.

    Args:
        rows: of the survey.
        image_distance: mean distance of the test images, for ratios.
    """
    means, asked = distances(rows), sum(len(row.units) for row in rows)
    return Summary(
        distances=means,
        ratios={
            family: None if found.mean is None else found.mean / image_distance
            for family, found in means.items()
        },
        by_seed={
            seed: distances([row for row in rows if row.seed == seed])
            for seed in sorted({row.seed for row in rows})
        },
        by_label={
            label: distances([row for row in rows if row.label == label])
            for label in sorted({row.label for row in rows})
        },
        proofs={
            family: Proved(
                asked=asked,
                decided=sum(row.exact[family].decided for row in rows),
                verified=sum(row.exact[family].verified for row in rows),
                vertices=sum(row.exact[family].vertices for row in rows),
            )
            for family in EXACT
        },
        searches={
            family: Searched(
                asked=asked,
                converged=sum(row.relaxed[family].converged for row in rows),
                max_relative_gap=spread(row.relaxed[family].max_relative_gap for row in rows),
                max_tolerance=spread(row.relaxed[family].max_tolerance for row in rows),
            )
            for family in RELAXED
        },
        observations=observations(rows),
    )


def observations(rows: Rows) -> tuple[Observation, ...]:
    """Returns the statements under test, each with its counts: paired, row by row."""
    found = []
    for more, less, statement in _PAIRS:
        pairs = [(row.distance(more), row.distance(less)) for row in rows]
        both = [(a, b) for a, b in pairs if a is not None and b is not None]
        found.append(
            Observation(
                statement=statement,
                left=more,
                right=less,
                held=sum(a > b for a, b in both),
                rows=len(both),
                ratio=spread(a / b for a, b in both if b > 0),
            )
        )
    pairs = [(row.distance("hinge"), row.distance("exact")) for row in rows]
    apart = [abs(hinge - exact) / exact for hinge, exact in pairs if exact and hinge is not None]
    found.append(
        Observation(
            statement="the hinge's mean distance is the exact one's within 2 %",
            left="hinge",
            right="exact",
            held=sum(value <= 0.02 for value in apart),
            rows=len(apart),
            ratio=spread(1 + value for value in apart),
        )
    )
    return tuple(found)
