"""What does a record keep of a search, a comparison, an exact minimum?"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimize import VertexComparison, VertexSearch
from polytope import LPResult, LPStatus


def solved(results: Mapping[int, LPResult]) -> dict[int, NDArray[np.float64]]:
    """Returns unit -> exact vertex rounded to float64 (d,), for the units that were proved."""
    return {
        unit: result.point_float()
        for unit, result in results.items()
        if result.status is LPStatus.OPTIMAL
    }


def lp_entry(result: LPResult) -> dict[str, Any]:
    """Returns what a record keeps of one exact minimum."""
    return {
        "status": result.status.name.lower(),
        "value": result.value,
        "is_vertex": result.is_vertex,
        "reason": result.reason,
    }


MAX_STEPS = 50_000


#: Family -> penalty on the other inactive units, and the optimiser.
FAMILIES = {
    "authors": ("absolute", "authors"),
    "absolute": ("absolute", "auto"),
    "hinge": ("hinge", "auto"),
}


def search_entry(search: VertexSearch) -> dict[str, Any]:
    """Returns what a record keeps of a search."""
    return {
        "method": search.method,
        "penalty": search.form.others,
        "alpha": search.form.alpha,
        "status": [status.name.lower() for status in search.status],
        "rule": sorted({status.value for status in search.status}),
        "steps": search.steps.tolist(),
        "duality_gap": [_finite(value) for value in search.gap.tolist()],
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def comparison_entry(each: VertexComparison) -> dict[str, Any]:
    """Returns what a record keeps of one comparison."""
    names = (
        *("unit", "exact_value", "found_value", "gap", "worst_equality", "worst_inactive"),
        *("worst_domain", "smallest_tolerance", "distance_linf", "n_tight", "is_vertex"),
    )
    gap = each.relative_gap
    return {
        **{name: getattr(each, name) for name in names},
        "relative_gap": None if gap is None else _finite(gap),
    }
