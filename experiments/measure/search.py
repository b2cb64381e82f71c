"""How are relaxed vertices searched, and what does a record keep of the search?"""

import math
from dataclasses import dataclass
from typing import Any, Literal

from torch import nn

from optimize import Objective, OpenedNetwork, Stopping, VertexSearch, find_vertices

MAX_STEPS = 50_000


@dataclass(frozen=True)
class Family:
    """A penalty on the other inactive units, and the optimiser."""

    others: Literal["absolute", "hinge"]
    optimizer: str


FAMILIES = {
    "authors": Family("absolute", "authors"),
    "absolute": Family("absolute", "auto"),
    "hinge": Family("hinge", "auto"),
}


def relaxed_search(
    model: nn.Module | OpenedNetwork,
    layer: str,
    target: Any,
    *,
    family: str,
    max_steps: int = MAX_STEPS,
    **given: Any,
) -> VertexSearch:
    """Searches relaxed vertices as a family of `FAMILIES` does.

    Args:
        model: the network.
        layer: its name.
        target: one input or a batch.
        family: of `FAMILIES`.
        max_steps: limit of the search.
        given: further arguments of `find_vertices`.
    """
    chosen = FAMILIES[family]
    return find_vertices(
        model,
        layer,
        target,
        objective=Objective(others=chosen.others),
        optimizer=chosen.optimizer,
        stopping=Stopping(max_steps=max_steps),
        progress=False,
        **given,
    )


@dataclass(frozen=True, kw_only=True)
class SearchSummary:
    """What a record keeps of a search, V vertices.

    Attributes:
        method: the optimiser and its options, as text.
        penalty: on the other inactive units, "absolute" or "hinge".
        alpha: weight of eq. 1.
        status: (V,) why each search ended, in lower case.
        steps: (V,) taken.
        duality_gap: (V,) relative, at the last check; None where the method has none.
    """

    method: str
    penalty: Literal["absolute", "hinge"]
    alpha: float
    status: tuple[str, ...]
    steps: tuple[int, ...]
    duality_gap: tuple[float | None, ...]

    @classmethod
    def of(cls, search: VertexSearch, part: slice = slice(None)) -> "SearchSummary":
        """Summarises a search, or a part of its vertices."""
        return cls(
            method=search.method,
            penalty=search.form.others,
            alpha=search.form.alpha,
            status=tuple(status.name.lower() for status in search.status[part]),
            steps=tuple(search.steps[part].tolist()),
            duality_gap=tuple(map(finite, search.gap[part].tolist())),
        )


def finite(value: float) -> float | None:
    """Returns a float for a record, which holds neither NaN nor infinity."""
    return value if math.isfinite(value) else None
