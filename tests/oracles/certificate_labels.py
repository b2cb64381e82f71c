"""Is the claim of an accepted mutant true, and who says so?

* "elimination": tests/oracles/certificate_oracle.py, from the mutant alone.  At most three inputs.
* "PPL": the same questions, its linear programs and lists by PPL.  More inputs.
* "unchanged": with more inputs, the claim is, number for number, that of the certificate the mutant
  was made from, about the same layer.  That one's claim was judged by PPL.
"""

from __future__ import annotations

from typing import Any

from tests.oracles.certificate_arrays import rational, shaped, sides, vector
from tests.oracles.certificate_oracle import is_true, normal_lists

#: Elimination takes up to some seconds for so many inputs.
SMALL = 3


def label(document: Any, folder: Any = None, original: Any = None) -> tuple[bool, str]:
    """Whether the claim is true, and who says so; the original's claim is taken to be true."""
    _, (_, inputs) = shaped(document["problem"]["weight"], folder)
    if inputs <= SMALL:
        return is_true(document, folder), "elimination"
    same = original is not None and claim_of(document) == claim_of(original)
    if same and problem_of(document, folder) == problem_of(original, folder):
        return True, "unchanged"
    from tests.oracles.certificate_ppl import PplSystem  # needs more than the package itself

    return is_true(document, folder, PplSystem), "PPL"


def claim_of(document: Any) -> dict[str, Any]:
    """The claim in exact numbers: equal iff it says the same."""
    claim: dict[str, Any] = exact(document["claim"])
    if claim["kind"] == "generators":
        lists = normal_lists(claim["points"], claim["rays"], claim["lines"])
        points, rays, lines, pivots = lists
        claim |= {"points": sorted(points), "rays": sorted(rays), "lines": (lines, pivots)}
    if claim["kind"] == "contains":
        claim["point"] = exact(document["witness"]["point"])
    return claim


def exact(value: Any) -> Any:
    """Vectors and rationals as Fractions."""
    if isinstance(value, dict):
        if "den" in value:
            return tuple(vector(value))
        return {key: exact(item) for key, item in value.items()}
    if isinstance(value, list):
        if len(value) == 2 and all(isinstance(v, str) for v in value):
            return rational(value)
        return [exact(item) for item in value]
    return value


def problem_of(document: Any, folder: Any) -> Any:
    """The layer, target and domain in exact numbers."""

    def read(spec: Any) -> Any:
        if isinstance(spec, dict) and ("dtype" in spec or "file" in spec):
            return shaped(spec, folder)
        if isinstance(spec, dict) and "units" in spec:
            return sides(spec)
        return {k: read(v) for k, v in spec.items()} if isinstance(spec, dict) else exact(spec)

    return read(document["problem"])
