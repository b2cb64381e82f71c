"""Was this asked before?  A layer never changes, so what it answered once is its answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar, cast

from polytope.sets.rows import Rows

T = TypeVar("T")


def once(question: Callable[[Rows], T]) -> Callable[[Rows], T]:
    """Ask a question of a layer a single time; its answer lives as long as the layer does.

    What a certificate's witness is made of lives with it.
    """

    @wraps(question)
    def asked(layer: Rows) -> T:
        if question not in layer.answers:
            layer.answers[question] = question(layer)
        return cast(T, layer.answers[question])

    return asked
