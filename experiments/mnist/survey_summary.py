"""What do all rows of the survey say together?  Means with spread, and the observations."""

from collections.abc import Sequence
from typing import Any

import numpy as np

#: Columns of distances, in the order of the tables.
COLUMNS = (
    *("absolute", "absolute_never", "absolute_rarely"),
    *("hinge", "exact", "never", "rarely"),
)

Rows = Sequence[dict[str, Any]]


def spread(values: Sequence[float]) -> dict[str, Any]:
    """Returns count, mean, standard deviation (of the sample), least and largest value.

    >>> spread([1.0, 3.0])["mean"], round(spread([1.0, 3.0])["std"], 3)
    (2.0, 1.414)
    """
    if not values:
        return {"count": 0, "mean": None, "std": None, "min": None, "max": None}
    array = np.array(values, dtype=np.float64)
    return {
        "count": len(values),
        "mean": float(array.mean()),
        "std": float(array.std(ddof=1)) if len(values) > 1 else None,
        "min": float(array.min()),
        "max": float(array.max()),
    }


def column(rows: Rows, family: str, name: str = "distance") -> list[float]:
    """Returns one number of one family from every row that has it."""
    return [row[family][name] for row in rows if row[family][name] is not None]


def summarise(rows: Rows, image_distance: float) -> dict[str, Any]:
    """Returns means with spread, by seed and in all, counts of proofs, and the observations.

    Args:
        rows: results of `run_survey_job` with "seed" and "target".
        image_distance: mean distance of the test images, for ratios.
    """
    seeds = sorted({row["seed"] for row in rows})
    means = {family: spread(column(rows, family)) for family in COLUMNS}
    checks = {
        family: {
            name: sum(row[family][name] for row in rows)
            for name in ("decided", "verified", "vertices")
        }
        | {"asked": sum(len(row["units"]) for row in rows)}
        for family in ("exact", "never", "rarely")
    }
    searches = {
        family: {
            "converged": sum(row[family]["converged"] for row in rows),
            "asked": sum(len(row["units"]) for row in rows),
            "max_relative_gap": spread(column(rows, family, "max_relative_gap")),
            "max_tolerance": spread(column(rows, family, "max_tolerance")),
        }
        for family in ("absolute", "absolute_never", "absolute_rarely", "hinge")
    }
    return {
        "distances": means,
        "ratios": {
            family: None if found["mean"] is None else found["mean"] / image_distance
            for family, found in means.items()
        },
        "by_seed": {
            str(seed): {
                family: spread(column([r for r in rows if r["seed"] == seed], family))
                for family in COLUMNS
            }
            for seed in seeds
        },
        "by_label": {
            str(label): {
                family: spread(column([r for r in rows if r["label"] == label], family))
                for family in COLUMNS
            }
            for label in sorted({row["label"] for row in rows})
        },
        "proofs": checks,
        "searches": searches,
        "observations": observations(rows),
    }


def observations(rows: Rows) -> list[dict[str, Any]]:
    """Returns the statements under test, each with its counts: paired, row by row."""
    farther = "the exact vertices lie farther apart than the paper's penalty's"
    pairs = (
        ("exact", "absolute", farther),
        ("never", "absolute_never", f"{farther}, never-lit pixels held in both"),
        ("rarely", "absolute_rarely", f"{farther}, rarely lit pixels held in both"),
        ("hinge", "absolute", "the hinge's vertices lie farther apart than the paper's penalty's"),
        ("exact", "never", "holding never-lit pixels brings the exact vertices nearer"),
        ("never", "rarely", "holding rarely lit pixels brings them nearer still"),
    )
    found = []
    for more, less, statement in pairs:
        both = [
            (row[more]["distance"], row[less]["distance"])
            for row in rows
            if row[more]["distance"] is not None and row[less]["distance"] is not None
        ]
        ratios = [a / b for a, b in both if b > 0]
        found.append(
            {
                "statement": statement,
                "left": more,
                "right": less,
                "held": sum(a > b for a, b in both),
                "rows": len(both),
                "ratio": spread(ratios),
            }
        )
    differences = [
        abs(row["hinge"]["distance"] - row["exact"]["distance"]) / row["exact"]["distance"]
        for row in rows
        if row["exact"]["distance"]
    ]
    found.append(
        {
            "statement": "the hinge's mean distance is the exact one's within 2 %",
            "left": "hinge",
            "right": "exact",
            "held": sum(value <= 0.02 for value in differences),
            "rows": len(differences),
            "ratio": spread([1 + value for value in differences]),
        }
    )
    return found
