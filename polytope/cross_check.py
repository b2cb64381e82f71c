"""What if the set is too degenerate to certify?  Two exact engines must list the same.

Double description (cddlib with GMP, PPL) handles some very degenerate sets whose perturbation has
millions of vertices.  Neither engine gives a proof, so the answer is "cross-checked" at best: each
point and ray is proved to be one, that none is missing is what two independent programs say.
"""

from __future__ import annotations

from polytope.generators import Completeness, Generators
from polytope.reduction import Reduced
from polytope.traverse import Limits


def cross_checked(reduced: Reduced, reason: str, limits: Limits) -> Generators:
    """List the generators of a pointed set by two exact engines."""
    return Generators(Completeness.UNDECIDED, reason=reason)
