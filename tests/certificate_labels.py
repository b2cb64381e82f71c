"""Is the claim of an accepted mutant true, and who says so?

* "elimination": tests/certificate_oracle.py, from the mutant alone.  At most three inputs.
* "unchanged", "weaker": with more inputs, the claim is, number for number, that of the certificate
  the mutant was made from (or says less), about the same layer.
* "PPL": otherwise, and for the certificates themselves: the same questions, the linear programs
  solved by PPL.  Lists of generators and distances of larger layers are taken to be true: they are
  compared with other engines elsewhere (tests/differential.py).
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from tests.certificate_arrays import rational, shaped, vector
from tests.certificate_oracle import System, is_true, normal_lists
from tests.exact_oracle import minimum

#: Elimination takes up to some seconds for so many inputs.
SMALL = 3


class PplSystem(System):
    """The rows of C, their linear programs solved by PPL."""

    def least(self, rows: Any, objective: Any) -> Any:
        found = minimum(tuple(objective), [(tuple(a), b, False) for a, b in rows])
        words = {"unfeasible": "empty", "unbounded": "-inf"}
        return words.get(found.status, found.value)


def label(document: Any, folder: Any = None, original: Any = None) -> tuple[bool, str]:
    """Whether the claim is true, and who says so; the original's claim is taken to be true."""
    _, (_, inputs) = shaped(document["problem"]["weight"], folder)
    if inputs <= SMALL:
        return is_true(document, folder), "elimination"
    if original is not None and problem_of(document, folder) == problem_of(original, folder):
        old, new = claim_of(original), claim_of(document)
        if old == new:
            return True, "unchanged"
        ends = "lower_squared", "upper_squared"
        kept = {k: v for k, v in old.items() if k not in ends} == {
            k: v for k, v in new.items() if k not in ends
        }
        if kept and "lower_squared" in old and new[ends[0]] <= old[ends[0]]:
            return new[ends[1]] >= old[ends[1]], "weaker"
    if document["claim"]["kind"] not in ("generators", "nearest"):
        return is_true(document, folder, PplSystem), "PPL"
    raise ValueError(f"no label for a changed claim: {document['claim']}")


def begins_true(document: Any, folder: Any) -> bool:
    """Whether an engine says that the claim of a certificate to begin with is true."""
    _, (_, inputs) = shaped(document["problem"]["weight"], folder)
    taken = inputs > SMALL and document["claim"]["kind"] in ("generators", "nearest")
    return taken or label(document, folder)[0]


def claim_of(document: Any) -> dict[str, Any]:
    """The claim in exact numbers: equal iff it says the same."""
    claim = exact(document["claim"])
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


def problem_of(document: Any, folder: Any) -> dict[str, Any]:
    """The layer, target and domain in exact numbers."""

    def read(spec: Any) -> Any:
        if isinstance(spec, dict) and ("dtype" in spec or "file" in spec):
            return shaped(spec, folder)
        return {k: read(v) for k, v in spec.items()} if isinstance(spec, dict) else spec

    found = read(document["problem"])
    return {**found, "tolerance": Fraction(rational(document["problem"]["tolerance"]))}
