"""Certificates of layers with another function than the ReLU behind two weights."""

import json
from fractions import Fraction as F
from typing import Any

from polytope import Box, CollisionPolytope


def function_document(
    name: str,
    *,
    rounding: str = "inner",
    tolerance: F | int = F(1, 8),
    target: tuple[Any, ...] = (F(1, 2), 3),
    activation: tuple[Any, ...] | None = None,
) -> Any:
    """That the set of both units, each of its own input in [-9, 9], has a point.

    Args:
        name: of the function.
        rounding: of the ends.
        tolerance: of the post-activations.
        target: of which they are wanted.
        activation: those that are wanted, instead.
    """
    options: dict[str, Any] = {
        "domain": Box(-9, 9),
        "tolerance": tolerance,
        "nonlinearity": name,
        "rounding": rounding,
    }
    if activation is None:
        polytope = CollisionPolytope.from_layer([[1, 0], [0, 1]], [0, 0], target, **options)
    else:
        polytope = CollisionPolytope.from_activation(
            [[1, 0], [0, 1]], [0, 0], activation, **options
        )
    certificate = polytope.feasibility().certificate
    assert certificate is not None
    return json.loads(json.dumps(certificate.document()))
