"""Is a gap in a list noticed?  Each point, ray, line and basis is taken out, and doubled, in turn.

    python -m tests.campaigns.completeness [--most 300]

for every polytope of tests/instances with at most so many bases; also as a forger would do it, the
bases of a removed point and the pivot of a removed line gone with it.  Exit code 0 if every gap and
every double is noticed.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

from polytope import checker, read_polyhedron

INSTANCES = Path(__file__).resolve().parents[1] / "instances"


def lists(most: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """The certificates of the complete lists of the stored polytopes, where they are found soon."""
    for path in sorted(INSTANCES.rglob("*.ine")):
        polytope = read_polyhedron(path)
        found = polytope.vertices(max_seconds=20, max_count=most, max_bases=most)
        if found.certificate is not None and found.certificate.kind == "generators":
            yield path.stem, json.loads(json.dumps(found.certificate.document()))


def spoiled(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every list with an entry too few or too many."""
    claim, witness = document["claim"], document["witness"]
    places = [("claim", name, claim[name]) for name in ("points", "rays", "lines")]
    places.append(("witness", "bases", witness["bases"] or []))
    for part, name, entries in places:
        for k, entry in enumerate(entries):
            for what, new in (
                (f"{name} removed", entries[:k] + entries[k + 1 :]),
                (f"{name} doubled", [*entries, entry]),
            ):
                yield what, {**document, part: {**document[part], name: new}}
            if name in ("points", "lines"):
                yield f"{name} removed with all that is theirs", without(document, name, k)


def without(document: dict[str, Any], name: str, k: int) -> dict[str, Any]:
    """As if the k-th point or line had never been there."""
    new = copy.deepcopy(document)
    witness = new["witness"]
    del new["claim"][name][k]
    if name == "lines":
        del witness["pivots"][k]
    elif witness["bases"] is not None:
        kept = [basis for basis in witness["bases"] if basis["point"] != k]
        witness["bases"] = [{**b, "point": b["point"] - (b["point"] > k)} for b in kept]
    return new


def noticed(document: dict[str, Any]) -> bool:
    try:
        checker.check(document)
    except checker.CheckError as error:
        return error.code in (checker.REFUSED, checker.MALFORMED)
    return False


def run(most: int) -> tuple[Counter[str], list[str], int]:
    """Count the gaps by kind; name those that were not noticed; count the polytopes."""
    counts: Counter[str] = Counter()
    missed, polytopes = [], 0
    for name, document in lists(most):
        checker.check(document)
        polytopes += 1
        for what, bad in spoiled(document):
            counts[what] += 1
            if not noticed(bad):
                missed.append(f"{name}: {what}")
    return counts, missed, polytopes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=300)
    args = parser.parse_args()
    began = perf_counter()
    counts, missed, polytopes = run(args.most)
    for what, count in sorted(counts.items()):
        print(f"{count:8d}  {what}")
    for line in missed:
        print(f"NOT NOTICED: {line}")
    total = counts.total()
    print(
        f"{polytopes} polytopes, {total} lists spoiled, {total - len(missed)} noticed "
        f"({perf_counter() - began:.0f} s)"
    )
    return int(bool(missed) or polytopes < 15)


if __name__ == "__main__":
    sys.exit(main())
